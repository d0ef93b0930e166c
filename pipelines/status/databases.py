"""The databases as they are now: whether they can be used, and their numbers of rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

from sqlalchemy import Connection, Engine, Table, func, inspect, select
from sqlalchemy.exc import DBAPIError

from pipelines.load.ledger import table_of
from pipelines.status.schemas import Component, Database, TableRows
from sql import embedded
from sql.engines import check, shown_url
from sql.errors import DatabaseUnavailable
from sql.service import catalog
from sql.service.catalog import Broadcast, HomeShoppingProduct, KokProduct, LoadedFile
from sql.service.recipes import Recipe
from sql.service.users import User
from sql.settings import DatabaseSettings
from sql.warehouse import history
from sql.warehouse.events import FctUserEvent, RejectedEvent, UserEvent
from sql.warehouse.history import DimProduct, FctBroadcast, FctPrice
from sql.warehouse.steps import ReleaseRecord, ReleaseWatch, StepRun

SILENCE_SECONDS = 10  # after which a database that does not answer counts as unreachable
LOCK_SECONDS = 3  # after which a locked table counts as unreadable
TABLES: Mapping[Database, Sequence[type]] = {
    "service": (KokProduct, HomeShoppingProduct, Broadcast, Recipe, catalog.ProductItem, User),
    "warehouse": (DimProduct, FctPrice, FctBroadcast, history.ProductItem, UserEvent, FctUserEvent, RejectedEvent),
}
# Tables that are read, but whose rows are not counted.
READ: Mapping[Database, Sequence[type]] = {
    "service": (LoadedFile,),
    "warehouse": (StepRun, ReleaseRecord, ReleaseWatch),
}
T = TypeVar("T")


@dataclass
class DatabasePart:
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
            detail = f"{self.component.detail}: {one_line(error.orig or error)}"
            if self.component.state != "unreadable":
                self.component = Component(name=self.component.name, state="unreadable", detail=detail)
            return None


@contextmanager
def open_database(name: Database, make: Callable[..., Engine]) -> Iterator[DatabasePart]:
    """Yield a database, without a connection if it is unreachable, stopped, empty or incomplete."""
    settings = DatabaseSettings()
    url = settings.service_db_url if name == "service" else settings.warehouse_db_url
    if url is None and not embedded.status(settings.var_dir).running:
        detail = f"the embedded PostgreSQL in {settings.var_dir}/postgres is not running: `ukok db start`"
        yield DatabasePart(None, Component(name=name, state="stopped", detail=detail))
        return
    try:
        engine = make(silence_seconds=SILENCE_SECONDS)
        check(engine, name)
    except DatabaseUnavailable as error:
        yield DatabasePart(None, Component(name=name, state="unreachable", detail=str(error)))
        return
    where = shown_url(engine.url) if url else "embedded PostgreSQL"
    try:
        with engine.connect() as conn:
            part = DatabasePart(conn, Component(name=name, state="ok", detail=where))
            part.read(_limit_locks)
            needed = {table_of(model).name for model in (*TABLES[name], *READ[name])}
            existing = part.read(_table_names)
            if existing is not None and (missing := needed - existing):
                detail = f"{where} has no table {', '.join(sorted(missing))}: run `ukok db upgrade`"
                state: Literal["empty", "incomplete"] = "empty" if missing == needed else "incomplete"
                part = DatabasePart(None, Component(name=name, state=state, detail=detail))
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


def count_rows(database: Database, part: DatabasePart) -> Iterator[TableRows]:
    """Count the rows of each table that can be read."""
    for table in map(table_of, TABLES[database]):
        rows = part.read(partial(_count, table=table))
        if rows is not None:
            yield TableRows(database=database, table=table.name, rows=rows)


def _count(conn: Connection, table: Table) -> int | None:
    return conn.scalar(select(func.count()).select_from(table))


def one_line(error: BaseException) -> str:
    """Return the message of an error in one line."""
    return " ".join(str(error).split())
