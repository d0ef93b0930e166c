"""The ranker that combines the others, and how it is kept in a release."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.rankers.cases import Cases, Ranker, Scores, baskets_of
from recommender.rankers.ease import TitleEase
from recommender.rankers.item_knn import ItemToItem
from recommender.rankers.nearest import NearestRecipes
from recommender.rankers.ngrams import TitleFeatures
from recommender.rankers.word2vec import Word2Vec


@dataclass(frozen=True)
class Parts:
    """The rankers of a blend, all over the same items."""

    item_knn: ItemToItem
    ease: ItemToItem
    word2vec: Word2Vec
    nearest: NearestRecipes
    title_ease: TitleEase

    def named(self) -> dict[str, Ranker]:
        """The rankers by name."""
        return {
            "item_knn": self.item_knn,
            "ease": self.ease,
            "word2vec": self.word2vec,
            "nearest": self.nearest,
            "title_ease": self.title_ease,
        }


@dataclass(frozen=True)
class Weights:
    """Weight of each ranker for cases with and without a title."""

    titled: Mapping[str, float]
    untitled: Mapping[str, float]


@dataclass(frozen=True)
class Blend:
    """Weighted sum of standardised scores over the ingredients `names`."""

    names: tuple[str, ...]
    parts: Parts
    weights: Weights

    def scores(self, basket: Sequence[str], title: str = "") -> Scores:
        """Scores (names,) of what completes a recipe with these ingredients; names it does not know are skipped."""
        known = sorted({self._numbers[name] for name in basket if name in self._numbers})
        scores: Scores = self.batch(Cases(baskets_of([known], len(self.names)), (title,)))[0]
        return scores

    def batch(self, cases: Cases) -> Scores:
        """Scores (cases, names)."""
        titled = np.array([bool(title) for title in cases.titles])
        total = np.zeros(cases.given.shape, dtype=np.float32)
        for name, ranker in self.parts.named().items():
            weights = np.where(titled, self.weights.titled[name], self.weights.untitled[name]).astype(np.float32)
            if weights.any():
                total += weights[:, None] * standardised(ranker.scores(cases), cases)
        return total

    def save(self, folder: Path) -> None:
        """Write the blend into ``folder``: blend.json and rankers.npz."""
        folder.mkdir(parents=True, exist_ok=True)
        parts = self.parts
        about = {
            "names": self.names,
            "weights": {"titled": dict(self.weights.titled), "untitled": dict(self.weights.untitled)},
            "grams": parts.title_ease.features.grams,
            "scale": parts.title_ease.scale,
        }
        (folder / "blend.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
        np.savez(
            folder / "rankers.npz",
            item_knn=parts.item_knn.weights,
            ease=parts.ease.weights,
            word2vec_input=parts.word2vec.inputs,
            word2vec_output=parts.word2vec.outputs,
            information=parts.nearest.weights,
            basket_starts=parts.nearest.baskets.indptr,
            basket_items=parts.nearest.baskets.indices,
            recipe_grams=parts.nearest.titles.indices,
            recipe_gram_starts=parts.nearest.titles.indptr,
            recipe_gram_values=parts.nearest.titles.data,
            title_weights=parts.title_ease.weights,
            gram_weights=parts.title_ease.features.weights,
        )

    @classmethod
    def load(cls, folder: Path) -> "Blend":
        """Read what :meth:`save` wrote."""
        about = json.loads((folder / "blend.json").read_text(encoding="utf-8"))
        with np.load(folder / "rankers.npz") as arrays:
            names = tuple(about["names"])
            baskets = _baskets(arrays["basket_starts"], arrays["basket_items"], len(names))
            features = TitleFeatures(tuple(about["grams"]), arrays["gram_weights"])
            titles = arrays["recipe_gram_values"], arrays["recipe_grams"], arrays["recipe_gram_starts"]
            shape = (baskets.shape[0], len(features.grams))
            parts = Parts(
                ItemToItem(arrays["item_knn"]),
                ItemToItem(arrays["ease"]),
                Word2Vec(arrays["word2vec_input"], arrays["word2vec_output"]),
                NearestRecipes(baskets, arrays["information"], features, sp.csr_array(titles, shape=shape)),
                TitleEase(features, about["scale"], arrays["title_weights"]),
            )
        return cls(names, parts, Weights(**about["weights"]))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.names)}


def standardised(scores: Scores, cases: Cases) -> Scores:
    """Each row with mean 0 and deviation 1 over the items that are not given; rows without information are 0."""
    open_items = 1.0 - cases.given.toarray()
    count = np.maximum(open_items.sum(axis=1, keepdims=True), 1.0)
    centred = scores - (scores * open_items).sum(axis=1, keepdims=True) / count
    deviation = np.sqrt((np.square(centred) * open_items).sum(axis=1, keepdims=True) / count)
    found: Scores = (centred / np.where(deviation > 1e-9, deviation, np.inf)).astype(np.float32)
    return found


def _baskets(starts: NDArray[np.int32], items: NDArray[np.int32], width: int) -> sp.csr_array:
    return sp.csr_array((np.ones(len(items), dtype=np.float32), items, starts), shape=(len(starts) - 1, width))
