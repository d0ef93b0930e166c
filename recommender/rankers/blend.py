"""The blend: a weighted sum of standardised rankers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommender.models.recipe_corpus import RecipeCorpus
from recommender.models.word_vectors import WordVectors
from recommender.rankers.cases import Cases, Ranker, Scores, basket_matrix, named_basket_matrix
from recommender.rankers.config import BlendConfig, BlendWeights
from recommender.rankers.ease import TitleEase, fit_ease, fit_title_ease
from recommender.rankers.item_knn import ItemToItem, fit_item_knn
from recommender.rankers.nearest import NearestRecipes, inverse_document_frequency
from recommender.rankers.ngrams import fit_title_features
from recommender.rankers.word2vec import Word2Vec


@dataclass(frozen=True)
class Rankers:
    """The rankers of a blend, all over the same items."""

    item_knn: ItemToItem
    ease: ItemToItem
    word2vec: Word2Vec
    nearest: NearestRecipes
    title_ease: TitleEase

    def by_name(self) -> dict[str, Ranker]:
        """The rankers by field name."""
        return {
            "item_knn": self.item_knn,
            "ease": self.ease,
            "word2vec": self.word2vec,
            "nearest": self.nearest,
            "title_ease": self.title_ease,
        }


@dataclass(frozen=True)
class Blend:
    """Weighted sum of standardised scores over the ingredients `names`."""

    names: tuple[str, ...]
    rankers: Rankers
    weights: BlendWeights
    config: BlendConfig

    def scores(self, basket: Sequence[str], title: str = "") -> Scores:
        """Scores (names,) of the ingredients that complete a recipe; unknown names in `basket` are ignored."""
        known = sorted({self._numbers[name] for name in basket if name in self._numbers})
        scores: Scores = self.batch(Cases(basket_matrix([known], len(self.names)), (title,)))[0]
        return scores

    def batch(self, cases: Cases) -> Scores:
        """Scores (cases, names)."""
        has_title = np.array([bool(title) for title in cases.titles])
        titled, untitled = self.weights.titled.by_name(), self.weights.untitled.by_name()
        total = np.zeros(cases.given.shape, dtype=np.float32)
        for name, ranker in self.rankers.by_name().items():
            weights = np.where(has_title, titled[name], untitled[name]).astype(np.float32)
            if weights.any():
                total += weights[:, None] * standardised(ranker.scores(cases), cases)
        return total

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.names)}


def fit_rankers(corpus: RecipeCorpus, names: tuple[str, ...], vectors: WordVectors, config: BlendConfig) -> Rankers:
    """Fit the rankers of a blend on `corpus`, over the items `names`; `vectors` are already trained."""
    baskets = named_basket_matrix(corpus.baskets, names)
    features = fit_title_features(corpus.titles, config.title_features)
    return Rankers(
        fit_item_knn(baskets),
        fit_ease(baskets, config.ease),
        Word2Vec(*vectors.aligned(names)),
        NearestRecipes(
            config.nearest, baskets, inverse_document_frequency(baskets), features, features.transform(corpus.titles)
        ),
        fit_title_ease(baskets, corpus.titles, features, config.title_ease),
    )


def standardised(scores: Scores, cases: Cases) -> Scores:
    """Each row with mean 0 and deviation 1 over the items that are not given; 0 for a row of equal scores."""
    open_items = 1.0 - cases.given.toarray()
    count = np.maximum(open_items.sum(axis=1, keepdims=True), 1.0)
    centred = scores - (scores * open_items).sum(axis=1, keepdims=True) / count
    deviation = np.sqrt((np.square(centred) * open_items).sum(axis=1, keepdims=True) / count)
    result: Scores = (centred / np.where(deviation > 1e-9, deviation, np.inf)).astype(np.float32)
    return result
