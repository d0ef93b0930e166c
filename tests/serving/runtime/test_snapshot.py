"""The snapshot and the answers cached with it."""

from serving.catalog.mall import KokCatalog
from serving.runtime.snapshot import ANSWER_OVERHEAD, Answer, Answers, LiveSnapshot, RecordedEvent


def answer(path: str, query: bytes = b"", size: int = 1, payload: str = "") -> Answer:
    event = RecordedEvent("seen", payload)
    return Answer(path, query, b"x" * size, b'"e"', (), None, needs_login=False, route="/", event=event)


def test_oldest_answers_are_dropped_beyond_the_bound() -> None:
    answers = Answers(max_bytes=2 * ANSWER_OVERHEAD + 200)
    for path in ("/a", "/b"):
        answers.put(answer(path, size=50))
    answers.put(answer("/b", size=40))
    assert answers.get("/a", b"") is not None
    answers.put(answer("/c", b"page=1", size=20))
    assert answers.get("/a", b"") is None
    assert answers.get("/b", b"") == answer("/b", size=40)
    assert answers.get("/c", b"page=1") == answer("/c", b"page=1", size=20)
    answers.put(answer("/huge", size=2 * ANSWER_OVERHEAD))
    assert answers.get("/huge", b"") is None
    assert answers.get("/b", b"") is not None


def test_urls_and_payloads_count_towards_the_bound() -> None:
    bound = 2**20
    answers = Answers(bound)
    for number in range(100):
        answers.put(answer("/a", b"x" * 50_000 + b"%d" % number, payload="x" * 50_000))
        answers.put(answer(f"/{'가' * 5_000}{number}", payload="x" * 50_000))
        answers.put(answer(f"/{number}"))
    held = [cached.size for cached in answers._answers.values()]
    assert 0.8 * bound < sum(held) <= bound


def test_many_small_answers_are_bounded() -> None:
    bound = 2**20
    answers = Answers(bound)
    for number in range(bound // 100):
        answers.put(answer(f"/{number}"))
    assert len(answers._answers) < bound / ANSWER_OVERHEAD


def test_update_keeps_a_snapshot_in_use_and_drops_answers() -> None:
    live = LiveSnapshot()
    used = live.current
    used.answers.put(answer("/a"))
    live.update(kok=KokCatalog(items={}))
    assert used.answers.get("/a", b"") is not None
    assert live.current.answers.get("/a", b"") is None
    assert live.current.recipes is used.recipes
