"""Snapshots of training data: ``datasets/<name>/<version>/<table>.parquet``, immutable; the version is a content hash.

``TABLES`` lists the tables. It is written last: without it a snapshot does not exist. ``FILES.gz`` lists the raw files
whose content the rows are of. They are no part of the version: the same rows may come from other files later.
"""

import gzip
import hashlib
import io
from collections.abc import Iterable, Mapping

import pandas as pd

from artifacts.errors import NotFound
from artifacts.store import Store


def write_snapshot(store: Store, name: str, tables: Mapping[str, pd.DataFrame], raw_files: Iterable[str] = ()) -> str:
    """Write tables as one snapshot and return its version; rows that are stored already are not written again.

    ``raw_files``: keys, without ending, of the files of the raw zone that the rows come from.
    """
    files = {table: _parquet(frame) for table, frame in sorted(tables.items())}
    digest = hashlib.sha256()
    for table, data in files.items():
        digest.update(table.encode() + b"\0" + hashlib.sha256(data).digest())
    version = digest.hexdigest()[:16]
    if not store.exists(_mark(name, version)):
        for table, data in files.items():
            store.put(f"datasets/{name}/{version}/{table}.parquet", data)
        store.put(_files_key(name, version), gzip.compress("\n".join(sorted(raw_files)).encode(), mtime=0))
        store.put(_mark(name, version), b"\n".join(table.encode() for table in files))
    return version


def read_raw_files(store: Store, name: str, version: str) -> list[str]:
    """Keys, without ending, of the raw files that a snapshot comes from; none for one that does not say."""
    try:
        return gzip.decompress(store.get(_files_key(name, version))).decode().split()
    except NotFound:
        return []


def read_table(store: Store, name: str, version: str, table: str) -> pd.DataFrame:
    """Read a table of a snapshot, or raise ``NotFound``."""
    return pd.read_parquet(io.BytesIO(store.get(f"datasets/{name}/{version}/{table}.parquet")))


def _files_key(name: str, version: str) -> str:
    return f"datasets/{name}/{version}/FILES.gz"


def _mark(name: str, version: str) -> str:
    return f"datasets/{name}/{version}/TABLES"


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
