"""Ledger of loaded raw files, locks between loads, and the data version that caches are keyed by."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, FromClause, Table, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from artifacts.raw import RawRun
from sql.service.catalog import DataVersion


def table_of(model: type) -> Table:
    """Return the table of a mapped class."""
    table: FromClause = model.__table__  # type: ignore[attr-defined]
    if not isinstance(table, Table):
        raise TypeError(f"{model.__name__} maps no table")
    return table


DATA_VERSION = table_of(DataVersion)


def loaded_runs(conn: Connection, ledger: Table, source: str) -> set[tuple[str, str]]:
    """Return dataset and run id of every loaded file of a source."""
    rows = conn.execute(select(ledger.c.dataset, ledger.c.run_id).where(ledger.c.source == source))
    return {(dataset, run_id) for dataset, run_id in rows}


def record_loaded(conn: Connection, ledger: Table, run: RawRun, rows_read: int) -> None:
    """Add a file to the ledger, in the transaction that loads it."""
    values = {"source": run.source, "dataset": run.dataset, "run_id": run.run_id, "day": run.day.isoformat()}
    conn.execute(insert(ledger).values(**values, loaded_at=datetime.now(UTC), rows_read=rows_read))


def lock_service(conn: Connection, datasets: Iterable[str]) -> None:
    """Lock datasets of the service database against other loads until the transaction ends."""
    for dataset in sorted(datasets):
        row = {"dataset": dataset, "version": 0}
        if conn.dialect.name == "postgresql":
            conn.execute(postgresql_insert(DATA_VERSION).values(row).on_conflict_do_nothing())
        else:
            conn.execute(insert(DATA_VERSION).prefix_with("IGNORE").values(row))
        conn.execute(select(DATA_VERSION.c.version).where(DATA_VERSION.c.dataset == dataset).with_for_update())


def lock_warehouse(conn: Connection, name: str) -> None:
    """Lock ``name`` in the warehouse (PostgreSQL) against other loads until the transaction ends."""
    conn.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"ukok load {name}"))))


def increment_version(conn: Connection, dataset: str) -> None:
    """Increment the version of a dataset whose rows changed, so that caches are renewed."""
    version = DATA_VERSION.c.version
    conn.execute(update(DATA_VERSION).where(DATA_VERSION.c.dataset == dataset).values(version=version + 1))
