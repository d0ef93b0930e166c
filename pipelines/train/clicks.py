"""What visitors chose from recommended lists and what they passed over, as judgements for the rankers.

A click names the response that showed the item. Of that list only what stood above the last click has surely been
looked at: what was not clicked there was passed over, what stood below says nothing. So an item is not punished for its
place.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Engine, String, cast, func, or_, select
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import aliased

from recommender.evaluation.answers import product_item, recipe_item
from recommender.evaluation.judgements import Judgements
from recommender.product_ref import KOK, ProductRef
from sql.warehouse.event_types import EventType
from sql.warehouse.events import FctUserEvent

# A pair that fewer visitors have looked at says nothing.
MIN_LOOKS: Final = 3
# Share of the visitors who clicked: from GOOD on it is right, from ACCEPTABLE on acceptable, else wrong.
GOOD: Final = 0.4
ACCEPTABLE: Final = 0.1
# Events that show a list for something, and the files of judgements that their pairs would stand in.
_SHOWN: Final = (
    EventType.HOMESHOPPING_KOK_RECOMMENDATION,
    EventType.HOMESHOPPING_RECIPE_RECOMMENDATION,
    EventType.PRODUCT_PRODUCT_RECOMMENDATION,
    EventType.PRODUCT_RECIPE_RECOMMENDATION,
    EventType.INGREDIENT_PRODUCT_RECOMMEND,
)
_PATTERN: Final = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
Payload = Mapping[str, Any]


class Look(NamedTuple):
    """A visitor looked at an item of a list for a query, and clicked it or not; ``name`` as in judgements."""

    name: str
    query: str
    item: str
    visitor: str
    clicked: bool


def read_click_judgements(warehouse: Engine) -> dict[str, Judgements]:
    """Read the clicks on recommendations, with the lists that they were made in, as judgements by name."""
    click, shown = aliased(FctUserEvent), aliased(FctUserEvent)
    response = click.payload["impression_id"].astext
    visitor = func.coalesce(cast(shown.user_id, String), "session " + shown.session_id)
    query = select(shown.event_id, visitor, shown.event_type, shown.payload, click.payload).where(
        click.event_type == EventType.USER_ACTIVITY_RECOMMENDATION_CLICK,
        response.regexp_match(_PATTERN),
        shown.event_id == cast(response, UUID(as_uuid=True)),
        shown.event_type.in_(_SHOWN),
        visitor.is_not(None),
        # Whoever was shown the list: a click of somebody else is made up.
        shown.user_id.is_not_distinct_from(click.user_id),
        or_(shown.user_id.is_not(None), shown.session_id == click.session_id),
    )
    lists: dict[object, tuple[str, str, Payload, list[Payload]]] = {}
    with warehouse.connect() as conn:
        # In a fixed order, so that the same clicks give the same judgements whatever the plan of the query.
        for event_id, who, kind, payload, clicked in conn.execute(query.order_by(shown.event_id, click.event_id)):
            lists.setdefault(event_id, (kind, who, payload, []))[3].append(clicked)
    return graded(look for listed in lists.values() for look in looks(*listed))


def looks(event_type: str, visitor: str, shown: Payload, clicks: Sequence[Payload]) -> Iterator[Look]:
    """What was looked at in one list: what was clicked, and what stood above the last click."""
    query = _query(event_type, shown)
    listed = sorted(shown.get("impressions", ()), key=lambda each: int(each["position"]))
    items = [_item(each) for each in listed]
    clicked = {_item(each) for each in clicks} - {None}
    last = max((place for place, item in enumerate(items) if item in clicked), default=-1)
    for item in items[: last + 1]:
        if item and query and (name := _name(query, item)):
            yield Look(name, query, item, visitor, item in clicked)


def graded(seen: Iterable[Look]) -> dict[str, Judgements]:
    """Grade the pairs that enough visitors have looked at by the share of them who clicked, once or more."""
    votes: dict[tuple[str, str, str], dict[str, bool]] = defaultdict(dict)
    for look in seen:
        by_visitor = votes[look.name, look.query, look.item]
        by_visitor[look.visitor] = look.clicked or by_visitor.get(look.visitor, False)
    found: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for (name, query, item), by_visitor in votes.items():
        clicks = by_visitor.values()
        if len(clicks) >= MIN_LOOKS:
            share = sum(clicks) / len(clicks)
            found[name][query][item] = 2 if share >= GOOD else 1 if share >= ACCEPTABLE else 0
    return {name: Judgements({query: dict(items) for query, items in pairs.items()}) for name, pairs in found.items()}


def _query(event_type: str, shown: Payload) -> str | None:
    if event_type == EventType.INGREDIENT_PRODUCT_RECOMMEND:
        return str(shown["ingredient"]) if shown.get("ingredient") else None
    return _item(shown)


def _item(fields: Payload) -> str | None:
    """The product or recipe that an event or impression names; shows by their product."""
    source, number, recipe = fields.get("product_source"), fields.get("product_id"), fields.get("recipe_id")
    if isinstance(number, int) and isinstance(source, str) and source:
        return product_item(ProductRef(source, number))
    if isinstance(number := fields.get("kok_product_id"), int):
        return product_item(ProductRef(KOK, number))
    return recipe_item(recipe) if isinstance(recipe, int) else None


def _name(query: str, item: str) -> str | None:
    """The name of the judgements of a pair; None for one that no ranker learns from."""
    source, _, _ = item.partition(":")
    if source == "recipe":
        return "product_recipes"
    if source != KOK:
        return None
    asked, colon, _ = query.partition(":")
    return "ingredient_mall" if not colon else "mall_mall" if asked == KOK else "broadcast_mall"
