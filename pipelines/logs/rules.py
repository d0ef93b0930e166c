"""What makes an event invalid."""

from datetime import timedelta

from sqlalchemy import ColumnElement, FromClause, Text, case, func, literal, null

# Tolerance for clocks of clients.
FUTURE = timedelta(days=1)
LONGEST_TYPE = 100


def reason(event: FromClause) -> ColumnElement[str | None]:
    """SQL of the reason why an event, a row of ``user_event``, is invalid; NULL for a valid one."""
    columns = event.c
    return case(
        (columns.event_type.is_(None), literal("event_type is missing", Text)),
        (func.btrim(columns.event_type) == "", literal("event_type is empty", Text)),
        (func.length(columns.event_type) > LONGEST_TYPE, literal("event_type is too long", Text)),
        (func.jsonb_typeof(columns.payload).is_distinct_from("object"), literal("payload is not an object", Text)),
        (columns.occurred_at > columns.received_at + FUTURE, literal("occurred_at is in the future", Text)),
        else_=null(),
    )
