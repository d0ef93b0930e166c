"""item2vec: sessions of events and purchases, the split by time, and what is said where there is too little."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import Engine, insert

from artifacts.store import Store
from pipelines.train import item2vec
from pipelines.train.interactions import Interaction, NotEnoughEvents, read_purchases, read_views, sessions, time_split
from pipelines.train.item2vec import Limits
from pipelines.train.models import ModelCard, SavedModel, fetch_newest
from recommender.evaluation.results import Item2VecFigures
from recommender.models.item_vectors import product_vectors
from recommender.models.word_vectors import WordVectors
from recommender.product_ref import ProductRef, product_of
from sql.warehouse.events import FctUserEvent
from sql.warehouse.partitions import make_partitions

NOON = datetime(2025, 8, 6, 3, tzinfo=UTC)


def taken(person: str, *steps: tuple[int, str]) -> list[Interaction]:
    return [Interaction(person, minute * 60.0, item) for minute, item in steps]


def shoppers(people: int = 400) -> list[Interaction]:
    """Two kinds of people, each of whom takes the items of their kind, all in one session a day."""
    random = np.random.default_rng(5)
    found = []
    for person in range(people):
        shelf = [f"kok:{100 * (person % 2) + number}" for number in range(12)]
        for day in range(5):
            for place, number in enumerate(random.choice(12, 3, replace=False)):
                found.append(Interaction(f"p{person:03}", day * 86_400.0 + place, shelf[number]))
    return found


def test_a_pause_ends_a_session_and_single_items_are_left_out() -> None:
    one = taken("a", (0, "kok:1"), (29, "kok:2"), (30, "kok:1"), (61, "kok:3"), (91, "kok:4"), (122, "kok:5"))
    other = taken("b", (0, "kok:8"), (1, "kok:9"))
    assert sessions([*reversed(one), *other]) == [["kok:1", "kok:2"], ["kok:3", "kok:4"], ["kok:8", "kok:9"]]
    assert sessions([]) == []


def test_the_split_is_by_time_not_by_person() -> None:
    before, after = time_split(shoppers(), 0.8)
    assert max(each.time for each in before) < min(each.time for each in after)
    assert len({each.person for each in before} & {each.person for each in after}) > 100
    assert time_split([], 0.9) == ([], [])


def test_purchases_are_of_the_mall_unless_they_name_a_source(tmp_path: Path) -> None:
    file = tmp_path / "purchases.csv"
    file.write_text("user_id,item_id,time\n1,77,1357430400\n2,hmall:88,1357430401\n", encoding="utf-8")
    assert [(each.person, each.item) for each in read_purchases(file)] == [
        ("buyer 1", "kok:77"),
        ("buyer 2", "hmall:88"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user,item_id,time\n", "column user_id is missing; expected user_id, item_id, time"),
        ("user_id,item_id,time\n1,x,5\n", "line 2: 'kok:x' is no product"),
        ("user_id,item_id,time\n1,7,noon\n", "line 2: could not convert"),
        ("user_id,item_id,time\n1,7\n", "line 2: "),
    ],
)
def test_an_unreadable_purchase_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "purchases.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        list(read_purchases(file))


def test_products_of_a_shelf_are_near_and_next_items_are_found() -> None:
    interactions = shoppers()
    vectors = item2vec.fit(interactions, Limits())
    assert vectors is not None
    inputs, outputs = product_vectors(vectors, [ProductRef("kok", 1), ProductRef("kok", 2), ProductRef("kok", 101)])
    assert inputs[0] @ outputs[1] > inputs[0] @ outputs[2]
    assert not product_vectors(vectors, [ProductRef("hmall", 1)])[0].any()
    figures = item2vec.evaluate(interactions, Limits())
    assert figures.tested > 50
    assert set(figures.methods) == {"popularity", "item_knn", "ease", "item2vec"}
    assert figures.methods["item2vec"].ndcg_at_20 > figures.methods["popularity"].ndcg_at_20


def test_the_name_of_a_product_is_read_back() -> None:
    assert product_of("kok:1471015") == product_of(" KOK: 1471015") == ProductRef("kok", 1471015)
    for name in ("1471015", "kok:", ":1", "kok:1a", "kok:" + "9" * 19):
        with pytest.raises(ValueError, match="is no product"):
            product_of(name)


def test_a_fresh_system_says_that_events_are_missing(warehouse: Engine, store: Store) -> None:
    outcome = item2vec.train(warehouse, store, NOON)
    assert outcome == NotEnoughEvents(0, item2vec.MIN_EVENTS)
    assert str(outcome) == "not enough events: 0 of products, 1,000 are needed"
    assert list(store.list("models/")) == []


def test_sessions_of_events_are_learnt_and_stored(warehouse: Engine, store: Store, tmp_path: Path) -> None:
    make_partitions(warehouse, [NOON.date()])
    rows = [_event(number, person, item) for number, (person, item) in enumerate(_views(1200))]
    other = [
        _event(9001, 1, 1) | {"event_type": "kok_product_search", "payload": {"keyword": "감자"}},
        _event(9002, 1, 1) | {"event_type": "user_activity_recommendation_click", "payload": {"recipe_id": 5}},
    ]
    with warehouse.begin() as conn:
        conn.execute(insert(FctUserEvent), rows + other)
    assert len(list(read_views(warehouse))) == len(rows)
    saved = item2vec.train(warehouse, store, NOON)
    assert isinstance(saved, SavedModel)
    assert saved.figures.events == len(rows)
    model = fetch_newest(store, "item2vec", tmp_path, ModelCard[Item2VecFigures])
    assert {product_of(name).source for name in WordVectors.load(model.folder).names} == {"kok"}


def _views(count: int) -> list[tuple[int, int]]:
    return [(number // 6, (number // 6) % 2 * 10 + number % 6) for number in range(count)]


def _event(number: int, person: int, item: int) -> dict[str, Any]:
    at = NOON + timedelta(seconds=number)
    return {
        "day": NOON.date(),
        "event_id": UUID(int=number),
        "received_at": at,
        "occurred_at": None,
        "user_id": person if person % 3 else None,
        "session_id": None if person % 3 else f"s{person}",
        "event_type": "kok_product_info_view",
        "path": None,
        "label": None,
        "payload": {"kok_product_id": item},
    }
