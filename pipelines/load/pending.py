"""Which files are to be loaded, in which order.

Files of one source that were crawled at the same instant are one :class:`Moment`. Moments are applied oldest first,
each in one transaction with its ledger entries. What a load writes depends on what came before, so a file that arrives
late is applied in its place and the loaded ones after it are applied again on top, all in one transaction: the rows end
as if every file had come in order.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection, Engine, Table

from artifacts.raw import RawRun, RunReport, list_runs, read_report
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

    def without(self, runs: Collection[RawRun]) -> "Moment":
        """The same moment without some of its files."""
        left = tuple(run for run in self.runs if run not in runs)
        return replace(self, runs=left, new=tuple(run for run in self.new if run not in runs))


@dataclass(frozen=True)
class Target:
    """A database to load into: its ledger, how loads take turns, and what a moment does to its rows."""

    engine: Engine
    ledger: Table
    lock: Callable[[Connection], None]
    apply: Callable[[Connection, Moment], None]


def load_pending(
    target: Target, store: Store, source: str, datasets: Sequence[str]
) -> tuple[list[GateBroken], list[GateBroken]]:
    """Load every file that is not in the ledger; return why files were held back.

    The second list is of those that newer files of the same dataset, which are loaded, have overtaken. A file that was
    held back for the sake of another is loaded after all when that one is overtaken.
    """
    held: dict[RawRun, GateBroken] = {}
    while True:
        with target.engine.begin() as conn:
            target.lock(conn)
            known = loaded_runs(conn, target.ledger, source)
            newest = dict(sorted(known))  # the last run id of each dataset stays
            waiting = {run for run, error in held.items() if run == error.culprit or not _overtaken(error, newest)}
            batch = _next_batch(_moments(store, source, datasets, known, waiting))
            if not batch:
                break
            held |= _apply(conn, target, store, batch)
    errors = list(dict.fromkeys(held.values()))
    superseded = [error for error in errors if _overtaken(error, newest)]
    return [error for error in errors if error not in superseded], superseded


def _overtaken(error: GateBroken, newest: Mapping[str, str]) -> bool:
    return error.culprit.run_id < newest.get(error.culprit.dataset, "")


def _next_batch(moments: Sequence[Moment]) -> Sequence[Moment]:
    """The oldest moment with new files; when loaded ones follow it, they and all between come with it."""
    first = next((index for index, moment in enumerate(moments) if moment.new), len(moments))
    late = any(not moment.new for moment in moments[first:])
    return moments[first:] if late else moments[first : first + 1]


def _apply(conn: Connection, target: Target, store: Store, batch: Sequence[Moment]) -> dict[RawRun, GateBroken]:
    """Apply moments, each without the files that a gate holds back."""
    held: dict[RawRun, GateBroken] = {}
    changed = False
    for moment in batch:
        while moment.new or (changed and moment.runs):
            try:
                target.apply(conn, moment)
            except GateBroken as error:  # raised before anything is written
                held |= dict.fromkeys(error.runs, error)
                moment = moment.without(error.runs)  # noqa: PLW2901
                continue
            for run in moment.new:
                enter(conn, target.ledger, run, read_report(store, run, RunReport).items)
            changed = True
            break
    return held


def _moments(
    store: Store, source: str, datasets: Sequence[str], known: set[tuple[str, str]], held: Collection[RawRun]
) -> list[Moment]:
    runs = sorted(run for dataset in datasets for run in list_runs(store, source, dataset) if run not in held)
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
