"""Tables of events, and the day of an event."""

from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Date, cast, func

from pipelines.load.ledger import table_of
from sql.warehouse import events
from ukok.korea import KST

LANDED, FACT = table_of(events.UserEvent), table_of(events.FctUserEvent)
REJECTED, POSITION = table_of(events.RejectedEvent), table_of(events.IngestPosition)
# Columns that the landing table and the fact table share.
SHARED = [column.name for column in FACT.columns if column.name != "day"]


def day_of(received_at: ColumnElement[datetime]) -> ColumnElement[date]:
    """SQL of the day in Korea on which an event was received."""
    return cast(func.timezone(KST.key, received_at), Date)


def bounds_of(day: date) -> tuple[datetime, datetime]:
    """Return the start of a day in Korea and that of the next one."""
    start = datetime.combine(day, time(), KST)
    return start, start + timedelta(days=1)
