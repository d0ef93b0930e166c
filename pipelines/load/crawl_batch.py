"""Find the raw files to load and apply them in order.

Files of one source crawled at the same instant form a :class:`CrawlBatch`. Batches are applied oldest first, each in
one transaction with its ledger entries. The rows that a load writes depend on earlier ones, so a file that arrives late
is applied together with all later batches again, in one transaction. The result is the same as in order of crawl.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import Connection, Engine, Table

from artifacts.raw import RawRun, RunReport, list_runs, read_report
from artifacts.store import Store
from pipelines.load.gates import FileHeldBack
from pipelines.load.ledger import loaded_runs, record_loaded


@dataclass(frozen=True)
class CrawlBatch:
    """The files of one instant.

    ``new``: those not in the ledger, none when the batch is applied again; ``earlier``: loaded files before them.
    """

    at: datetime
    runs: tuple[RawRun, ...]
    new: tuple[RawRun, ...]
    earlier: tuple[RawRun, ...]

    def without(self, runs: Collection[RawRun]) -> "CrawlBatch":
        """Return the batch without some of its files."""
        left = tuple(run for run in self.runs if run not in runs)
        return replace(self, runs=left, new=tuple(run for run in self.new if run not in runs))


@dataclass(frozen=True)
class Target:
    """A database to load into: its ledger, the lock between loads, and the function that applies a batch."""

    engine: Engine
    ledger: Table
    lock: Callable[[Connection], None]
    apply: Callable[[Connection, CrawlBatch], None]


class HeldBack(NamedTuple):
    """Why files were held back; ``superseded``: a newer file of the same dataset is loaded."""

    held: list[FileHeldBack]
    superseded: list[FileHeldBack]


def load_pending(target: Target, store: Store, source: str, datasets: Sequence[str]) -> HeldBack:
    """Load every file that is not in the ledger; return why files were held back.

    A file held back only because of another one is loaded once that one is superseded.
    """
    held: dict[RawRun, FileHeldBack] = {}
    while True:
        with target.engine.begin() as conn:
            target.lock(conn)
            known = loaded_runs(conn, target.ledger, source)
            newest = dict(sorted(known))  # the last run id of each dataset stays
            waiting = {run for run, error in held.items() if run == error.culprit or not _superseded(error, newest)}
            batches = _next_batches(_batches(store, source, datasets, known, waiting))
            if not batches:
                break
            held |= _apply(conn, target, store, batches)
    errors = list(dict.fromkeys(held.values()))
    superseded = [error for error in errors if _superseded(error, newest)]
    return HeldBack([error for error in errors if error not in superseded], superseded)


def _superseded(error: FileHeldBack, newest: Mapping[str, str]) -> bool:
    return error.culprit.run_id < newest.get(error.culprit.dataset, "")


def _next_batches(batches: Sequence[CrawlBatch]) -> Sequence[CrawlBatch]:
    """Return the oldest batch with new files, and all later ones if any of them is loaded already."""
    first = next((index for index, batch in enumerate(batches) if batch.new), len(batches))
    late = any(not batch.new for batch in batches[first:])
    return batches[first:] if late else batches[first : first + 1]


def _apply(conn: Connection, target: Target, store: Store, batches: Sequence[CrawlBatch]) -> dict[RawRun, FileHeldBack]:
    """Apply batches without the files that a gate holds back."""
    held: dict[RawRun, FileHeldBack] = {}
    changed = False
    for batch in batches:
        while batch.new or (changed and batch.runs):
            try:
                target.apply(conn, batch)
            except FileHeldBack as error:  # raised before anything is written
                held |= dict.fromkeys(error.runs, error)
                batch = batch.without(error.runs)  # noqa: PLW2901
                continue
            for run in batch.new:
                record_loaded(conn, target.ledger, run, read_report(store, run, RunReport).items)
            changed = True
            break
    return held


def _batches(
    store: Store, source: str, datasets: Sequence[str], known: set[tuple[str, str]], held: Collection[RawRun]
) -> list[CrawlBatch]:
    runs = sorted(run for dataset in datasets for run in list_runs(store, source, dataset) if run not in held)
    batches = []
    earlier: tuple[RawRun, ...] = ()
    for at, group in groupby(runs, key=instant):
        together = tuple(sorted(group, key=attrgetter("dataset", "run_id")))
        new = tuple(run for run in together if (run.dataset, run.run_id) not in known)
        batches.append(CrawlBatch(at, together, new, earlier))
        earlier += tuple(run for run in together if run not in new)
    return batches


def instant(run: RawRun) -> datetime:
    """Return the instant of a crawl from the name of its run."""
    return datetime.strptime(run.run_id.partition("-")[0], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
