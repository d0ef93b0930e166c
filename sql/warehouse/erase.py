"""Anonymise the events of deleted accounts: keep the event, remove the person.

Which fields of a payload are kept is derived from :mod:`sql.warehouse.event_types`.
"""

import json
from collections.abc import Collection
from functools import cache
from typing import Final

from sqlalchemy import Connection, text

from sql.warehouse.event_types import EventType, item_fields, preserved_fields

# Replaces every type that is not an `EventType`, since a client may put a name in it. A blank type is kept too, or
# ingestion would accept an event that it refused before.
OTHER_TYPE: Final = "user_activity"

_PRESERVED_FIELDS = """(
    SELECT coalesce(jsonb_object_agg(field.key, field.value), '{{}}')
    FROM jsonb_each({fields}) AS field
    WHERE field.key = ANY(:kept) AND (
            jsonb_typeof(field.value) = 'number'
            OR jsonb_typeof(field.value) = 'array' AND NOT field.value @? 'strict $[*] ? (@.type() != "number")'
        )
        OR jsonb_typeof(field.value) = 'string'
            AND field.value #>> '{{}}' ~ (CAST(:words AS jsonb) ->> field.key)
)"""


def _items(name: str) -> str:
    """SQL of the field ``name`` where it is a list of objects: each with its kept fields."""
    return f"""CASE WHEN jsonb_typeof(payload -> '{name}') = 'array' THEN jsonb_build_object('{name}', (
        SELECT coalesce(jsonb_agg({_PRESERVED_FIELDS.format(fields="item.fields")} ORDER BY item.place), '[]')
        FROM jsonb_array_elements(payload -> '{name}') WITH ORDINALITY AS item(fields, place)
        WHERE jsonb_typeof(item.fields) = 'object'
    )) ELSE '{{}}' END"""  # noqa: S608 - of constants


@cache
def _payload() -> str:
    """SQL of the payload without the fields that may be personal."""
    parts = [_PRESERVED_FIELDS.format(fields="payload"), *map(_items, sorted(item_fields()))]
    return f"CASE WHEN jsonb_typeof(payload) = 'object' THEN {' || '.join(parts)} ELSE '{{}}' END"


_EVENTS = """
    UPDATE {table} SET user_id = NULL, session_id = NULL, path = NULL, label = NULL, payload = {payload},
        event_type = CASE WHEN event_type = ANY(:types) OR btrim(event_type) = '' THEN event_type ELSE :other_type END
    WHERE user_id = ANY(:users)
"""
_REJECTED = """
    UPDATE rejected_event
    SET event = jsonb_build_object('event_id', event -> 'event_id', 'received_at', event -> 'received_at')
    WHERE event -> 'user_id' = ANY(SELECT to_jsonb(unnest(CAST(:users AS bigint[]))))
"""


def anonymise(conn: Connection, user_ids: Collection[int]) -> int:
    """Remove the person from the events of ``user_ids`` in every table that holds them; returns the rows changed.

    Doing it again changes nothing. Concurrent calls are serialised: they may update the same rows.
    """
    kept = preserved_fields()
    numbers = [name for name, field in kept.items() if field.pattern is None]
    patterns = {name: field.pattern for name, field in kept.items() if field.pattern is not None}
    parameters = {"users": list(user_ids), "kept": numbers, "words": json.dumps(patterns)}
    parameters |= {"types": [event_type.value for event_type in EventType], "other_type": OTHER_TYPE}
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('ukok anonymise'))"))
    statements = [_EVENTS.format(table=table, payload=_payload()) for table in ("user_event", "fct_user_event")]
    return sum(conn.execute(text(statement), parameters).rowcount for statement in (*statements, _REJECTED))
