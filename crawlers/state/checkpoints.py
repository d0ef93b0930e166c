"""Checkpoints of a running crawl: the product pages read so far, so that a killed crawl loses nothing.

The spider process writes what it reads into small files; the runner moves each finished file into the store, as
``crawling/<source>/<run_id>/<number>.jsonl.gz``. The next crawl of the source takes over the files that it finds there,
and deletes them once their content is in the raw zone.

A line is a :class:`CheckpointPage`; the last line of a file is a :class:`CheckpointEnd`. Lines that are damaged or of
another form are left out, so that their pages are due again.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import monotonic
from typing import BinaryIO, NamedTuple

import orjson
import structlog
from pydantic import TypeAdapter, ValidationError

from artifacts.errors import NotFound
from artifacts.store import Store
from crawlers.items import Product
from crawlers.state.page_state import PageRow

log = structlog.get_logger(__name__)

PAGES_PER_FILE = 100
MAX_SECONDS = 5.0  # until a file is finished, however few pages are in it
OPEN_FILE = "open"


@dataclass(frozen=True)
class CheckpointPage:
    """A product page that was read: its row of the page state, and its item unless it is gone or unchanged."""

    page: PageRow
    item: Product | None


@dataclass(frozen=True)
class CheckpointEnd:
    """The number of requests that a run had made when it finished a file, and the day of the run."""

    requests: int
    day: date


CHECKPOINT_PAGE = TypeAdapter(CheckpointPage)
LINE: TypeAdapter[CheckpointPage | CheckpointEnd] = TypeAdapter(CheckpointPage | CheckpointEnd)


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

    def add(self, page: PageRow, item: str | None) -> None:
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
        self._file.write(orjson.dumps(CheckpointEnd(requests, self._day), option=orjson.OPT_APPEND_NEWLINE))
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
    """Collect the checkpoints of a source into one file for :func:`read_taken_over`, the newest page first.

    The run of a checkpoint may still be alive: its pages are as good, and it does not need its checkpoints.
    """
    keys: list[str] = []
    requests: dict[str, int] = {}
    with path.open("wb") as file:
        for key in sorted(store.list(f"crawling/{source}/"), reverse=True):
            run_id = key.split("/")[2]
            try:
                lines = _lines(store.get(key))
            except NotFound:  # another crawl has just taken it over
                continue
            unreadable = 0
            for line in reversed(lines):
                try:
                    parsed = LINE.validate_json(line)
                except ValidationError:
                    unreadable += 1
                    continue
                if isinstance(parsed, CheckpointPage):
                    file.write(line + b"\n")
                elif parsed.day == day:
                    requests[run_id] = max(requests.get(run_id, 0), parsed.requests)
            if unreadable:
                log.warning("checkpoint lines left out: damaged or of another form", key=key, lines=unreadable)
            keys.append(key)
    return TakenOver(keys, requests)


def read_taken_over(path: Path) -> Iterator[CheckpointPage]:
    """Yield the product pages that :func:`take_over_checkpoints` collected; none without the file."""
    if path.is_file():
        with path.open("rb") as lines:
            yield from map(CHECKPOINT_PAGE.validate_json, lines)


def delete_checkpoints(store: Store, source: str, run_id: str, taken_over: TakenOver) -> None:
    """Delete the checkpoints of a run, and those that it took over."""
    for key in (*taken_over.keys, *store.list(f"crawling/{source}/{run_id}/")):
        store.delete(key)


def _put(store: Store, key: str, path: Path) -> None:
    store.put(key, gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()


def _lines(packed: bytes) -> list[bytes]:
    """Return the lines of a file without a last one that was cut off when the process was killed."""
    whole, _, _ = gzip.decompress(packed).rpartition(b"\n")
    return whole.split(b"\n") if whole else []
