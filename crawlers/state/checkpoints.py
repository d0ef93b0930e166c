"""Checkpoints of a running crawl: the product pages read so far, so that a killed crawl loses nothing.

The spider process writes what it reads into small files; the runner moves each finished file into the store, as
``crawling/<source>/<run_id>/<number>.jsonl.gz``. The next crawl of the source takes over the files that it finds there,
and deletes them once their content is in the raw zone.

A line is a product page, ``{"page": <row of the page state>, "item": <item, or null>}``. The last line of a file holds
the number of requests that the run had made by then, and the day: ``{"requests": 120, "day": "2025-08-06"}``.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO, NamedTuple

import orjson

from artifacts.errors import NotFound
from artifacts.store import Store

PAGES_PER_FILE = 100
MAX_SECONDS = 5.0  # until a file is finished, however few pages are in it
OPEN_FILE = "open"


class Checkpoints:
    """Checkpoint files of one run, in a folder of their own."""

    def __init__(self, folder: Path, day: date) -> None:
        folder.mkdir()
        self._folder = folder
        self._day = day
        self._written_requests = 0
        self._number = 0
        self._file: BinaryIO = (folder / OPEN_FILE).open("wb")
        self._pages = 0
        self._opened_at = monotonic()

    def add(self, page: Mapping[str, Any], item: str | None) -> None:
        """Add a product page: its row of the page state, and its item as JSON."""
        self._file.write(b'{"page": %b, "item": %b}\n' % (orjson.dumps(page), (item or "null").encode()))
        self._pages += 1

    def rotate(self, requests: int) -> None:
        """Finish the file if it is full or old. ``requests``: how many the run has made so far."""
        if self._pages >= PAGES_PER_FILE or monotonic() - self._opened_at >= MAX_SECONDS:
            self.finish(requests)

    def finish(self, requests: int) -> None:
        """Finish the file and open the next one, unless there is nothing new to write."""
        if not self._pages and requests == self._written_requests:
            return
        self._written_requests = requests
        self._file.write(json.dumps({"requests": requests, "day": self._day.isoformat()}).encode() + b"\n")
        self._file.close()
        self._number += 1
        (self._folder / OPEN_FILE).rename(self._folder / f"{self._number:06}.jsonl")
        self._file = (self._folder / OPEN_FILE).open("wb")
        self._pages = 0
        self._opened_at = monotonic()

    def close(self) -> None:
        """Close the open file; its content stays."""
        self._file.close()


class TakenOver(NamedTuple):
    """Checkpoints of earlier runs: their keys, the newest first, and the requests of each run on a day by run id."""

    keys: list[str]
    requests: dict[str, int]


def store_checkpoints(store: Store, source: str, run_id: str, folder: Path, *, unfinished: bool = False) -> None:
    """Move the finished files of a run into the store, and with ``unfinished`` the open file too."""
    for path in sorted(folder.glob("*.jsonl")):
        _put(store, f"crawling/{source}/{run_id}/{path.stem}.jsonl.gz", path)
    if unfinished and (folder / OPEN_FILE).is_file() and (folder / OPEN_FILE).stat().st_size:
        _put(store, f"crawling/{source}/{run_id}/last.jsonl.gz", folder / OPEN_FILE)


def take_over_checkpoints(store: Store, source: str, day: date, path: Path) -> TakenOver:
    """Collect the checkpoints of a source into one file of product pages, the newest first.

    The run of a checkpoint may still be alive: its pages are as good, and it does not need its checkpoints.
    """
    keys: list[str] = []
    requests: dict[str, int] = {}
    with path.open("w", encoding="utf-8") as file:
        for key in sorted(store.list(f"crawling/{source}/"), reverse=True):
            run_id = key.split("/")[2]
            try:
                lines = list(_lines(store.get(key)))
            except NotFound:  # another crawl has just taken it over
                continue
            for line in reversed(lines):
                if "page" in line:
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
                elif line["day"] == day.isoformat():
                    requests[run_id] = max(requests.get(run_id, 0), line["requests"])
            keys.append(key)
    return TakenOver(keys, requests)


def delete_checkpoints(store: Store, source: str, run_id: str, taken_over: TakenOver) -> None:
    """Delete the checkpoints of a run, and those that it took over."""
    for key in (*taken_over.keys, *store.list(f"crawling/{source}/{run_id}/")):
        store.delete(key)


def _put(store: Store, key: str, path: Path) -> None:
    store.put(key, gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()


def _lines(packed: bytes) -> Iterator[dict[str, Any]]:
    """Return the lines of a file without a last one that was cut off when the process was killed."""
    whole, _, _ = gzip.decompress(packed).rpartition(b"\n")
    return map(json.loads, whole.splitlines())
