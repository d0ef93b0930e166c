"""Which raw files a database has loaded, taking turns at loading, and the version by which caches notice a load."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, FromClause, Table, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from artifacts.raw import RawRun
from sql.service.catalog import DataVersion


def table_of(model: type) -> Table:
    """The table of a mapped class."""
    table: FromClause = model.__table__  # type: ignore[attr-defined]
    if not isinstance(table, Table):
        raise TypeError(f"{model.__name__} maps no table")
    return table


VERSIONS = table_of(DataVersion)


def loaded_runs(conn: Connection, ledger: Table, source: str) -> set[tuple[str, str]]:
    """Dataset and run id of every file of a source that is in the ledger."""
    rows = conn.execute(select(ledger.c.dataset, ledger.c.run_id).where(ledger.c.source == source))
    return {(dataset, run_id) for dataset, run_id in rows}


def enter(conn: Connection, ledger: Table, run: RawRun, rows_read: int) -> None:
    """Write a file into the ledger; part of the transaction that loads it."""
    values = {"source": run.source, "dataset": run.dataset, "run_id": run.run_id, "day": run.day.isoformat()}
    conn.execute(insert(ledger).values(**values, loaded_at=datetime.now(UTC), rows_read=rows_read))


def lock_service(conn: Connection, datasets: Iterable[str]) -> None:
    """Wait until no other load changes these datasets; the lock ends with the transaction."""
    for dataset in sorted(datasets):
        row = {"dataset": dataset, "version": 0}
        if conn.dialect.name == "postgresql":
            conn.execute(postgresql_insert(VERSIONS).values(row).on_conflict_do_nothing())
        else:
            conn.execute(insert(VERSIONS).prefix_with("IGNORE").values(row))
        conn.execute(select(VERSIONS.c.version).where(VERSIONS.c.dataset == dataset).with_for_update())


def lock_warehouse(conn: Connection, name: str) -> None:
    """The same in the warehouse, which is always PostgreSQL."""
    conn.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"ukok load {name}"))))


def grow_version(conn: Connection, dataset: str) -> None:
    """Tell the caches that rows of a dataset changed."""
    conn.execute(update(VERSIONS).where(VERSIONS.c.dataset == dataset).values(version=VERSIONS.c.version + 1))
