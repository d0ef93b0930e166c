"""The raw zone: what a crawl saw, kept for ever and never changed.

``raw/<source>/<dataset>/dt=<KST date>/<run_id>.jsonl.gz`` holds the items and ``<run_id>.report.json`` the report. The
report is written last: a run without one was killed and does not exist.
"""

import gzip
import json
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from artifacts.store import Store

REPORT = ".report.json"
ITEMS = ".jsonl.gz"


@dataclass(frozen=True, order=True)
class RawRun:
    """One run of one crawl; ``day`` is the KST date of the crawl and runs sort by time."""

    run_id: str
    source: str
    dataset: str
    day: date

    @property
    def stem(self) -> str:
        """Key without its ending."""
        return f"raw/{self.source}/{self.dataset}/dt={self.day.isoformat()}/{self.run_id}"


def new_run_id(now: datetime) -> str:
    """Name a run that began at ``now`` (aware); names sort by time and do not collide."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(3)}"


def write_run(store: Store, run: RawRun, items: Iterable[Mapping[str, Any]], report: Mapping[str, Any]) -> None:
    """Write the items, then the report that makes the run exist; the items are streamed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "items"
        # A fixed time in the header: the same items give the same bytes.
        with path.open("wb") as file, gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
            for item in items:
                packed.write(json.dumps(item, ensure_ascii=False, default=_plain).encode() + b"\n")
        store.put_file(run.stem + ITEMS, path)
    store.put(run.stem + REPORT, json.dumps(report, ensure_ascii=False, indent=2, default=_plain).encode())


def list_runs(store: Store, source: str, dataset: str, since: date | None = None) -> list[RawRun]:
    """Finished runs of a dataset, oldest first; ``since`` bounds the crawl's KST date from below."""
    runs = []
    for key in store.list(f"raw/{source}/{dataset}/"):
        if not key.endswith(REPORT):
            continue
        partition, name = key.split("/")[-2:]
        day = date.fromisoformat(partition.removeprefix("dt="))
        if since is None or day >= since:
            runs.append(RawRun(name.removesuffix(REPORT), source, dataset, day))
    return sorted(runs)


def read_items(store: Store, run: RawRun) -> Iterator[dict[str, Any]]:
    """Yield the items of a run in the order of the crawl."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "items"
        store.download(run.stem + ITEMS, path)
        with gzip.open(path, "rb") as lines:
            for line in lines:
                yield json.loads(line)


def read_report(store: Store, run: RawRun) -> dict[str, Any]:
    """Read the report of a run."""
    report: dict[str, Any] = json.loads(store.get(run.stem + REPORT))
    return report


def _plain(value: object) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written to the raw zone")
