"""Clicks on recommendations as judgements: what was passed over, and what stood too low to be seen."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, insert

from artifacts.store import Store
from pipelines.train import ranker
from pipelines.train.clicks import Look, graded, looks, read_click_judgements
from pipelines.train.interactions import NotEnoughEvents
from sql.warehouse.events import FctUserEvent
from sql.warehouse.partitions import make_partitions

NOON = datetime(2025, 8, 6, 3, tzinfo=UTC)


CLICK = "user_activity_recommendation_click"


def shown(*numbers: int) -> dict[str, Any]:
    """Mall products in the order in which a broadcast product showed them."""
    impressions = [
        {"position": place, "product_id": number, "product_source": "kok", "reason": "similar"}
        for place, number in enumerate(numbers, start=1)
    ]
    return {"product_id": 9, "product_source": "hmall", "impressions": impressions}


def click(number: int) -> dict[str, Any]:
    return {"product_id": number, "product_source": "kok", "position": 1}


def test_what_stands_below_the_last_click_says_nothing() -> None:
    seen = looks("product_product_recommendation", "7", shown(1, 2, 3, 4), [click(3), click(1)])
    assert [(look.item, look.clicked) for look in seen] == [("kok:1", True), ("kok:2", False), ("kok:3", True)]
    assert list(looks("product_product_recommendation", "7", shown(1, 2), [click(7)])) == [], "it was not in the list"
    assert list(looks("product_product_recommendation", "7", shown(1, 2), [{}])) == []


def test_the_kinds_of_query_and_item_decide_what_is_judged() -> None:
    impression = {"position": 1, "recipe_id": 8, "reason": "similar"}
    recipes = {"product_id": 5, "product_source": "kok", "impressions": [impression]}
    (recipe,) = looks("product_recipe_recommendation", "7", recipes, [{"recipe_id": 8}])
    assert recipe == Look("product_recipes", "kok:5", "recipe:8", "7", clicked=True)
    (named,) = looks("ingredient_product_recommend", "7", shown(1) | {"ingredient": "감자"}, [{"kok_product_id": 1}])
    assert named == Look("ingredient_mall", "감자", "kok:1", "7", clicked=True)
    (mall,) = looks("product_product_recommendation", "7", shown(1) | {"product_source": "kok"}, [click(1)])
    assert (mall.name, mall.query) == ("mall_mall", "kok:9")


def test_grades_are_shares_of_looks_and_need_enough_of_them() -> None:
    def pair(item: str, clicks: int, passed: int) -> list[Look]:
        return [
            Look("mall_mall", "kok:9", item, str(number), clicked=number < clicks) for number in range(clicks + passed)
        ]

    found = graded(
        [
            *pair("kok:1", 2, 2),
            *pair("kok:2", 1, 5),
            *pair("kok:3", 0, 4),
            *pair("kok:4", 2, 0),
            *3 * pair("kok:5", 1, 1),
        ]
    )
    assert found["mall_mall"].grades == {"kok:9": {"kok:1": 2, "kok:2": 1, "kok:3": 0}}


def test_clicks_are_joined_to_the_lists_they_were_made_in(warehouse: Engine, service: Engine, store: Store) -> None:
    make_partitions(warehouse, [NOON.date()])
    rows = [_event(number, "product_product_recommendation", shown(1, 2, 3)) for number in range(4)]
    clicks = [click(2) | {"impression_id": str(UUID(int=number))} for number in range(4)]
    clicks += [click(2) | {"impression_id": "no id"}, click(2), click(2) | {"impression_id": str(UUID(int=999))}]
    # Of the users who were shown the lists, and of somebody else, whose clicks do not count.
    for first, payloads in ((0, clicks), (50, [click(1) | {"impression_id": str(UUID(int=n))} for n in range(4)])):
        made = (_event(100 + first + n, CLICK, payload) for n, payload in enumerate(payloads))
        rows += [event | {"user_id": first + n} for n, event in enumerate(made)]
    with warehouse.begin() as conn:
        conn.execute(insert(FctUserEvent), rows)
    assert read_click_judgements(warehouse)["broadcast_mall"].grades == {"hmall:9": {"kok:1": 0, "kok:2": 2}}
    outcome = ranker.train(service, warehouse, store, [], NOON)
    assert isinstance(outcome, NotEnoughEvents)
    assert str(outcome) == "not enough events: 2 of clicks, as graded pairs of a relation, 300 are needed"
    assert list(store.list("models/")) == []


def _event(number: int, event_type: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "day": NOON.date(),
        "event_id": UUID(int=number),
        "received_at": NOON,
        "occurred_at": None,
        "user_id": number,
        "session_id": None,
        "event_type": event_type,
        "path": None,
        "label": None,
        "payload": payload,
    }
