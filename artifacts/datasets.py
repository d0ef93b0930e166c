"""Snapshots of training data: ``datasets/<name>/<version>/<table>.parquet``, immutable; the version is a content hash.

``TABLES`` lists the tables. It is written last: without it a snapshot does not exist.
"""

import hashlib
import io
from collections.abc import Mapping

import pandas as pd

from artifacts.store import Store


def write_snapshot(store: Store, name: str, tables: Mapping[str, pd.DataFrame]) -> str:
    """Write tables as one snapshot and return its version; rows that are stored already are not written again."""
    files = {table: _parquet(frame) for table, frame in sorted(tables.items())}
    digest = hashlib.sha256()
    for table, data in files.items():
        digest.update(table.encode() + b"\0" + hashlib.sha256(data).digest())
    version = digest.hexdigest()[:16]
    if not store.exists(_mark(name, version)):
        for table, data in files.items():
            store.put(f"datasets/{name}/{version}/{table}.parquet", data)
        store.put(_mark(name, version), b"\n".join(table.encode() for table in files))
    return version


def _mark(name: str, version: str) -> str:
    return f"datasets/{name}/{version}/TABLES"


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
