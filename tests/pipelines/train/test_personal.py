"""Training of the personal model: on whom it is measured, what it learns, and what is said of too little."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from artifacts.store import Store
from pipelines.train import personal
from pipelines.train.interactions import Interaction, NotEnoughEvents
from pipelines.train.item2vec import Limits, frequent_items
from pipelines.train.models import SavedModel
from pipelines.train.personal import fit, learn, newest_personal, people_after, personal_cases, steadiest
from recommender.evaluation.next_items import list_hits, suggested_hits
from recommender.product_ref import ProductRef
from recommender.rankers.personal import DAY, PersonalConfig
from recommender.rankers.taken import Taken
from tests.builders.shoppers import visits

NOON = datetime(2025, 8, 6, 3, tzinfo=UTC)


SHELVES = [[ProductRef("kok", 100 * shelf + number) for number in range(30)] for shelf in range(6)]


def test_people_are_asked_about_what_was_new_to_them_after_the_cut() -> None:
    steps = [("a", 1, "kok:1"), ("a", 3, "kok:2"), ("a", 2, "kok:3"), ("a", 4, "kok:1"), ("a", 11, "kok:1")]
    later = [("a", 12, "kok:4"), ("b", 13, "kok:5"), ("c", 1, "kok:1"), ("c", 11, "kok:1")]
    (person,) = people_after([Interaction(who, at, item) for who, at, item in [*steps, *later]], 10)
    assert person.history == tuple(Taken(ProductRef("kok", number), at) for number, at in ((1, 4), (2, 3), (3, 2)))
    assert person.wanted == {ProductRef("kok", 4)}, "b is new, and c came back for what c had"


def test_the_history_and_what_is_popular_are_learnt() -> None:
    interactions = visits(SHELVES, fashion=0.4)
    learnt = learn(interactions, Limits())
    assert not isinstance(learnt, NotEnoughEvents)
    model, held_out, figures = learnt
    assert (figures.events, figures.tested > 100, figures.repeated > 0) == (len(interactions), True, True)
    people = people_after(interactions, figures.learnt_until)
    assert suggested_hits(held_out, people, figures.learnt_until).figures() == figures.served
    popular = list_hits(held_out.popular(), people).figures()
    assert figures.served.recall_at_20 > popular.recall_at_20 + 0.1
    assert model.config.popularity_half_life_days < 1000, "fashions change"
    assert len(model.products) >= len(held_out.products)


def test_somebody_who_reloads_a_page_does_not_make_it_popular() -> None:
    taken = [Interaction(f"p{number}", number, item) for number in range(5) for item in ("kok:1", "kok:3")]
    taken += [Interaction(f"p{number}", number, "kok:2") for number in range(3)]
    reloaded = [Interaction("p0", 6, item) for item in ("kok:2", "kok:4") for _ in range(500)]
    assert frequent_items([*taken, *reloaded], Limits()) == ("kok:1", "kok:3", "kok:2")
    model = fit([*taken, *reloaded], 10, PersonalConfig(), Limits())
    assert next(model.popular()) == ProductRef("kok", 1)


def test_of_values_that_are_as_good_the_first_is_chosen() -> None:
    steady = np.array([0.4, 0.6, 0.5, 0.5])
    assert steadiest({90.0: steady, 1.0: steady + np.array([0.1, -0.09, 0.05, -0.04])}) == 90.0
    assert steadiest({90.0: steady - 0.3, 7.0: steady, 1.0: steady - 0.1}) == 7.0


@pytest.mark.parametrize(
    ("interactions", "message"),
    [
        (visits(SHELVES, 10), "not enough events: 80 of products, 1,000 are needed"),
        (
            [Interaction(f"p{number}", number * DAY, "kok:1") for number in range(1200)],
            "not enough events: 0 of people who came back later, 20 are needed",
        ),
        (
            [Interaction(f"p{number % 100}", number * DAY, f"kok:{number}") for number in range(2000)],
            "not enough events: 0 of products that 3 people took, 1 are needed",
        ),
    ],
)
def test_too_little_is_said(interactions: list[Interaction], message: str) -> None:
    assert str(learn(interactions, Limits())) == message


def test_a_model_of_purchases_is_stored_with_its_cases(warehouse: Engine, store: Store, tmp_path: Path) -> None:
    assert newest_personal(store, tmp_path / "none") is None
    file = tmp_path / "purchases.csv"
    rows = [f"{each.person},{each.item},{each.time}" for each in visits(SHELVES, 150)]
    file.write_text("\n".join(["user_id,item_id,time", *rows]), encoding="utf-8")
    saved = personal.train(warehouse, store, NOON, file)
    assert isinstance(saved, SavedModel)
    trained = newest_personal(store, tmp_path / "newest")
    assert trained is not None
    assert trained.version == saved.version
    cases = personal_cases(trained, warehouse, file)
    assert len(cases.people) == saved.figures.tested
    assert suggested_hits(trained.held_out, cases.people, cases.cut).figures() == saved.figures.served
