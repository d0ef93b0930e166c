"""Snapshots of training data: ``datasets/<name>/<version>/<table>.parquet``, immutable, named by their content."""

import hashlib
import io
from collections.abc import Mapping

import pandas as pd

from artifacts.store import Store


def write_snapshot(store: Store, name: str, tables: Mapping[str, pd.DataFrame]) -> str:
    """Write tables as one snapshot and return its version; the same rows give the same version and write nothing."""
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


def read_snapshot(store: Store, name: str, version: str) -> dict[str, pd.DataFrame]:
    """Read every table of a snapshot."""
    tables = store.get(_mark(name, version)).decode().split("\n")
    return {
        table: pd.read_parquet(io.BytesIO(store.get(f"datasets/{name}/{version}/{table}.parquet"))) for table in tables
    }


def _mark(name: str, version: str) -> str:
    return f"datasets/{name}/{version}/TABLES"


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
