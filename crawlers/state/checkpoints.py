"""What a crawl has read of product pages while it still runs, so that a crawl that is killed loses nothing.

The process of the crawl writes its readings into small files, the parts; the one who asked for the crawl puts each part
that is finished into the store, as ``crawling/<source>/<run_id>/<number>.jsonl.gz``. The next crawl of the source takes
over what is there and removes it when it is in the raw zone.

A line is a reading, ``{"page": <line of the page memory>, "item": <item, or null>}``. The last line of a part says how
many requests the run had made by then, and on which day: ``{"requests": 120, "day": "2025-08-06"}``.
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

READINGS = 100  # in a part
SECONDS = 5.0  # until a part is finished, however little is in it
OPEN = "open"


class Parts:
    """The parts of one run, in a folder of their own."""

    def __init__(self, folder: Path, day: date) -> None:
        folder.mkdir()
        self._folder = folder
        self._day = day
        self._told = 0
        self._number = 0
        self._file: BinaryIO = (folder / OPEN).open("wb")
        self._readings = 0
        self._since = monotonic()

    def add(self, page: Mapping[str, Any], item: str | None) -> None:
        """Add a reading; ``item`` is JSON."""
        self._file.write(b'{"page": %b, "item": %b}\n' % (orjson.dumps(page), (item or "null").encode()))
        self._readings += 1

    def turn(self, requests: int) -> None:
        """Go on with a new part if this one is full or old. ``requests``: how many the run has made so far."""
        if self._readings >= READINGS or monotonic() - self._since >= SECONDS:
            self.finish(requests)

    def finish(self, requests: int) -> None:
        """Finish this part, if there is anything to tell, and go on with a new one."""
        if not self._readings and requests == self._told:
            return
        self._told = requests
        self._file.write(json.dumps({"requests": requests, "day": self._day.isoformat()}).encode() + b"\n")
        self._file.close()
        self._number += 1
        (self._folder / OPEN).rename(self._folder / f"{self._number:06}.jsonl")
        self._file = (self._folder / OPEN).open("wb")
        self._readings = 0
        self._since = monotonic()

    def close(self) -> None:
        """Write no more; what is in the open part stays."""
        self._file.close()


class Left(NamedTuple):
    """What earlier runs left: the keys of their parts, the newest first, and the requests of each run on a day."""

    keys: list[str]
    requests: dict[str, int]


def keep_parts(store: Store, source: str, run_id: str, folder: Path, *, unfinished: bool = False) -> None:
    """Move the finished parts of a run from its folder into the store; also the ``unfinished`` one, if asked."""
    for path in sorted(folder.glob("*.jsonl")):
        _put(store, f"crawling/{source}/{run_id}/{path.stem}.jsonl.gz", path)
    if unfinished and (folder / OPEN).is_file() and (folder / OPEN).stat().st_size:
        _put(store, f"crawling/{source}/{run_id}/last.jsonl.gz", folder / OPEN)


def take_over(store: Store, source: str, day: date, path: Path) -> Left:
    """Collect what runs of a source left into one file of readings, the newest first.

    The run of a part may be alive: its readings are as good, and it does not miss what is taken away.
    """
    keys: list[str] = []
    requests: dict[str, int] = {}
    with path.open("w", encoding="utf-8") as file:
        for key in sorted(store.list(f"crawling/{source}/"), reverse=True):
            run_id = key.split("/")[2]
            try:
                lines = list(_lines(store.get(key)))
            except NotFound:  # another crawl took it over just now
                continue
            for line in reversed(lines):
                if "page" in line:
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
                elif line["day"] == day.isoformat():
                    requests[run_id] = max(requests.get(run_id, 0), line["requests"])
            keys.append(key)
    return Left(keys, requests)


def discard_parts(store: Store, source: str, run_id: str, left: Left) -> None:
    """Remove the parts of a run, and those that it took over."""
    for key in (*left.keys, *store.list(f"crawling/{source}/{run_id}/")):
        store.delete(key)


def _put(store: Store, key: str, path: Path) -> None:
    store.put(key, gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()


def _lines(packed: bytes) -> Iterator[dict[str, Any]]:
    """The lines of a part, less the one in whose middle a process was killed."""
    whole, _, _ = gzip.decompress(packed).rpartition(b"\n")
    return map(json.loads, whole.splitlines())
