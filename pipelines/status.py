"""The state of the system at a glance, as `ukok status` shows it. Reads only: nothing is started or changed.

A part that cannot be read is reported in its line, and the others are shown.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal, TypeVar

from pydantic import AwareDatetime, BaseModel
from sqlalchemy import Connection, Engine, Row, Table, func, inspect, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import DBAPIError

from artifacts.errors import NotFound, StoreError
from artifacts.open import open_store, store_url
from artifacts.raw import RawRun, UnreadableReport, list_runs
from artifacts.release import CURRENT, current, read_manifest
from artifacts.store import Store
from crawlers.registry import sources
from pipelines.disks import Disk, disks
from pipelines.freshness import last_successes
from pipelines.load import kok, schedules
from pipelines.load.crawl_batch import find_pending
from pipelines.load.crawl_files import CrawlFiles
from pipelines.load.ledger import loaded_runs, table_of
from pipelines.report import figures_of
from pipelines.step_locks import dead_runs
from recommender.manifest import Manifest
from recommender.product_ref import KOK
from sql import embedded
from sql.engines import check, service_engine, shown_url, warehouse_engine
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
LOCK_SECONDS = 3  # after which a locked table counts as unreadable
Database = Literal["service", "warehouse"]
TABLES: Mapping[Database, Sequence[type]] = {
    "service": (KokProduct, HomeShoppingProduct, Broadcast, Recipe, catalog.ProductItem, User),
    "warehouse": (DimProduct, FctPrice, FctBroadcast, history.ProductItem, UserEvent, FctUserEvent, RejectedEvent),
}
# Tables that are read, but whose rows are not counted.
READ: Mapping[Database, Sequence[type]] = {"service": (LoadedFile,), "warehouse": (StepRun, ReleaseRecord)}
T = TypeVar("T")


class Component(BaseModel):
    """State of a database or of the artifact store.

    ``empty`` is a database without tables, ``incomplete`` one that lacks some, ``unreadable`` one where a query fails,
    ``stopped`` an embedded server that is not running.
    """

    name: Literal["service", "warehouse", "artifacts"]
    state: Literal["ok", "empty", "incomplete", "stopped", "unreadable", "unreachable"]
    detail: str


class SourceStatus(BaseModel):
    """When a source was last crawled and loaded without a failure; None if never or if the warehouse is unavailable."""

    source: str
    crawled_at: AwareDatetime | None
    loaded_at: AwareDatetime | None


class UnloadedFile(BaseModel):
    """A raw file that the service database lacks, or lacks a part of: ``held`` back, or waiting for the next load."""

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
    disks: list[Disk]
    sources: list[SourceStatus]
    unloaded: list[UnloadedFile]
    rows: list[TableRows]
    steps: list[StepStatus]
    release: LiveRelease | None
    release_problem: str | None

    @property
    def reachable(self) -> bool:
        """Whether every database and the store that the settings name can be used or at least set up."""
        return all(component.state not in {"unreadable", "unreachable"} for component in self.components)


@dataclass
class _Part:
    """A database and what is known of it; without a connection if it is unreachable, stopped, empty or incomplete."""

    conn: Connection | None
    component: Component

    def read(self, query: Callable[[Connection], T]) -> T | None:
        """Run a query; if it fails, record that the database is unreadable and return None."""
        if self.conn is None:
            return None
        try:
            return query(self.conn)
        except DBAPIError as error:
            self.conn.rollback()
            detail = f"{self.component.detail}: {_one_line(error.orig or error)}"
            if self.component.state != "unreadable":
                self.component = Component(name=self.component.name, state="unreadable", detail=detail)
            return None


def read_status(now: datetime) -> SystemStatus:
    """Read the state at ``now`` from the databases and the store that the settings name."""
    with (
        _open_database("service", service_engine) as service,
        _open_database("warehouse", warehouse_engine) as warehouse,
    ):
        store, store_state = _open_artifacts()
        manifest, release_problem = _live_manifest(store) if store else (None, None)
        runs = warehouse.read(_last_runs) or []
        dead = warehouse.read(dead_runs) or set()
        done = warehouse.read(last_successes) or {}
        unloaded: list[UnloadedFile] = []
        if store and warehouse.component.state == "ok":
            try:
                unloaded = _unloaded(service, store)
            except (StoreError, OSError) as error:
                store_state = Component(name="artifacts", state="unreachable", detail=_one_line(error))
        rows = [*_count_rows("service", service), *_count_rows("warehouse", warehouse)]
        release = _live_release(manifest, warehouse) if manifest else None
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
            components=[service.component, warehouse.component, store_state],
            disks=list(disks()),
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
def _open_database(name: Database, make: Callable[..., Engine]) -> Iterator[_Part]:
    """Yield a database, without a connection if it is unreachable, stopped, empty or incomplete."""
    settings = DatabaseSettings()
    url = settings.service_db_url if name == "service" else settings.warehouse_db_url
    if url is None and not embedded.status(settings.var_dir).running:
        detail = f"the embedded PostgreSQL in {settings.var_dir}/postgres is not running: `ukok db start`"
        yield _Part(None, Component(name=name, state="stopped", detail=detail))
        return
    try:
        engine = make(silence_seconds=SILENCE_SECONDS)
        check(engine, name)
    except DatabaseUnavailable as error:
        yield _Part(None, Component(name=name, state="unreachable", detail=str(error)))
        return
    where = shown_url(engine.url) if url else "embedded PostgreSQL"
    try:
        with engine.connect() as conn:
            part = _Part(conn, Component(name=name, state="ok", detail=where))
            part.read(_limit_locks)
            needed = {table_of(model).name for model in (*TABLES[name], *READ[name])}
            existing = part.read(_table_names)
            if existing is not None and (missing := needed - existing):
                detail = f"{where} has no table {', '.join(sorted(missing))}: run `ukok db upgrade`"
                state: Literal["empty", "incomplete"] = "empty" if missing == needed else "incomplete"
                part = _Part(None, Component(name=name, state=state, detail=detail))
            yield part
    finally:
        engine.dispose()


def _limit_locks(conn: Connection) -> None:
    """Let a query fail that waits for a locked table."""
    postgres = conn.dialect.name == "postgresql"
    conn.exec_driver_sql(
        f"SET lock_timeout = '{LOCK_SECONDS}s'" if postgres else f"SET lock_wait_timeout = {LOCK_SECONDS}"
    )
    conn.commit()


def _table_names(conn: Connection) -> set[str]:
    return set(inspect(conn).get_table_names())


def _open_artifacts() -> tuple[Store | None, Component]:
    """The store, None if it is unreachable, and what is known of it."""
    try:
        store = open_store()
        with suppress(NotFound):
            store.get(CURRENT)
    except (StoreError, OSError) as error:
        return None, Component(name="artifacts", state="unreachable", detail=_one_line(error))
    return store, Component(name="artifacts", state="ok", detail=store_url())


def _live_manifest(store: Store) -> tuple[Manifest | None, str | None]:
    """The manifest of the live release, None if there is none, and why it cannot be read."""
    try:
        version = current(store)
        return read_manifest(store, version, Manifest) if version else None, None
    except (StoreError, OSError) as error:
        return None, _one_line(error)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _count_rows(database: Database, part: _Part) -> Iterator[TableRows]:
    """Count the rows of each table that can be read."""
    for table in map(table_of, TABLES[database]):
        rows = part.read(partial(_count, table=table))
        if rows is not None:
            yield TableRows(database=database, table=table.name, rows=rows)


def _count(conn: Connection, table: Table) -> int | None:
    return conn.scalar(select(func.count()).select_from(table))


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


def _unloaded(service: _Part, store: Store) -> list[UnloadedFile]:
    """Raw files that are held back, whole or in part, or newer than the loaded ones; none if those cannot be read."""
    found: list[UnloadedFile] = []
    for source in sources():
        datasets = kok.DATASETS if source == KOK else schedules.DATASETS
        pending = service.read(partial(_held_back, store=store, source=source, datasets=datasets))
        known = service.read(partial(loaded_runs, ledger=table_of(LoadedFile), source=source))
        if pending is None or known is None:
            return []
        newest = dict(sorted(known))  # the last run id of each dataset stays
        runs = (run for dataset in datasets for run in list_runs(store, source, dataset))
        waiting = [run for run in runs if run not in pending and run.run_id > newest.get(run.dataset, "")]
        found += [
            _unloaded_file(run, summary) for run, summary in (*pending.items(), *((run, None) for run in waiting))
        ]
    return sorted(found, key=lambda file: file.run_id)


def _held_back(service: Connection, store: Store, source: str, datasets: Sequence[str]) -> dict[RawRun, str]:
    """What is held back of the files of a source, in words."""
    files = CrawlFiles(store, looks_again=False)
    try:
        pending = find_pending(service, table_of(LoadedFile), files, source, datasets)
    except UnreadableReport:  # the load says so
        return {}
    return {each.run: each.summary for each in pending}


def _unloaded_file(run: RawRun, held: str | None) -> UnloadedFile:
    return UnloadedFile(source=run.source, dataset=run.dataset, run_id=run.run_id, held=held is not None, reason=held)


def _live_release(manifest: Manifest, warehouse: _Part) -> LiveRelease:
    promoted = select(ReleaseRecord.promoted_at).where(ReleaseRecord.version == manifest.version)
    promoted_at = warehouse.read(lambda conn: conn.scalar(promoted))
    return LiveRelease(**release_figures(manifest).model_dump(), promoted_at=promoted_at)
