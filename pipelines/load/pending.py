"""Which files are to be loaded, in which order.

Files of one source that were crawled at the same instant are one :class:`Moment`. Moments are applied oldest first,
each in one transaction with its ledger entries. What a load writes depends on what came before, so a file that arrives
late is applied in its place and the loaded ones after it are applied again on top, all in one transaction: the rows end
as if every file had come in order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection, Engine, Table

from artifacts.raw import RawRun, list_runs, read_report
from artifacts.store import Store
from pipelines.load.gates import GateBroken
from pipelines.load.ledger import enter, loaded_runs


@dataclass(frozen=True)
class Moment:
    """The files of one instant. ``new``: those not in the ledger; none when the moment is applied again."""

    at: datetime
    runs: tuple[RawRun, ...]
    new: tuple[RawRun, ...]
    earlier: tuple[RawRun, ...]


@dataclass(frozen=True)
class Target:
    """A database to load into: its ledger, how loads take turns, and what a moment does to its rows."""

    engine: Engine
    ledger: Table
    lock: Callable[[Connection], None]
    apply: Callable[[Connection, Moment], None]


def load_pending(target: Target, store: Store, source: str, datasets: Sequence[str]) -> list[GateBroken]:
    """Load every file that is not in the ledger; return why files were held back."""
    held: dict[datetime, GateBroken] = {}
    while True:
        with target.engine.begin() as conn:
            target.lock(conn)
            moments = _moments(store, source, datasets, loaded_runs(conn, target.ledger, source))
            batch = _next_batch([moment for moment in moments if moment.at not in held])
            if not batch:
                return list(held.values())
            held |= _apply(conn, target, store, batch)


def _next_batch(moments: Sequence[Moment]) -> Sequence[Moment]:
    """The oldest moment with new files; when loaded ones follow it, they and all between come with it."""
    first = next((index for index, moment in enumerate(moments) if moment.new), len(moments))
    late = any(not moment.new for moment in moments[first:])
    return moments[first:] if late else moments[first : first + 1]


def _apply(conn: Connection, target: Target, store: Store, batch: Sequence[Moment]) -> dict[datetime, GateBroken]:
    held: dict[datetime, GateBroken] = {}
    changed = False
    for moment in batch:
        if not (moment.new or changed):
            continue
        try:
            target.apply(conn, moment)
        except GateBroken as error:  # raised before anything is written
            held[moment.at] = error
            continue
        for run in moment.new:
            enter(conn, target.ledger, run, int(read_report(store, run)["items"]))
        changed = True
    return held


def _moments(store: Store, source: str, datasets: Sequence[str], known: set[tuple[str, str]]) -> list[Moment]:
    runs = sorted(run for dataset in datasets for run in list_runs(store, source, dataset))
    moments = []
    earlier: tuple[RawRun, ...] = ()
    for at, group in groupby(runs, key=instant):
        together = tuple(sorted(group, key=attrgetter("dataset", "run_id")))
        new = tuple(run for run in together if (run.dataset, run.run_id) not in known)
        moments.append(Moment(at, together, new, earlier))
        earlier += tuple(run for run in together if run not in new)
    return moments


def instant(run: RawRun) -> datetime:
    """When a run was crawled, which its name tells."""
    return datetime.strptime(run.run_id.partition("-")[0], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
