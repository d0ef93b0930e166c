"""Simulated traffic: people who take products of their shelf, and what is in fashion."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from pipelines.train.interactions import Interaction
from recommender.product_ref import ProductRef, item_name
from recommender.rankers.personal import DAY

# Days for which two products are in fashion.
FASHION: Final = 21


def visits(
    shelves: Sequence[Sequence[ProductRef]], people: int = 300, days: int = 60, fashion: float = 0.3
) -> list[Interaction]:
    """Eight products of each person, on days of their own; a share of them are the two products in fashion."""
    random = np.random.default_rng(5)
    everything = [product for shelf in shelves for product in shelf]
    fashions = [random.choice(len(everything), 2, replace=False).tolist() for _ in range(days // FASHION + 1)]
    found = []
    for person in range(people):
        shelf = shelves[person % len(shelves)]
        for day in random.choice(days, 8, replace=False).tolist():
            if random.random() < fashion:
                product = everything[fashions[day // FASHION][int(random.integers(2))]]
            else:
                product = shelf[int(random.integers(len(shelf)))]
            found.append(Interaction(f"p{person:03}", day * DAY + person, item_name(product)))
    return found
