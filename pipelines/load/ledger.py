"""Ledger of loaded raw files, locks between loads, and the data version that caches are keyed by."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, FromClause, Table, func, select, update
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from artifacts.raw import RawRun
from sql.service.catalog import DataVersion
from sql.upsert import upsert

LOADED, OVERTAKEN = "loaded", "overtaken"  # status of a file


def table_of(model: type) -> Table:
    """Return the table of a mapped class."""
    table: FromClause = model.__table__  # type: ignore[attr-defined]
    if not isinstance(table, Table):
        raise TypeError(f"{model.__name__} maps no table")
    return table


DATA_VERSION = table_of(DataVersion)


class LedgerEntry(NamedTuple):
    """State of a file in the ledger: ``loaded`` without its ``held`` scopes, or ``overtaken`` by a newer file."""

    status: str
    held: frozenset[str]


class Ledger:
    """The ledger of one source."""

    def __init__(self, entries: Mapping[tuple[str, str], LedgerEntry]) -> None:
        self._entries = entries

    def __contains__(self, run: RawRun) -> bool:
        return (run.dataset, run.run_id) in self._entries

    def is_loaded(self, run: RawRun) -> bool:
        """Return whether the file is loaded, perhaps without some scopes."""
        return run in self and self._entries[run.dataset, run.run_id].status == LOADED

    def held_scopes(self, run: RawRun) -> frozenset[str]:
        """Return the scopes of a loaded file that are held back."""
        return self._entries[run.dataset, run.run_id].held if run in self else frozenset()


def read_ledger(conn: Connection, ledger: Table, source: str) -> Ledger:
    """Read the ledger of a source."""
    rows = conn.execute(
        select(ledger.c.dataset, ledger.c.run_id, ledger.c.status, ledger.c.held_scopes).where(
            ledger.c.source == source
        )
    )
    return Ledger(
        {
            (dataset, run_id): LedgerEntry(status, frozenset(held.split("\n")) if held else frozenset())
            for dataset, run_id, status, held in rows
        }
    )


def loaded_runs(conn: Connection, ledger: Table, source: str) -> set[tuple[str, str]]:
    """Return dataset and run id of every file of a source that is loaded or overtaken."""
    rows = conn.execute(select(ledger.c.dataset, ledger.c.run_id).where(ledger.c.source == source))
    return {(dataset, run_id) for dataset, run_id in rows}


def record_loaded(conn: Connection, ledger: Table, run: RawRun, rows_read: int, held: Iterable[str] = ()) -> None:
    """Record in the ledger, in the transaction that loads a file, that it is loaded without the ``held`` scopes."""
    _write(conn, ledger, run, rows_read, LOADED, "\n".join(sorted(held)) or None)


def close_file(conn: Connection, ledger: Table, run: RawRun) -> None:
    """Record in the ledger that newer files have overtaken a file of which nothing is loaded."""
    _write(conn, ledger, run, 0, OVERTAKEN, None)


def _write(conn: Connection, ledger: Table, run: RawRun, rows_read: int, status: str, held: str | None) -> None:
    row = {"source": run.source, "dataset": run.dataset, "run_id": run.run_id, "day": run.day.isoformat()}
    values = {"loaded_at": datetime.now(UTC), "rows_read": rows_read, "status": status, "held_scopes": held}
    upsert(conn, ledger, [row | values], update_columns=list(values))


def lock_service(conn: Connection, datasets: Iterable[str]) -> None:
    """Lock datasets of the service database against other loads until the transaction ends."""
    for dataset in sorted(datasets):
        row = {"dataset": dataset, "version": 0}
        if conn.dialect.name == "postgresql":
            conn.execute(postgresql_insert(DATA_VERSION).values(row).on_conflict_do_nothing())
        else:
            # IGNORE would take a shared lock, and two loads that both have one wait for each other's: a deadlock.
            same = {"version": DATA_VERSION.c.version}
            conn.execute(mysql_insert(DATA_VERSION).values(row).on_duplicate_key_update(same))
        conn.execute(select(DATA_VERSION.c.version).where(DATA_VERSION.c.dataset == dataset).with_for_update())


def lock_warehouse(conn: Connection, name: str) -> None:
    """Lock ``name`` in the warehouse (PostgreSQL) against other loads until the transaction ends."""
    conn.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"ukok load {name}"))))


def increment_version(conn: Connection, dataset: str) -> None:
    """Increment the version of a dataset whose rows changed, so that caches are renewed."""
    version = DATA_VERSION.c.version
    conn.execute(update(DATA_VERSION).where(DATA_VERSION.c.dataset == dataset).values(version=version + 1))
