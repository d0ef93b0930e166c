"""Evaluation of recommended next items: what people took up after a cut in time, by what they took up before."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.results import NextItemFigures
from recommender.product_ref import ProductRef
from recommender.rankers.cases import BasketMatrix, Cases, Ranker
from recommender.rankers.personal import PersonalModel
from recommender.rankers.taken import Taken

FIRST: Final = 20
# People who are ranked for at a time; bounds the memory.
CHUNK: Final = 512
_DISCOUNTS: Final = 1 / np.log2(np.arange(FIRST) + 2)


@dataclass(frozen=True)
class NextItems:
    """People with their `history` (people, items), and the numbers of the items that are new to them after the cut.

    An item outside the candidates has no number: it is -1, and is missed by every method.
    """

    history: BasketMatrix
    new_items: tuple[frozenset[int], ...]

    def __len__(self) -> int:
        return len(self.new_items)


@dataclass(frozen=True)
class Person:
    """What somebody had taken at a cut in time, newest first, and what was new to them after it."""

    history: tuple[Taken, ...]
    wanted: frozenset[ProductRef]


@dataclass(frozen=True)
class PersonalCases:
    """People who came back after the ``cut`` (Unix time), and a model that has learnt what was before it.

    ``counts``: how often each product had been taken by then.
    """

    held_out: PersonalModel
    people: Sequence[Person]
    cut: float
    counts: Mapping[ProductRef, int]


class Hits(NamedTuple):
    """recall@20 and nDCG@20 (people,)."""

    recalls: NDArray[np.float64]
    gains: NDArray[np.float64]

    def figures(self) -> NextItemFigures:
        """Their means; 0 without people."""
        return NextItemFigures(recall_at_20=_mean(self.recalls), ndcg_at_20=_mean(self.gains))


def next_item_figures(ranker: Ranker, people: NextItems) -> NextItemFigures:
    """recall@20 and nDCG@20 of the items that are new to each person; every other candidate is ranked."""
    return next_item_hits(ranker, people).figures()


def next_item_hits(ranker: Ranker, people: NextItems) -> Hits:
    """How well a ranker finds the items that are new to each person; every other candidate is ranked."""
    lists: list[list[int]] = []
    for start in range(0, len(people), CHUNK):
        history = people.history[start : start + CHUNK]
        scores = ranker.scores(Cases(history, ("",) * history.shape[0]))
        scores = np.where(history.toarray() > 0, -np.inf, scores)
        lists += np.argsort(-scores, axis=1, kind="stable")[:, :FIRST].tolist()
    return hits(lists, people.new_items)


def suggested_hits(model: PersonalModel, people: Sequence[Person], now: float) -> Hits:
    """How well a model finds what is new to each person, asked at ``now``; what was taken is left out."""
    lists = model.suggest_unseen([person.history for person in people], now, FIRST)
    return hits(lists, [person.wanted for person in people])


def list_hits(products: Iterable[ProductRef], people: Sequence[Person]) -> Hits:
    """How well one list for everybody does, without what each person had taken."""
    ranked = list(products)
    lists = []
    for person in people:
        seen = {taken.product for taken in person.history}
        lists.append(list(islice((product for product in ranked if product not in seen), FIRST)))
    return hits(lists, [person.wanted for person in people])


def hits(lists: Sequence[Sequence[Hashable]], wanted: Sequence[AbstractSet[Hashable]]) -> Hits:
    """Hold the first items of each list against what is wanted of it."""
    recalls, gains = np.zeros(len(lists)), np.zeros(len(lists))
    for row, (items, those) in enumerate(zip(lists, wanted, strict=True)):
        found = np.array([item in those for item in items[:FIRST]], dtype=np.float64)
        if those:
            recalls[row] = found.sum() / len(those)
            gains[row] = found @ _DISCOUNTS[: len(found)] / _DISCOUNTS[: min(len(those), FIRST)].sum()
    return Hits(recalls, gains)


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 0.0
