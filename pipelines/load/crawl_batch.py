"""Find the raw files to load and apply them in order.

Files of one source crawled at the same instant form a :class:`CrawlBatch`. Batches are applied oldest first, each in
one transaction with its ledger entries. The rows that a load writes depend on earlier ones, so a file that arrives
late, or of which a scope is accepted late, is applied together with all later batches again, in one transaction. The
result is the same as in order of crawl.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection, Engine, Table

from artifacts.raw import RawRun, RunReport, instant_of, list_runs, read_report
from artifacts.store import Store
from pipelines.load.crawl_files import CrawlFiles
from pipelines.load.gates import PendingHold, TooManyRejected
from pipelines.load.ledger import Ledger, close_file, read_ledger, record_loaded


@dataclass(frozen=True)
class CrawlBatch:
    """The files of one instant.

    ``new``: those to be loaded, none when the batch is applied again; ``earlier``: loaded files before them.
    """

    at: datetime
    runs: tuple[RawRun, ...]
    new: tuple[RawRun, ...]
    earlier: tuple[RawRun, ...] = ()

    def without_new(self) -> "CrawlBatch":
        """Return the batch without the files to be loaded."""
        return replace(self, runs=tuple(run for run in self.runs if run not in self.new), new=())


@dataclass(frozen=True)
class Target:
    """A database to load into: its ledger, the lock between loads, and the function that applies a batch.

    ``items_in``: the tables with a row for each item.
    """

    engine: Engine
    ledger: Table
    lock: Callable[[Connection], None]
    apply: Callable[[Connection, CrawlBatch], None]
    items_in: tuple[Table, ...] = ()


def load_pending(target: Target, store: Store, source: str, datasets: Sequence[str]) -> None:
    """Load every file that is not in the ledger, of a source of which nothing is ever held back."""
    while _load_next(target, store, source, datasets, None):
        pass


def load_crawls(target: Target, files: CrawlFiles, source: str, datasets: Sequence[str]) -> list[PendingHold]:
    """Load every file that is not in the ledger, without what is held back; return that, oldest first.

    What a newer file has overtaken is closed in the ledger instead.
    """
    while _load_next(target, files.store, source, datasets, files):
        pass
    with target.engine.begin() as conn:
        target.lock(conn)
        pending = find_pending(conn, target.ledger, files, source, datasets)
        _close_overtaken(conn, target.ledger, files, source, datasets, pending)
    return pending


def find_pending(
    conn: Connection, ledger: Table, files: CrawlFiles, source: str, datasets: Sequence[str]
) -> list[PendingHold]:
    """Return what is held back and not overtaken, oldest first."""
    known = read_ledger(conn, ledger, source)
    found = []
    for dataset in datasets:
        runs = files.runs(source, dataset)
        for place, run in enumerate(runs):
            is_open = run not in known or known.held_scopes(run)
            if is_open and (pending := files.pending(run, runs[place + 1 :])):
                found.append(pending)
    return sorted(found, key=lambda pending: pending.run)


def is_new(run: RawRun, known: Ledger, files: CrawlFiles | None) -> bool:
    """Return whether a file is to be loaded: it is not yet, or a scope of it was accepted since."""
    if run not in known:
        return files is None or not files.holds(run).reasons
    held = known.held_scopes(run)
    return bool(held) and files is not None and not held <= {scope.label for scope in files.holds(run).scopes}


def _load_next(target: Target, store: Store, source: str, datasets: Sequence[str], files: CrawlFiles | None) -> bool:
    """Load the oldest batch that is to be loaded, in one transaction; return False if there is none."""
    with target.engine.begin() as conn:
        target.lock(conn)
        batches = _next_batches(_batches(store, source, datasets, read_ledger(conn, target.ledger, source), files))
        if batches:
            _apply(conn, target, store, batches, files)
        return bool(batches)


def _next_batches(batches: Sequence[CrawlBatch]) -> Sequence[CrawlBatch]:
    """Return the oldest batch with new files, and all later ones if any of them is loaded already."""
    first = next((index for index, batch in enumerate(batches) if batch.new), len(batches))
    late = any(not batch.new for batch in batches[first:])
    return batches[first:] if late else batches[first : first + 1]


def _apply(
    conn: Connection, target: Target, store: Store, batches: Sequence[CrawlBatch], files: CrawlFiles | None
) -> None:
    """Apply batches, without the files of which too many items are rejected."""
    changed = False
    earlier = batches[0].earlier
    for each in batches:
        batch = replace(each, earlier=earlier)
        try:
            if batch.new or changed:
                target.apply(conn, batch)
        except TooManyRejected:  # raised before anything is written
            batch = batch.without_new()
            if changed and batch.runs:
                target.apply(conn, batch)
        for run in batch.new:
            held = [scope.label for scope in files.holds(run).scopes] if files else []
            record_loaded(conn, target.ledger, run, read_report(store, run, RunReport).items, held)
            changed = True
        earlier += batch.runs


def _batches(
    store: Store, source: str, datasets: Sequence[str], known: Ledger, files: CrawlFiles | None
) -> list[CrawlBatch]:
    listed = files.runs if files else partial(list_runs, store)
    runs = sorted(run for dataset in datasets for run in listed(source, dataset))
    new = {run for run in runs if is_new(run, known, files)}
    present = [run for run in runs if run in new or known.is_loaded(run)]
    batches = []
    earlier: tuple[RawRun, ...] = ()
    for at, group in groupby(present, key=instant_of):
        together = tuple(sorted(group, key=attrgetter("dataset", "run_id")))
        batches.append(CrawlBatch(at, together, tuple(run for run in together if run in new), earlier))
        earlier += tuple(run for run in together if run not in new)
    return batches


def _close_overtaken(
    conn: Connection,
    ledger: Table,
    files: CrawlFiles,
    source: str,
    datasets: Sequence[str],
    pending: Sequence[PendingHold],
) -> None:
    """Update the ledger where a newer file has overtaken what was held back."""
    known = read_ledger(conn, ledger, source)
    left = {each.run: {scope.label for scope in each.holds.scopes} for each in pending}
    for run in (run for dataset in datasets for run in files.runs(source, dataset)):
        held = left.get(run, set())
        if run not in known and run not in left and files.holds(run).reasons:
            close_file(conn, ledger, run)
        elif run in known and known.held_scopes(run) != held:
            record_loaded(conn, ledger, run, files.report(run).items, sorted(held))
