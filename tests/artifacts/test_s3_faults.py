"""S3 servers whose answers are lost, that ignore conditions, or that refuse requests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from artifacts import release
from artifacts.errors import Conflict, NotFound, StoreError
from artifacts.open import open_store
from artifacts.s3 import S3Store
from artifacts.store import Store
from tests.builders.plain_s3 import PlainS3

ALL_ATTEMPTS = 5


@pytest.fixture
def releases(plain: Store, tmp_path: Path) -> list[str]:
    """Three releases, of which the newest is live."""
    versions = ["v1", "v2", "v3"]
    live = None
    for version in versions:
        (tmp_path / "file").write_text(version)
        manifest = release.BaseManifest(version=version, files={})
        release.publish(plain, tmp_path, manifest)
        release.promote(plain, version, expected=live)
        live = version
    return versions


def lose(server: PlainS3, key: str, answers: int) -> None:
    server.lost_key, server.lost_answers = key, answers


@pytest.mark.parametrize("answers", [1, ALL_ATTEMPTS], ids=["one", "all"])
def test_a_write_whose_answer_is_lost_is_done(server: PlainS3, plain: Store, answers: int) -> None:
    lose(server, "key", answers)
    plain.put_if("key", b"1", None)
    _, etag = plain.get_versioned("key")
    lose(server, "key", answers)
    plain.put_if("key", b"2", etag)
    assert plain.get("key") == b"2"
    with pytest.raises(Conflict):
        plain.put_if("key", b"3", etag)


def test_a_write_that_another_one_replaced_is_lost(server: PlainS3, plain: Store) -> None:
    lose(server, "key", 1)
    server.replace_after_put = b"of another writer"
    with pytest.raises(Conflict):
        plain.put_if("key", b"1", None)


def test_a_write_after_a_delete_conflicts(plain: Store) -> None:
    plain.put("key", b"1")
    _, etag = plain.get_versioned("key")
    plain.delete("key")
    with pytest.raises(Conflict):
        plain.put_if("key", b"2", etag)


@pytest.mark.parametrize("answers", [1, ALL_ATTEMPTS], ids=["one", "all"])
def test_a_promotion_whose_answer_is_lost_is_done(
    server: PlainS3, plain: Store, releases: list[str], answers: int
) -> None:
    lose(server, "CURRENT", answers)
    release.promote(plain, "v1", expected="v3")
    assert release.current(plain) == "v1"
    release.promote(plain, "v1", expected="v3")
    assert [release.rollback(plain), release.rollback(plain)] == ["v3", "v2"]


@pytest.mark.parametrize("answers", [1, ALL_ATTEMPTS], ids=["one", "all"])
def test_a_rollback_whose_answer_is_lost_is_done(
    server: PlainS3, plain: Store, releases: list[str], answers: int
) -> None:
    lose(server, "CURRENT", answers)
    assert release.rollback(plain) == "v2"
    assert release.current(plain) == "v2"
    assert release.rollback(plain) == "v1"


class UnreadableAfterWrite:
    """A store that is away once ``CURRENT`` is written: the writer does not learn what became of it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Callable[..., object]:
        return getattr(self._store, name)  # type: ignore[no-any-return]

    def put_if(self, key: str, data: bytes, etag: str | None) -> None:
        self._store.put_if(key, data, etag)
        raise StoreError("whether it was written is not known")


def test_a_repeated_rollback_does_not_go_back_twice(plain: Store, releases: list[str]) -> None:
    with pytest.raises(StoreError, match="not known"):
        release.rollback(UnreadableAfterWrite(plain))  # type: ignore[arg-type]
    assert release.rollback(plain) == "v2"
    assert release.current(plain) == "v2"
    assert release.rollback(plain) == "v1"


def test_an_outcome_that_cannot_be_read_is_said(server: PlainS3, plain: Store) -> None:
    plain.put_if("other", b"1", None)
    server.refusal = (503, b"<Error><Code>ServiceUnavailable</Code><Message>soon</Message></Error>")
    with pytest.raises(StoreError, match="whether 'key' was written is not known: run the command again"):
        plain.put_if("key", b"1", None)


