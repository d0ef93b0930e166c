"""Evaluation of recommended next items: what people took up after a cut in time, by what they took up before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from recommender.evaluation.results import NextItemFigures
from recommender.rankers.cases import BasketMatrix, Cases, Ranker

FIRST: Final = 20
# People who are ranked for at a time; bounds the memory.
CHUNK: Final = 512


@dataclass(frozen=True)
class NextItems:
    """People with their `history` (people, items), and the numbers of the items that are new to them after the cut.

    An item outside the candidates has no number: it is -1, and is missed by every method.
    """

    history: BasketMatrix
    new_items: tuple[frozenset[int], ...]

    def __len__(self) -> int:
        return len(self.new_items)


def next_item_figures(ranker: Ranker, people: NextItems) -> NextItemFigures:
    """recall@20 and nDCG@20 of the items that are new to each person; every other candidate is ranked."""
    recalls: list[float] = []
    gains: list[float] = []
    discounts = 1 / np.log2(np.arange(FIRST) + 2)
    for start in range(0, len(people), CHUNK):
        history, wanted = people.history[start : start + CHUNK], people.new_items[start : start + CHUNK]
        scores = ranker.scores(Cases(history, ("",) * len(wanted)))
        scores = np.where(history.toarray() > 0, -np.inf, scores)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :FIRST]
        for row, items in zip(order.tolist(), wanted, strict=True):
            hits = np.array([item in items for item in row], dtype=np.float64)
            recalls.append(_share(float(hits.sum()), len(items)))
            gains.append(_share(float(hits @ discounts[: len(hits)]), float(discounts[: min(len(items), FIRST)].sum())))
    return NextItemFigures(recall_at_20=_mean(recalls), ndcg_at_20=_mean(gains))


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0
