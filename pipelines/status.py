"""The state of the system at a glance, as `ukok status` shows it. Reads only: nothing is started or changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel
from sqlalchemy import Connection, Engine, Row, func, inspect, select
from sqlalchemy.dialects.postgresql import distinct_on

from artifacts.errors import StoreError
from artifacts.open import open_store, store_url
from artifacts.raw import RawRun, list_runs
from artifacts.release import CURRENT, current, read_manifest
from artifacts.store import Store
from crawlers.registry import MALL, sources
from pipelines.load import kok, schedules
from pipelines.load.ledger import loaded_runs, table_of
from pipelines.report import figures_of
from recommender.manifest import Manifest
from sql import embedded
from sql.engines import check, service_engine, warehouse_engine
from sql.errors import DatabaseUnavailable
from sql.service import catalog
from sql.service.catalog import Broadcast, HomeShoppingProduct, KokProduct, LoadedFile
from sql.service.recipes import Recipe
from sql.service.users import User
from sql.settings import DatabaseSettings
from sql.warehouse import history
from sql.warehouse.events import FctUserEvent, RejectedEvent, UserEvent
from sql.warehouse.history import DimProduct, FctBroadcast, FctPrice
from sql.warehouse.steps import ReleaseRecord, StepRun

SILENCE_SECONDS = 10  # after which a database that does not answer counts as unreachable
Database = Literal["service", "warehouse"]
TABLES: Mapping[Database, Sequence[type]] = {
    "service": (KokProduct, HomeShoppingProduct, Broadcast, Recipe, catalog.ProductItem, User),
    "warehouse": (DimProduct, FctPrice, FctBroadcast, history.ProductItem, UserEvent, FctUserEvent, RejectedEvent),
}


class Component(BaseModel):
    """State of a database or of the artifact store.

    ``empty`` is a database without tables, ``stopped`` an embedded server that is not running.
    """

    name: Literal["service", "warehouse", "artifacts"]
    state: Literal["ok", "empty", "stopped", "unreachable"]
    detail: str


class SourceStatus(BaseModel):
    """When a source was last crawled and loaded without a failure; None if never or if the warehouse is unavailable."""

    source: str
    crawled_at: AwareDatetime | None
    loaded_at: AwareDatetime | None


class UnloadedFile(BaseModel):
    """A raw file that the service database lacks: ``held`` back by a load, or waiting for the next one."""

    source: str
    dataset: str
    run_id: str
    held: bool
    reason: str | None


class TableRows(BaseModel):
    """Number of rows of a table."""

    database: Database
    table: str
    rows: int


class StepStatus(BaseModel):
    """The last run of a step; ``detail``: figures, version or why it failed; ``seconds`` is None while it runs."""

    step: str
    status: str
    started_at: AwareDatetime
    seconds: float | None
    detail: str


class ReleaseFigures(BaseModel):
    """The contents and the evaluation of a release."""

    version: str
    built_at: AwareDatetime
    recipes: int
    products: int
    hit_at_10: float | None
    contains_ingredient: float | None
    index_recall_at_10: float | None
    gate_passed: bool


class LiveRelease(ReleaseFigures):
    """The release that the API serves; ``promoted_at`` is None if the warehouse is unavailable."""

    promoted_at: AwareDatetime | None


class SystemStatus(BaseModel):
    """Everything that `ukok status` shows; ``rows`` of the main tables only.

    ``release_problem``: why the live release or ``CURRENT`` cannot be read.
    """

    at: AwareDatetime
    components: list[Component]
    sources: list[SourceStatus]
    unloaded: list[UnloadedFile]
    rows: list[TableRows]
    steps: list[StepStatus]
    release: LiveRelease | None
    release_problem: str | None

    @property
    def reachable(self) -> bool:
        """Whether every database and the store that the settings name can be used or at least set up."""
        return all(component.state != "unreachable" for component in self.components)


def read_status(now: datetime) -> SystemStatus:
    """Read the state at ``now`` from the databases and the store that the settings name."""
    with (
        _open_database("service", service_engine) as (service, service_state),
        _open_database("warehouse", warehouse_engine) as (warehouse, warehouse_state),
    ):
        store, store_state = _open_artifacts()
        manifest, release_problem = _live_manifest(store) if store else (None, None)
        runs = _last_runs(warehouse) if warehouse else []
        done = _last_done(warehouse) if warehouse else {}
        unloaded = _unloaded(service, store, runs, _crawl_starts(warehouse)) if service and store and warehouse else []
        return SystemStatus(
            at=now,
            components=[service_state, warehouse_state, store_state],
            sources=[
                SourceStatus(source=name, crawled_at=done.get(f"crawl_{name}"), loaded_at=done.get(f"load_{name}"))
                for name in sources()
            ],
            unloaded=unloaded,
            rows=[*_count_rows("service", service), *_count_rows("warehouse", warehouse)],
            steps=[_step_status(run) for run in runs],
            release=_live_release(manifest, warehouse) if manifest else None,
            release_problem=release_problem,
        )


def release_figures(manifest: Manifest) -> ReleaseFigures:
    """Pick the figures of a release that people compare."""
    evaluation = manifest.evaluation
    blend = evaluation.completion.methods.get("blend")
    return ReleaseFigures(
        version=manifest.version,
        built_at=manifest.built_at,
        recipes=manifest.counts.recipes,
        products=manifest.counts.products,
        hit_at_10=blend.hit_at_10 if blend else None,
        contains_ingredient=evaluation.served.contains_ingredient,
        index_recall_at_10=evaluation.index.recall_at_10,
        gate_passed=manifest.gate.passed,
    )


@contextmanager
def _open_database(name: Database, make: Callable[..., Engine]) -> Iterator[tuple[Connection | None, Component]]:
    """Yield a connection, or None if the database is unreachable, stopped or empty; and what is known of it."""
    settings = DatabaseSettings()
    url = settings.service_db_url if name == "service" else settings.warehouse_db_url
    if url is None and not embedded.status(settings.var_dir).running:
        detail = f"the embedded PostgreSQL in {settings.var_dir}/postgres is not running: `ukok db start`"
        yield None, Component(name=name, state="stopped", detail=detail)
        return
    try:
        engine = make(silence_seconds=SILENCE_SECONDS)
        check(engine, name)
    except DatabaseUnavailable as error:
        yield None, Component(name=name, state="unreachable", detail=str(error))
        return
    where = engine.url.set(query={}).render_as_string(hide_password=True) if url else "embedded PostgreSQL"
    try:
        with engine.connect() as conn:
            if missing := {table_of(model).name for model in TABLES[name]} - set(inspect(conn).get_table_names()):
                detail = f"{where} has no table {', '.join(sorted(missing))}: run `ukok db upgrade`"
                yield None, Component(name=name, state="empty", detail=detail)
            else:
                yield conn, Component(name=name, state="ok", detail=where)
    finally:
        engine.dispose()


def _open_artifacts() -> tuple[Store | None, Component]:
    """The store, None if it is unreachable, and what is known of it."""
    try:
        store = open_store()
        store.exists(CURRENT)
    except StoreError as error:
        return None, Component(name="artifacts", state="unreachable", detail=_one_line(error))
    return store, Component(name="artifacts", state="ok", detail=store_url())


def _live_manifest(store: Store) -> tuple[Manifest | None, str | None]:
    """The manifest of the live release, None if there is none, and why it cannot be read."""
    try:
        version = current(store)
        return read_manifest(store, version, Manifest) if version else None, None
    except StoreError as error:
        return None, _one_line(error)


def _one_line(error: StoreError) -> str:
    return " ".join(str(error).split())


def _count_rows(database: Database, conn: Connection | None) -> Iterator[TableRows]:
    if conn is None:
        return
    for table in map(table_of, TABLES[database]):
        rows = conn.scalar(select(func.count()).select_from(table)) or 0
        yield TableRows(database=database, table=table.name, rows=rows)


def _last_runs(warehouse: Connection) -> Sequence[Row[tuple[StepRun]]]:
    """The last run of each step, newest first."""
    table = table_of(StepRun)
    by_step = select(table).ext(distinct_on(table.c.step))
    last = by_step.order_by(table.c.step, table.c.started_at.desc()).subquery()
    return warehouse.execute(select(last).order_by(last.c.started_at.desc())).all()


def _last_done(warehouse: Connection) -> dict[str, datetime]:
    """When each step last began a run that succeeded."""
    last = select(StepRun.step, func.max(StepRun.started_at)).where(StepRun.status == "done").group_by(StepRun.step)
    return dict(warehouse.execute(last).all())


def _step_status(run: Row[tuple[StepRun]]) -> StepStatus:
    figures = figures_of(run.rows_read, run.rows_written, run.rows_unchanged, run.rejected)
    detail = run.error or run.details.get("version") or figures
    return StepStatus(step=run.step, status=run.status, started_at=run.started_at, seconds=run.seconds, detail=detail)


def _crawl_starts(warehouse: Connection) -> dict[str, datetime]:
    """When each crawl began, by the run id of its files."""
    crawl_id = StepRun.details["run_id"].astext
    starts = select(crawl_id, StepRun.started_at).where(StepRun.step.startswith("crawl_"), crawl_id.is_not(None))
    return dict(warehouse.execute(starts).all())


def _unloaded(
    service: Connection, store: Store, runs: Sequence[Row[tuple[StepRun]]], crawl_starts: Mapping[str, datetime]
) -> list[UnloadedFile]:
    """Raw files that are newer than the loaded ones of their dataset."""
    files = []
    loads = {run.step: run for run in runs}
    for source in sources():
        known = loaded_runs(service, table_of(LoadedFile), source)
        newest = dict(sorted(known))  # the last run id of each dataset stays
        load = loads.get(f"load_{source}")
        for dataset in kok.DATASETS if source == MALL else schedules.DATASETS:
            late = (run for run in list_runs(store, source, dataset) if run.run_id > newest.get(dataset, ""))
            files += [_unloaded_file(run, load, crawl_starts.get(run.run_id)) for run in late]
    return sorted(files, key=lambda file: file.run_id)


def _unloaded_file(run: RawRun, load: Row[tuple[StepRun]] | None, crawled_at: datetime | None) -> UnloadedFile:
    """Held back if the last load began after the crawl, so that it must have seen the file."""
    held = load is not None and load.status != "running" and (crawled_at is None or crawled_at < load.started_at)
    reason = load.error if held and load is not None and load.error and run.run_id in load.error else None
    return UnloadedFile(source=run.source, dataset=run.dataset, run_id=run.run_id, held=held, reason=reason)


def _live_release(manifest: Manifest, warehouse: Connection | None) -> LiveRelease:
    promoted_at = None
    if warehouse is not None:
        promoted = select(ReleaseRecord.promoted_at).where(ReleaseRecord.version == manifest.version)
        promoted_at = warehouse.scalar(promoted)
    return LiveRelease(**release_figures(manifest).model_dump(), promoted_at=promoted_at)
