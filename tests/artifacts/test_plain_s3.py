"""Uploads to an S3 server over https that stores bodies as they come."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from artifacts.errors import StoreError
from artifacts.raw import RawRun, RunReport, read_items, write_run
from artifacts.store import Store
from tests.builders.plain_s3 import PlainS3


def put_file(store: Store, folder: Path) -> None:
    (folder / "file").write_bytes(b"hello")
    store.put_file("key", folder / "file")


WRITES: list[Callable[[Store, Path], None]] = [
    lambda store, _: store.put("key", b"hello"),
    lambda store, _: store.put_if("key", b"hello", None),
    put_file,
]


@pytest.mark.parametrize("md5_tags", [True, False], ids=["md5-tags", "other-tags"])
@pytest.mark.parametrize("write", WRITES, ids=["put", "put-if", "put-file"])
def test_an_upload_is_stored_as_it_is(
    server: PlainS3, plain: Store, tmp_path: Path, write: Callable[[Store, Path], None], md5_tags: bool
) -> None:
    server.md5_tags = md5_tags
    write(plain, tmp_path)
    assert server.objects["/bucket/prefix/key"] == b"hello"
    assert plain.get("key") == b"hello"
    plain.download("key", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"hello"


def test_a_raw_run_comes_back_from_a_plain_server(server: PlainS3, plain: Store) -> None:
    run = RawRun("r", "kok", "prices", date(2025, 8, 6))
    report = RunReport(run_id=run.run_id, source=run.source, dataset=run.dataset, day=run.day, items=1)
    write_run(plain, run, [{"name": "김치 🍲"}], report)
    assert len(server.objects) == 2
    assert list(read_items(plain, run)) == [{"name": "김치 🍲"}]


@pytest.mark.parametrize("md5_tags", [True, False], ids=["md5-tags", "other-tags"])
@pytest.mark.parametrize("write", WRITES, ids=["put", "put-if", "put-file"])
def test_an_upload_that_the_server_changes_is_an_error(
    server: PlainS3, plain: Store, tmp_path: Path, write: Callable[[Store, Path], None], md5_tags: bool
) -> None:
    server.md5_tags = md5_tags
    server.change = lambda body: b"5;frame\r\n" + body
    with pytest.raises(StoreError, match=r"stored 14 bytes for 'key' where 5 were sent: .*UKOK_S3_ENDPOINT_URL"):
        write(plain, tmp_path)


def test_a_write_replaced_by_another_writer_is_no_error(server: PlainS3, plain: Store) -> None:
    server.md5_tags = False
    server.replace_after_put = b"of another writer"
    plain.put("key", b"hello")
    assert plain.get("key") == b"of another writer"