@pytest.mark.parametrize("honoured", [set(), {"If-None-Match"}, {"If-Match"}], ids=["none", "none-match", "match"])
def test_a_server_that_ignores_conditions_is_refused(server: PlainS3, plain: Store, honoured: set[str]) -> None:
    server.honoured = honoured
    for _ in range(2):
        with pytest.raises(StoreError, match=r"ignores conditions of writes .* use a server that honours them"):
            plain.put_if("key", b"1", None)
    assert not plain.exists("key")
    plain.put("key", b"1")


def test_no_reader_sees_the_probe_of_conditions(store: Store) -> None:
    store.put_if("a", b"1", None)
    assert store.list("") == ["a"]


def refuse(server: PlainS3, status: int, code: str, more: str = "") -> None:
    server.refusal = (status, f"<Error><Code>{code}</Code><Message>no</Message>{more}</Error>".encode())


def test_clocks_that_differ_are_named(server: PlainS3, plain: Store) -> None:
    times = "<RequestTime>20260801T100000Z</RequestTime><ServerTime>2026-08-01T12:00:00Z</ServerTime>"
    refuse(server, 403, "RequestTimeTooSkewed", times)
    with pytest.raises(StoreError, match=r"clocks differ: 20260801T100000Z here, 2026-08-01T12:00:00Z at the server"):
        plain.get("key")
    refuse(server, 403, "RequestTimeTooSkewed")
    with pytest.raises(StoreError, match=r"clocks differ: 20\d\d-.*Z here, 20\d\d-.*Z at the server"):
        plain.put("key", b"1")


def test_a_refusal_by_a_server_of_another_time_is_its_clock(server: PlainS3, plain: Store) -> None:
    refuse(server, 403, "AccessDenied")
    with pytest.raises(StoreError, match="AWS_SECRET_ACCESS_KEY"):
        plain.exists("key")
    server.date = "Mon, 06 Jan 2020 10:00:00 GMT"
    with pytest.raises(StoreError, match="2020-01-06T10:00:00Z at the server"):
        plain.exists("key")


def test_another_region_is_named(server: PlainS3, plain: Store) -> None:
    refuse(server, 400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>")
    with pytest.raises(StoreError, match=r"bucket is in eu-west-1 .* set AWS_DEFAULT_REGION"):
        plain.get("key")


def test_an_address_that_is_no_s3_server_is_said(server: PlainS3, plain: Store) -> None:
    server.refusal = (404, b"<html>Not found")
    for read in (plain.get, plain.exists):
        with pytest.raises(StoreError, match="there is no bucket 'bucket'"):
            read("key")


def test_a_write_without_a_bucket_says_how_to_make_it(server: PlainS3, plain: Store, tmp_path: Path) -> None:
    refuse(server, 404, "NoSuchBucket")
    (tmp_path / "file").write_bytes(b"1")
    attempts: list[Callable[[], object]] = [
        lambda: plain.put("a", b"1"),
        lambda: plain.put_if("a", b"1", None),
        lambda: plain.put_file("a", tmp_path / "file"),
    ]
    for attempt in attempts:
        with pytest.raises(StoreError, match="aws s3 mb s3://bucket"):
            attempt()


def test_a_missing_bucket_says_how_to_make_it(store: Store, tmp_path: Path) -> None:
    if not isinstance(store, S3Store):
        return
    absent = open_store("s3://no-such-bucket/x")
    attempts: list[Callable[[], object]] = [
        lambda: absent.get("a"),
        lambda: absent.exists("a"),
        lambda: absent.list(""),
        lambda: absent.download("a", tmp_path / "copy"),
        lambda: release.current(absent),
    ]
    for attempt in attempts:
        with pytest.raises(StoreError, match="aws s3 mb s3://no-such-bucket") as caught:
            attempt()
        assert not isinstance(caught.value, NotFound)
