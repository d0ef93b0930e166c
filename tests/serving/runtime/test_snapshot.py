"""The view and the answers kept with it."""

from dataclasses import replace

import pytest

from serving.catalog.mall import KokCatalog
from serving.runtime import snapshot
from serving.runtime.snapshot import Answer, Answers, LiveSnapshot, RecordedEvent


def kept(size: int) -> Answer:
    return Answer(b"x" * size, b'"e"', (), None, needs_login=False, route="/")


def test_kept_answers_are_bounded_by_their_bytes_and_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "ANSWER_BYTES", 139)
    monkeypatch.setattr(snapshot, "ANSWER_OVERHEAD", 0)
    answers = Answers()
    for name in ("/a", "/b"):
        answers.put(name, b"", kept(50))
    answers.put("/b", b"", kept(40))
    assert answers.get("/a", b"") is not None
    answers.put("/c", b"page=1", kept(20))
    assert answers.get("/a", b"") is None
    assert [answers.get("/b", b""), answers.get("/c", b"page=1")] == [kept(40), kept(20)]
    answers.put("/huge", b"", kept(141))
    assert answers.get("/huge", b"") is None


def test_however_long_urls_are_and_whatever_is_noted_memory_is_bounded() -> None:
    answers = Answers()
    heavy = replace(kept(1), event=RecordedEvent("seen", "x" * 50_000))
    for number in range(2_000):
        answers.put("/a", b"x" * 50_000 + b"%d" % number, heavy)
        answers.put(f"/{'가' * 5_000}{number}", b"", heavy)
        answers.put(f"/{number}", b"", kept(1))
    held = [len(path) * 4 + len(query) + answer.size for (path, query), answer in answers._answers.items()]
    assert 0.9 * snapshot.ANSWER_BYTES < sum(held) <= snapshot.ANSWER_BYTES
    many = Answers()
    for number in range(snapshot.ANSWER_BYTES // 1_000):
        many.put(f"/{number}", b"", kept(1))
    assert len(many._answers) < snapshot.ANSWER_BYTES / snapshot.ANSWER_OVERHEAD


def test_a_view_that_was_taken_stays_as_it_was_and_its_answers_go_with_it() -> None:
    live = LiveSnapshot()
    taken = live.current
    taken.answers.put("/a", b"", kept(1))
    live.update(kok=KokCatalog(items={}))
    assert taken.answers.get("/a", b"") is not None
    assert live.current.answers.get("/a", b"") is None
    assert live.current.recipes is taken.recipes
