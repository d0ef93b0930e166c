"""Events of people who deleted their accounts: kept for what happened, without who it was."""

from collections.abc import Collection

from sqlalchemy import Connection, text

# Of a payload only this stays: numbers, and lists of numbers, that say which goods it was and where they stood. Any
# other field may hold a name, and so may the words of a label, the path of a page and a keyword.
KEPT = (
    "recipe_id",
    "recipe_ids",
    "product_id",
    "product_ids",
    "kok_product_id",
    "kok_product_ids",
    "live_id",
    "live_ids",
    "homeshopping_id",
    "position",
    "positions",
    "rating",
    "result_count",
)
# What a release calls itself is made of a time and a hash.
RELEASE = "^[0-9]{8}T[0-9]{6}Z-[0-9a-f]+$"

_ONLY_GOODS = """
    CASE jsonb_typeof(payload) WHEN 'object' THEN (
        SELECT coalesce(jsonb_object_agg(field.key, field.value), '{}')
        FROM jsonb_each(payload) AS field
        WHERE field.key = ANY(:kept) AND (
                jsonb_typeof(field.value) = 'number'
                OR jsonb_typeof(field.value) = 'array' AND NOT field.value @? '$[*] ? (@.type() != "number")'
            )
            OR field.key = 'release_version' AND field.value #>> '{}' ~ :release
    ) ELSE '{}' END
"""
_EVENTS = """
    UPDATE {table} SET user_id = NULL, session_id = NULL, path = NULL, label = NULL, payload = {payload}
    WHERE user_id = ANY(:users)
"""
_REJECTED = """
    UPDATE rejected_event
    SET event = jsonb_build_object('event_id', event -> 'event_id', 'received_at', event -> 'received_at')
    WHERE event -> 'user_id' = ANY(SELECT to_jsonb(unnest(CAST(:users AS bigint[]))))
"""


def anonymise(conn: Connection, user_ids: Collection[int]) -> int:
    """Take the person out of the events of ``user_ids``, wherever the warehouse holds them; how many rows changed.

    Doing it again changes nothing. Two at a time take turns, since they may meet in the same rows.
    """
    given = {"users": list(user_ids), "kept": list(KEPT), "release": RELEASE}
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('ukok anonymise'))"))
    statements = [_EVENTS.format(table=table, payload=_ONLY_GOODS) for table in ("user_event", "fct_user_event")]
    return sum(conn.execute(text(statement), given).rowcount for statement in (*statements, _REJECTED))
