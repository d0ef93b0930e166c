"""What the erasure of deleted accounts removes, and how the warehouse finds their events."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Table, event, insert, select, text

from sql.service.base import ServiceBase
from sql.service.erase import erase
from sql.warehouse.erase import anonymise
from sql.warehouse.partitions import make_partitions, partition_name
from tests.conftest import embedded_only

MOMENT = datetime(2025, 8, 6, tzinfo=UTC)
DAYS = [date(2025, 8, 6) + timedelta(days=number) for number in range(3)]


@embedded_only
def test_events_of_a_user_are_found_by_an_index(warehouse: Engine) -> None:
    """Without sequential scans where an index can be used, none is left in the plan of any partition."""
    make_partitions(warehouse, DAYS)
    plans: list[str] = []
    with warehouse.connect() as conn:
        conn.execute(text("SET enable_seqscan = off"))

        @event.listens_for(conn, "before_cursor_execute", retval=True)
        def explain(_: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> tuple[str, Any]:
            if "UPDATE fct_user_event" in statement:
                cursor.execute(f"EXPLAIN {statement}", parameters)
                plans.append("\n".join(row[0] for row in cursor.fetchall()))
            return statement, parameters

        anonymise(conn, [7, 8])
    (plan,) = plans
    assert all(f"{partition_name(day)}_user_id_day_event_id_idx" in plan for day in DAYS), plan
    assert "Seq Scan" not in plan


def test_no_table_holds_a_user_that_was_erased(service: Engine) -> None:
    """A new table with a user_id has to be added to the erasure; only the list of deleted accounts keeps ids."""
    tables = [table for table in ServiceBase.metadata.sorted_tables if "user_id" in table.c]
    personal = [table for table in tables if table.name != "erased_user"]
    assert len(personal) >= 5
    with service.begin() as conn:
        for user_id in (7, 8):
            for table in personal:
                conn.execute(insert(table).values(row_of(table, user_id)))
        erase(conn, [7], MOMENT)
        left = {table.name: conn.scalars(select(table.c.user_id)).all() for table in personal}
    assert {name: [user_id for user_id in ids if user_id is not None] for name, ids in left.items()} == {
        table.name: [8] for table in personal
    }


def row_of(table: Table, user_id: int) -> dict[str, Any]:
    """A row with a value in each column that needs one."""
    values: dict[type, Any] = {int: user_id, str: str(user_id), bool: False}
    needed = (column for column in table.c if not column.nullable or column.name == "user_id")
    return {column.name: values.get(column.type.python_type, MOMENT) for column in needed}
