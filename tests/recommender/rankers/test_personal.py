"""The personal model: how a history is weighed, its files, and what is no model."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from recommender.product_ref import ProductRef
from recommender.rankers.personal import DAY, PersonalConfig, PersonalModel, largest_weights, recent_popularity
from recommender.rankers.taken import Taken
from tests.builders.personal import model

NOW = 1_000 * DAY
PRODUCTS = [("kok", number) for number in range(6)]
# Of 0 goes 2, of 1 goes 3; 4 is popular.
SMALL = model(PRODUCTS, {(0, 2): 0.5, (1, 3): 0.5}, popular=(4,))


def kok(number: int) -> ProductRef:
    return ProductRef("kok", number)


def taken(number: int, days_ago: float) -> Taken:
    return Taken(kok(number), NOW - days_ago * DAY)


def with_config(**changes: float) -> PersonalModel:
    return replace(SMALL, config=PersonalConfig().model_copy(update=changes))


def test_of_two_things_the_newer_one_counts_more() -> None:
    history = [taken(0, 1), taken(1, 400)]
    first = [each.product for each in SMALL.suggest(history, NOW)]
    assert first.index(kok(2)) < first.index(kok(3))
    swapped = [each.product for each in SMALL.suggest([taken(1, 1), taken(0, 400)], NOW)]
    assert swapped.index(kok(3)) < swapped.index(kok(2))


def test_the_weight_of_popularity_decides_beside_the_history() -> None:
    history = [taken(0, 1), taken(1, 400)]
    assert next(with_config(popularity_weight=0.1).suggest(history, NOW)).product == kok(2)
    assert next(with_config(popularity_weight=3.0).suggest(history, NOW)).product == kok(4)


def test_what_nothing_of_the_history_speaks_for_is_only_popular() -> None:
    found = {each.product: each for each in SMALL.suggest([taken(0, 1)], NOW)}
    assert (found[kok(4)].popular_only, found[kok(2)].popular_only) == (True, False)
    assert SMALL.because([taken(1, 5), taken(0, 1)], kok(2), NOW) == kok(0)
    assert SMALL.because([taken(0, 1)], kok(4), NOW) is None
    assert SMALL.because([], kok(4), NOW) is None
    assert list(SMALL.popular()) == [kok(4)]


def test_only_the_last_known_things_count() -> None:
    history = [Taken(ProductRef("hmall", 9), NOW), taken(0, 1), taken(1, 1)]
    one = with_config(history=1, popularity_weight=0.0)
    assert [each.product for each in one.suggest(history, NOW) if not each.popular_only] == [kok(2)]


def test_many_are_answered_as_one_is() -> None:
    random = np.random.default_rng(3)
    weights = {(a, b): float(random.random()) for a, b in random.integers(0, 6, (20, 2)).tolist()}
    small = model(PRODUCTS, weights, popular=(1, 4))
    people = [
        [taken(int(number), float(age)) for age, number in enumerate(random.permutation(6)[:3])] for _ in range(9)
    ]
    for history, many in zip(people, small.suggest_unseen(people, NOW, 2), strict=True):
        seen = {each.product for each in history}
        assert many == [each.product for each in small.suggest(history, NOW) if each.product not in seen][:2]


def test_popularity_follows_the_last_days() -> None:
    rows, ages = np.array([0, 0, 0, 1], np.intp), np.array([30.0, 30.0, 30.0, 0.0])
    assert recent_popularity(rows, ages, 3.0, 3).round(3).tolist() == [pytest.approx(0.004, abs=1e-3), 1.0, 0.0]
    assert recent_popularity(rows, ages, 1000.0, 3).argmax() == 0


def test_the_largest_positive_weights_are_kept() -> None:
    weights = np.array([[0.0, 0.3, 0.2, -0.5], [0.1, 0.0, 0.0, 0.0]], np.float32)
    kept = largest_weights(np.vstack([weights, weights]), 1).toarray()
    assert np.allclose(kept[:2], [[0, 0.3, 0, 0], [0.1, 0, 0, 0]])


def test_files_are_read_as_they_were_written(tmp_path: Path) -> None:
    SMALL.write(tmp_path)
    read = PersonalModel.read(tmp_path)
    assert (read.config, read.products) == (SMALL.config, SMALL.products)
    assert np.array_equal(read.weights.toarray(), SMALL.weights.toarray())
    assert np.array_equal(read.popularity, SMALL.popularity)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"products": ()}, "it has no products"),
        ({"products": SMALL.products[:5] + SMALL.products[:1]}, "products are repeated"),
        ({"weights": sp.csr_array((6, 5), dtype=np.float32)}, r"weights have the shape \(6, 5\), expected \(6, 6\)"),
        ({"popularity": np.ones(5, np.float32)}, r"popularity has the shape \(5,\), expected \(6,\)"),
        ({"weights": SMALL.weights * np.float32(np.nan)}, "weights are not all finite and positive"),
        ({"weights": -SMALL.weights}, "weights are not all finite and positive"),
        ({"popularity": np.full(6, np.inf, np.float32)}, "popularity are not all finite and positive"),
        ({"popularity": np.full(6, 2, np.float32)}, "popularity exceeds 1"),
    ],
)
def test_what_cannot_be_ranked_by_is_no_model(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **change)
