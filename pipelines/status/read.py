"""Read the state of the system. Nothing is started or changed.

A part that cannot be read is reported in its line, and the others are shown.
"""

from collections.abc import Container, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.postgresql import distinct_on

from artifacts.errors import NotFound, StoreError
from artifacts.open import open_store, store_url
from artifacts.release import CURRENT, current, read_manifest
from artifacts.store import Store
from crawlers.registry import sources
from pipelines.disks import disks
from pipelines.freshness import last_successes
from pipelines.load.ledger import table_of
from pipelines.report import figures_of
from pipelines.status.canary import canary_status
from pipelines.status.databases import DatabasePart, count_rows, one_line, open_database
from pipelines.status.schemas import (
    Component,
    LiveRelease,
    SourceStatus,
    StepStatus,
    SystemStatus,
    UnloadedFile,
    release_figures,
)
from pipelines.status.unloaded import unloaded_files
from pipelines.step_locks import dead_runs
from recommender.manifest import Manifest
from sql.engines import service_engine, warehouse_engine
from sql.warehouse.steps import ReleaseRecord, StepRun


def read_status(now: datetime) -> SystemStatus:
    """Read the state at ``now`` from the databases and the store that the settings name."""
    with (
        open_database("service", service_engine) as service,
        open_database("warehouse", warehouse_engine) as warehouse,
    ):
        store, store_state = _open_artifacts()
        manifest, release_problem = _live_manifest(store) if store else (None, None)
        runs = warehouse.read(_last_runs) or []
        dead = warehouse.read(dead_runs) or set()
        done = warehouse.read(last_successes) or {}
        unloaded: list[UnloadedFile] = []
        if store and warehouse.component.state == "ok":
            try:
                unloaded = unloaded_files(service, store)
            except (StoreError, OSError) as error:
                store_state = Component(name="artifacts", state="unreachable", detail=one_line(error))
        rows = [*count_rows("service", service), *count_rows("warehouse", warehouse)]
        release = _live_release(manifest, warehouse) if manifest else None
        canary, canary_problem = canary_status(store, warehouse) if store else (None, None)
        return SystemStatus(
            at=now,
            sources=[
                SourceStatus(source=name, crawled_at=done.get(f"crawl_{name}"), loaded_at=done.get(f"load_{name}"))
                for name in sources()
            ],
            unloaded=unloaded,
            rows=rows,
            steps=[_step_status(run, dead) for run in runs],
            release=release,
            release_problem=release_problem,
            canary=canary,
            canary_problem=canary_problem,
            components=[service.component, warehouse.component, store_state],
            disks=list(disks()),
        )


def _open_artifacts() -> tuple[Store | None, Component]:
    """The store, None if it is unreachable, and what is known of it."""
    try:
        store = open_store()
        with suppress(NotFound):
            store.get(CURRENT)
    except (StoreError, OSError) as error:
        return None, Component(name="artifacts", state="unreachable", detail=one_line(error))
    return store, Component(name="artifacts", state="ok", detail=store_url())


def _live_manifest(store: Store) -> tuple[Manifest | None, str | None]:
    """The manifest of the live release, None if there is none, and why it cannot be read."""
    try:
        version = current(store)
        return read_manifest(store, version, Manifest) if version else None, None
    except (StoreError, OSError) as error:
        return None, one_line(error)


def _last_runs(warehouse: Connection) -> Sequence[Row[tuple[StepRun]]]:
    """The last run of each step, newest first."""
    table = table_of(StepRun)
    by_step = select(table).ext(distinct_on(table.c.step))
    last = by_step.order_by(table.c.step, table.c.started_at.desc()).subquery()
    return warehouse.execute(select(last).order_by(last.c.started_at.desc())).all()


def _step_status(run: Row[tuple[StepRun]], dead: Container[str]) -> StepStatus:
    # Both columns are JSON, which somebody may have edited.
    details, rejected = (each if isinstance(each, dict) else {} for each in (run.details, run.rejected))
    counts = {reason: count for reason, count in rejected.items() if isinstance(count, int)}
    version = details.get("version")
    detail = run.error or (version if isinstance(version, str) else None)
    detail = detail or figures_of(run.rows_read, run.rows_written, run.rows_unchanged, counts)
    status = "killed" if run.run_id in dead else run.status
    return StepStatus(step=run.step, status=status, started_at=run.started_at, seconds=run.seconds, detail=detail)


def _live_release(manifest: Manifest, warehouse: DatabasePart) -> LiveRelease:
    promoted = select(ReleaseRecord.promoted_at).where(ReleaseRecord.version == manifest.version)
    promoted_at = warehouse.read(lambda conn: conn.scalar(promoted))
    return LiveRelease(**release_figures(manifest).model_dump(), promoted_at=promoted_at)
