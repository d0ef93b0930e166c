"""How the warehouse finds the events of deleted accounts."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Engine, event, text

from sql.warehouse.erase import anonymise
from sql.warehouse.partitions import make_partitions, partition_name
from tests.conftest import embedded_only

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
    assert all(f"{partition_name(day)}_user_id_idx" in plan for day in DAYS), plan
    assert "Seq Scan" not in plan
