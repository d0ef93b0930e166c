"""Deadlines of the steps: how long ago each may have succeeded last."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, select

from pipelines.errors import PipelineError
from sql.warehouse.steps import StepRun

HOURS = timedelta(hours=1)
# Twice the interval of the step's DAG and the time that it takes; the release follows the daily load of the mall.
MALL, BROADCASTER = 30 * HOURS, 8 * HOURS
OTHERS = {"ingest_logs": 3 * HOURS, "promote_release": 54 * HOURS}


@dataclass(frozen=True)
class Overdue:
    """A step whose last success is longer ago than allowed; ``last`` is None if it never succeeded."""

    step: str
    last: datetime | None
    allowed: timedelta

    def __str__(self) -> str:
        since = f"since {self.last:%Y-%m-%d %H:%M} UTC" if self.last else "so far"
        return f"{self.step}: no success {since}, allowed are {self.allowed / HOURS:.0f} hours"


class StepsOverdue(PipelineError):
    """Steps have not succeeded for too long; the message names each."""


def check_deadlines(warehouse: Engine, mall: str, broadcasters: Iterable[str], now: datetime) -> None:
    """Raise :class:`StepsOverdue` if a step has not succeeded within the time that it is allowed."""
    allowed = {f"load_{mall}": MALL} | {f"load_{name}": BROADCASTER for name in broadcasters} | OTHERS
    overdue = list(find_overdue(warehouse, allowed, now))
    if overdue:
        raise StepsOverdue("; ".join(map(str, overdue)))


def find_overdue(warehouse: Engine, allowed: dict[str, timedelta], now: datetime) -> list[Overdue]:
    """Return the steps that are overdue at ``now``; one that never ran is measured from the first step of all."""
    done = select(StepRun.step, func.max(StepRun.started_at)).where(StepRun.status == "done").group_by(StepRun.step)
    with warehouse.connect() as conn:
        last = dict(conn.execute(done).all())
        first: datetime = conn.scalar(select(func.min(StepRun.started_at))) or now
    return [
        Overdue(step, last.get(step), limit) for step, limit in allowed.items() if now - last.get(step, first) > limit
    ]
