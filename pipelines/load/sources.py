"""Load steps of each source, in order."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Engine

from artifacts.store import Store
from pipelines.load.gates import FileHeldBack
from pipelines.load.kok import load_kok, load_kok_history
from pipelines.load.rejections import forget_rejections
from pipelines.load.schedules import load_schedules, load_schedules_history
from pipelines.report import Report
from recommender.product_ref import KOK


def load_source(
    source: str,
    service: Engine,
    warehouse: Engine,
    store: Store,
    *,
    accept: bool = False,
    now: datetime | None = None,
) -> list[Report]:
    """Load the pending files of the mall or of a broadcaster into both databases.

    Each database has its own ledger; if one is ahead after a kill, the next call loads the rest into the other. Raises
    ``FileHeldBack`` after everything else is loaded when something is held back; ``accept`` loads it nevertheless.
    ``now`` (default: the wall clock) dates the acceptance, and gives the age of what is held back.
    """
    at = now or datetime.now(UTC)
    steps: list[Callable[[], Report]]
    if source == KOK:
        steps = [
            partial(load_kok, service, warehouse, store, accept=accept, now=at),
            partial(load_kok_history, warehouse, store, accept=accept, now=at),
        ]
    else:
        steps = [
            partial(load_schedules, source, service, warehouse, store, accept=accept, now=at),
            partial(load_schedules_history, source, warehouse, store, accept=accept, now=at),
        ]
    reports, held = [], []
    for step in steps:
        try:
            reports.append(step())
        except FileHeldBack as error:
            held.append(error)
    forget_rejections(source, service, warehouse, store)
    if held:
        raise held[0]
    return reports
