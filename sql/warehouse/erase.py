"""Events of people who deleted their accounts: kept for what happened, without who it was."""

import json
from collections.abc import Collection

from sqlalchemy import Connection, text

# Of a payload only this stays: numbers, and lists of numbers, that say which goods it was and where they stood. Any
# other field may hold a name, and so may the words of a label, the path of a page and a keyword.
KEPT = (
    "recipe_id",
    "recipe_ids",
    "anchor_recipe_id",
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
# And these words, which are the system's own: a release is called by a time and a hash, a source in small letters.
KEPT_WORDS = {
    "release_version": "^[0-9]{8}T[0-9]{6}Z-[0-9a-f]+$",
    "source": "^[a-z_]{1,20}$",
    "product_source": "^[a-z_]{1,20}$",
}

# A type stays if the API gives it by itself or the frontend is known to send it; whatever else a client calls an event
# may hold a name. One of blanks stays as well, or ingestion would accept what it refused before.
KEPT_TYPES = (
    "homeshopping_kok_recommendation",
    "homeshopping_product_detail_view",
    "homeshopping_recipe_recommendation",
    "homeshopping_schedule_view",
    "homeshopping_search",
    "homeshopping_search_history_delete",
    "homeshopping_search_history_save",
    "homeshopping_search_history_view",
    "ingredient_product_recommend",
    "ingredient_substitutes_view",
    "kok_cart_recipe_recommend",
    "kok_discounted_products_view",
    "kok_homeshopping_recommendation",
    "kok_product_details_view",
    "kok_product_info_view",
    "kok_product_reviews_view",
    "kok_product_search",
    "kok_product_tabs_view",
    "kok_search_history_delete",
    "kok_search_history_save",
    "kok_search_history_view",
    "kok_store_best_items_view",
    "kok_top_selling_products_view",
    "personal_product_recommendation",
    "personal_recipe_recommendation",
    "product_product_recommendation",
    "product_recipe_recommendation",
    "recipe_detail_view",
    "recipe_ingredients_status_view",
    "recipe_product_recommendation",
    "recipe_rating_create",
    "recipe_rating_view",
    "recipe_search_by_ingredients",
    "recipe_search_by_keyword",
    "recipe_url_view",
    "recommend_search",
    "user_activity_navigation_click",
    "user_activity_recommendation_click",
    "user_activity_user_login",
    "user_info_view",
    "user_login",
    "user_logout",
    "user_signup",
)
OTHER_TYPE = "user_activity"

_GOODS = """(
    SELECT coalesce(jsonb_object_agg(field.key, field.value), '{{}}')
    FROM jsonb_each({fields}) AS field
    WHERE field.key = ANY(:kept) AND (
            jsonb_typeof(field.value) = 'number'
            OR jsonb_typeof(field.value) = 'array' AND NOT field.value @? '$[*] ? (@.type() != "number")'
        )
        OR jsonb_typeof(field.value) = 'string'
            AND field.value #>> '{{}}' ~ (CAST(:words AS jsonb) ->> field.key)
)"""


def _listed(name: str) -> str:
    """The field ``name``, if it is a list of goods: each with the fields above."""
    return f"""CASE WHEN jsonb_typeof(payload -> '{name}') = 'array' THEN jsonb_build_object('{name}', (
        SELECT coalesce(jsonb_agg({_GOODS.format(fields="each.shown")} ORDER BY each.place), '[]')
        FROM jsonb_array_elements(payload -> '{name}') WITH ORDINALITY AS each(shown, place)
        WHERE jsonb_typeof(each.shown) = 'object'
    )) ELSE '{{}}' END"""  # noqa: S608 - of constants


_PAYLOAD = f"""
    CASE WHEN jsonb_typeof(payload) = 'object' THEN
        {_GOODS.format(fields="payload")} || {_listed("impressions")} || {_listed("cart")}
    ELSE '{{}}' END
"""
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
    """Take the person out of the events of ``user_ids``, wherever the warehouse holds them; how many rows changed.

    Doing it again changes nothing. Two at a time take turns, since they may meet in the same rows.
    """
    given = {"users": list(user_ids), "kept": list(KEPT), "words": json.dumps(KEPT_WORDS)}
    given |= {"types": list(KEPT_TYPES), "other_type": OTHER_TYPE}
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('ukok anonymise'))"))
    statements = [_EVENTS.format(table=table, payload=_PAYLOAD) for table in ("user_event", "fct_user_event")]
    return sum(conn.execute(text(statement), given).rowcount for statement in (*statements, _REJECTED))
