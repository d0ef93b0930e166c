"""Products to answer with: those of a release, and those that are new since, ranked by the same code."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.models.neighbours import BY_TEXT
from recommender.models.vector_index import IndexKind
from recommender.product_ref import KOK, ProductRef
from recommender.relations.rank import rank
from recommender.relations.ranker import Ranker
from recommender.relations.similar_products import SimilarProducts
from recommender.relations.space import ProductMatrix

Target = Literal["kok", "home_shopping"]


class Offer(NamedTuple):
    """A product that answers a query.

    ``reason`` is the number of the query's main ingredient if the product holds it, else BY_TEXT; listings of the same
    item share an ``item``.
    """

    product: ProductRef
    score: float
    reason: int
    item: int


@dataclass(frozen=True)
class OfferedProducts:
    """Products with their rows; immutable, and few queries at a time are asked."""

    products: Sequence[ProductRef]
    rows: ProductMatrix

    def best(
        self, ranker: Ranker, queries: ProductMatrix, k: int, target: Target | None = None
    ) -> list[tuple[Offer, ...]]:
        """The ``k`` best products of ``target``, by default of any source, for each query."""
        candidates, positions = self._of_target[target]
        items = candidates.targets.items
        ranked = rank(candidates, ranker, queries, k, items=items, own=queries.items)
        return [
            tuple(self.offer(int(positions[found.row]), found.score, int(main)) for found in each)
            for each, main in zip(ranked, queries.mains, strict=True)
        ]

    def offer(self, row: int, score: float, main: int) -> Offer:
        """The product at ``row`` as an answer to a query with the main ingredient ``main``."""
        holds = main >= 0 and self.rows.ingredients[row, main] > 0
        return Offer(self.products[row], score, main if holds else BY_TEXT, int(self.rows.items[row]))

    @cached_property
    def _of_target(self) -> dict[Target | None, tuple[SimilarProducts, NDArray[np.intp]]]:
        mall = np.array([product.source == KOK for product in self.products], np.bool_)
        rows: dict[Target | None, NDArray[np.intp]] = {
            KOK: np.flatnonzero(mall),
            "home_shopping": np.flatnonzero(~mall),
            None: np.arange(len(mall)),
        }
        return {target: (SimilarProducts(self.rows.take(each), IndexKind.FLAT), each) for target, each in rows.items()}


def merged(offers: Iterable[Offer], k: int) -> list[Offer]:
    """The ``k`` offers with the highest scores, one of each item; of equal ones the first."""
    best: dict[int, Offer] = {}
    for offer in sorted(offers, key=lambda each: -each.score):
        best.setdefault(offer.item, offer)
    return list(best.values())[:k]
