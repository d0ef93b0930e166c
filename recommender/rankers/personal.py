"""What somebody takes next: EASE from the last things taken, the newer the more, and what is popular at the time."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.product_ref import ProductRef
from recommender.rankers.cases import Scores
from recommender.rankers.config import RankerConfig
from recommender.rankers.taken import Taken

DAY: Final = 86_400.0
MODEL: Final = "model.npz"
CONFIG: Final = "config.json"
# Largest weights of a product that are kept: more find nothing more, and fewer fit into memory.
KEPT: Final = 100
# People who are ranked for at a time; bounds the memory.
CHUNK: Final = 512


class Suggestion(NamedTuple):
    """A product with its score in 0 … 1; ``popular_only`` where nothing of the history speaks for it."""

    product: ProductRef
    score: float
    popular_only: bool


class PersonalConfig(RankerConfig):
    """How a history is weighed.

    Of the last ``history`` things one counts half as much as one that is ``half_life_days`` younger. People who
    took a product make it popular, with the half-life ``popularity_half_life_days``; ``popularity_weight`` is the
    weight of that beside the history. ``new_share``: share of what people took next that nobody had taken before.
    """

    history: int = 20
    half_life_days: float = 180.0
    popularity_half_life_days: float = 7.0
    popularity_weight: float = 1.0
    new_share: float = 0.0


@dataclass(frozen=True)
class PersonalModel:
    """Products with ``weights`` (taken, suggested) and ``popularity`` (products,) in 0 … 1."""

    config: PersonalConfig
    products: tuple[ProductRef, ...]
    weights: sp.csr_array
    popularity: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Raise ValueError if the parts do not fit together or hold values that nothing can be ranked by."""
        count = len(self.products)
        if not count:
            raise ValueError("personal: it has no products")
        if len(set(self.products)) != count:
            raise ValueError("personal: products are repeated")
        if self.weights.shape != (count, count):
            raise ValueError(f"personal: weights have the shape {self.weights.shape}, expected {(count, count)}")
        if self.popularity.shape != (count,):
            raise ValueError(f"personal: popularity has the shape {self.popularity.shape}, expected {(count,)}")
        for name, values in (("weights", self.weights.data), ("popularity", self.popularity)):
            if not np.isfinite(values).all() or (values < 0).any():
                raise ValueError(f"personal: {name} are not all finite and positive")
        if self.popularity.max() > 1:
            raise ValueError("personal: popularity exceeds 1")

    @cached_property
    def products_known(self) -> frozenset[object]:
        """The products, to look things up in that may be no products."""
        return frozenset(self.products)

    def history_scores(self, histories: sp.csr_array) -> Scores:
        """Scores (people, products) of weighed histories (people, products); the best product of each has 1."""
        scores = np.asarray((histories @ self.weights).toarray(), np.float32)
        highest = scores.max(axis=1, keepdims=True)
        return np.asarray(np.divide(scores, highest, out=np.zeros_like(scores), where=highest > 0), np.float32)

    def scores(self, histories: sp.csr_array) -> Scores:
        """Scores (people, products) in 0 … 1 of weighed histories (people, products)."""
        weight = self.config.popularity_weight
        scores = (self.history_scores(histories) + weight * self.popularity) / (1 + weight)
        return np.asarray(scores, np.float32)

    def histories(self, people: Sequence[Sequence[Taken]], now: float) -> sp.csr_array:
        """The last known things of each person's history, newest first, weighed by their age at ``now``."""
        entries = [
            (person, self._rows[taken.product], 0.5 ** (max(now - taken.at, 0.0) / DAY / self.config.half_life_days))
            for person, history in enumerate(people)
            for taken in self._last(history)
        ]
        rows, columns, weights = zip(*entries, strict=True) if entries else ((), (), ())
        shape = (len(people), len(self.products))
        return sp.csr_array((np.array(weights, np.float32), (np.array(rows, int), np.array(columns, int))), shape=shape)

    def suggest(self, history: Sequence[Taken], now: float) -> Iterator[Suggestion]:
        """Products, best first, for a history that is ordered from the newest; those of the history among them."""
        histories = self.histories([history], now)
        scores, from_history = self.scores(histories)[0], self.history_scores(histories)[0]
        for row in np.argsort(-scores, kind="stable").tolist():
            yield Suggestion(self.products[row], float(scores[row]), popular_only=not from_history[row])

    def suggest_unseen(self, people: Sequence[Sequence[Taken]], now: float, k: int) -> list[list[ProductRef]]:
        """The first ``k`` of :meth:`suggest` for each history that are not in it."""
        lists: list[list[ProductRef]] = []
        for start in range(0, len(people), CHUNK):
            part = people[start : start + CHUNK]
            scores = self.scores(self.histories(part, now))
            for row, history in enumerate(part):
                scores[row, [self._rows[taken.product] for taken in history if taken.product in self._rows]] = -np.inf
            # Of equal scores the first product, as a stable sort has it.
            order = _highest(scores, k)
            lists += [[self.products[column] for column in columns] for columns in order.tolist()]
        return lists

    def because(self, history: Sequence[Taken], product: ProductRef, now: float) -> ProductRef | None:
        """What of the history speaks most for a product; None if nothing does."""
        histories = self.histories([history], now)
        added = histories.data * self.weights[histories.indices][:, [self._rows[product]]].toarray().ravel()
        return self.products[histories.indices[int(np.argmax(added))]] if added.size and added.max() > 0 else None

    def popular(self) -> Iterator[ProductRef]:
        """Products that people have taken lately, most first."""
        order = np.argsort(-self.popularity, kind="stable")
        return (self.products[row] for row in order.tolist() if self.popularity[row] > 0)

    def write(self, folder: Path) -> None:
        """Write the files of the model into ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG).write_text(self.config.model_dump_json(indent=2), encoding="utf-8")
        weights = self.weights
        parts = {"data": weights.data, "indices": weights.indices, "indptr": weights.indptr}
        np.savez_compressed(
            folder / MODEL,
            allow_pickle=False,
            product_sources=np.array([product.source for product in self.products], np.str_),
            product_ids=np.array([product.product_id for product in self.products], np.int64),
            popularity=self.popularity,
            **{f"weights.{name}": array for name, array in parts.items()},
        )

    @classmethod
    def read(cls, folder: Path) -> "PersonalModel":
        """Read the files that :meth:`write` wrote; raises ValueError, KeyError or OSError for others."""
        config = PersonalConfig.model_validate(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
        with np.load(folder / MODEL, allow_pickle=False) as arrays:
            pairs = zip(arrays["product_sources"].tolist(), arrays["product_ids"].tolist(), strict=True)
            products = tuple(ProductRef(*pair) for pair in pairs)
            parts = (arrays["weights.data"], arrays["weights.indices"], arrays["weights.indptr"])
            weights = sp.csr_array(parts, shape=(len(products), len(products)))
            weights.check_format(full_check=True)
            return cls(config, products, weights, arrays["popularity"])

    @cached_property
    def _rows(self) -> dict[ProductRef, int]:
        return {product: row for row, product in enumerate(self.products)}

    def _last(self, history: Sequence[Taken]) -> Sequence[Taken]:
        return [taken for taken in history if taken.product in self._rows][: self.config.history]


def largest_weights(weights: NDArray[np.float32], kept: int = KEPT) -> sp.csr_array:
    """The ``kept`` largest positive weights of each row (taken,) of a square matrix."""
    positive = np.maximum(weights, 0)
    if positive.shape[1] > kept:
        least = np.partition(positive, -kept, axis=1)[:, -kept][:, None]
        positive = np.where(positive >= least, positive, 0)
    return sp.csr_array(positive.astype(np.float32))


def recent_popularity(
    rows: NDArray[np.intp], ages: NDArray[np.float64], half_life: float, products: int
) -> NDArray[np.float32]:
    """Popularity (products,) in 0 … 1: the logarithm of people (rows of products), halved by ``ages`` in days."""
    counts = np.log1p(np.bincount(rows, weights=0.5 ** (ages / half_life), minlength=products))
    highest = counts.max(initial=0.0)
    return np.asarray(counts / highest if highest > 0 else counts, np.float32)


def _highest(scores: Scores, k: int) -> NDArray[np.intp]:
    """Columns (rows, k) of the highest scores, best first, equal ones in order."""
    k = min(k, scores.shape[1])
    least = np.partition(scores, -k, axis=1)[:, -k][:, None]
    found = np.zeros((len(scores), k), np.intp)
    for row, values in enumerate(scores):
        columns = np.flatnonzero(values >= least[row])
        found[row] = columns[np.argsort(-values[columns], kind="stable")][:k]
    return found
