"""Deadlines of the steps: how long ago each may have succeeded last."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, func, select

from pipelines.errors import PipelineError
from sql.warehouse.steps import StepRun

HOURS = timedelta(hours=1)


@dataclass(frozen=True)
class Deadline:
    """How long ago the step that updates an asset may have succeeded last."""

    asset: str
    step: str
    allowed: timedelta


# Twice the interval of the step's DAG and the time that it takes; the release follows the daily load of the mall.
MALL, BROADCASTER = 30 * HOURS, 8 * HOURS
OTHERS = (Deadline("events", "ingest_logs", 3 * HOURS), Deadline("release", "promote_release", 54 * HOURS))


@dataclass(frozen=True)
class Overdue:
    """A deadline that has passed; ``last`` is None if the step never succeeded."""

    deadline: Deadline
    last: datetime | None

    def __str__(self) -> str:
        since = f"since {self.last:%Y-%m-%d %H:%M} UTC" if self.last else "so far"
        hours = self.deadline.allowed / HOURS
        return f"{self.deadline.asset}: no success of {self.deadline.step} {since}, allowed are {hours:.0f} hours"


class StepsOverdue(PipelineError):
    """Steps have not succeeded for too long; the message names each."""


def check_deadlines(warehouse: Engine, mall: str, broadcasters: Iterable[str], now: datetime) -> None:
    """Raise :class:`StepsOverdue` if a step has not succeeded within the time that it is allowed."""
    deadlines = [Deadline("catalog", f"load_{mall}", MALL)]
    deadlines += [Deadline("schedule", f"load_{name}", BROADCASTER) for name in broadcasters]
    overdue = find_overdue(warehouse, [*deadlines, *OTHERS], now)
    if overdue:
        raise StepsOverdue("; ".join(map(str, overdue)))


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


def last_successes(conn: Connection) -> dict[str, datetime]:
    """Return when each step last began a run that succeeded."""
    last = select(StepRun.step, func.max(StepRun.started_at)).where(StepRun.status == "done").group_by(StepRun.step)
    return dict(conn.execute(last).all())
