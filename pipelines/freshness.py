"""Deadlines of the steps: how long ago each may have succeeded last, and what is held back of those overdue."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError

from artifacts.errors import StoreError
from artifacts.store import Store
from pipelines.errors import PipelineError, one_line
from pipelines.load.held import find_held
from sql.warehouse.steps import StepRun

HOURS = timedelta(hours=1)


@dataclass(frozen=True)
class Deadline:
    """How long ago the step that updates an asset may have succeeded last; ``source``: whose files it loads, if any."""

    asset: str
    step: str
    allowed: timedelta
    source: str | None = None


# Twice the interval of the step's DAG and the time that it takes; the release follows the daily load of the mall.
MALL, BROADCASTER = 30 * HOURS, 8 * HOURS
OTHERS = (Deadline("events", "ingest_logs", 3 * HOURS), Deadline("release", "promote_release", 54 * HOURS))


@dataclass(frozen=True)
class Overdue:
    """A deadline that has passed; ``last`` is None if the step never succeeded; ``held``: what is held back, in words.

    A load that holds something back fails, so that alone may be why it is overdue.
    """

    deadline: Deadline
    last: datetime | None
    held: str = ""

    def __str__(self) -> str:
        since = f"since {self.last:%Y-%m-%d %H:%M} UTC" if self.last else "so far"
        hours = self.deadline.allowed / HOURS
        overdue = f"{self.deadline.asset}: no success of {self.deadline.step} {since}, allowed are {hours:.0f} hours"
        return overdue + self.held


class StepsOverdue(PipelineError):
    """Steps have not succeeded for too long; the message names each."""


def check_deadlines(
    service: Engine, warehouse: Engine, store: Store, mall: str, broadcasters: Iterable[str], now: datetime
) -> None:
    """Raise :class:`StepsOverdue` if a step has not succeeded within the time that it is allowed."""
    deadlines = [Deadline("catalog", f"load_{mall}", MALL, mall)]
    deadlines += [Deadline("schedule", f"load_{name}", BROADCASTER, name) for name in broadcasters]
    overdue = find_overdue(warehouse, [*deadlines, *OTHERS], now)
    if overdue:
        explained = (replace(each, held=_describe_held(service, store, each.deadline.source)) for each in overdue)
        raise StepsOverdue("; ".join(map(str, explained)))


def find_overdue(warehouse: Engine, deadlines: Iterable[Deadline], now: datetime) -> list[Overdue]:
    """Return the deadlines that have passed at ``now``; of a step that never ran, from the first step of all."""
    with warehouse.connect() as conn:
        last = last_successes(conn)
        first: datetime = conn.scalar(select(func.min(StepRun.started_at))) or now
    return [
        Overdue(deadline, last.get(deadline.step))
        for deadline in deadlines
        if now - last.get(deadline.step, first) > deadline.allowed
    ]


def _describe_held(service: Engine, store: Store, source: str | None) -> str:
    """Word what is held back of a source: the newest crawl, and how many others. A problem is named, not raised."""
    if source is None:
        return ""
    try:
        with service.connect() as conn:
            pending = find_held(conn, store, source)
    except (StoreError, DBAPIError, OSError) as error:
        return f" (what is held back cannot be read: {one_line(error)})"
    if not pending:
        return ""
    newest = pending[-1]
    others = f"; something of {len(pending) - 1} other files too" if len(pending) > 1 else ""
    return (
        f" ({newest.run.dataset} {newest.run.run_id}: {newest.summary}{others}; "
        f"`ukok load {source} --accept` loads it nevertheless)"
    )


def last_successes(conn: Connection) -> dict[str, datetime]:
    """Return when each step last began a run that succeeded."""
    last = select(StepRun.step, func.max(StepRun.started_at)).where(StepRun.status == "done").group_by(StepRun.step)
    return dict(conn.execute(last).all())
