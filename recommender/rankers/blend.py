"""The blend: rankers' scores, weighted by how well they predicted ingredients that were held out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recommender.models.recipe_corpus import RecipeCorpus
from recommender.models.word_vectors import WordVectors
from recommender.rankers.cases import Cases, Ranker, Scores, basket_matrix, named_basket_matrix
from recommender.rankers.config import BlendConfig, BlendWeights, RankerWeights
from recommender.rankers.ease import TitleEase, fit_ease, fit_title_ease
from recommender.rankers.item_knn import ItemToItem, Popularity, fit_item_knn, fit_popularity
from recommender.rankers.named import NamedInTitle
from recommender.rankers.nearest import NearestRecipes, inverse_document_frequency
from recommender.rankers.ngrams import fit_title_features
from recommender.rankers.word2vec import Word2Vec

# Weights of the standardised scores that choose which items of a case are compared.
CHOICE: Final = {"title_ease": 1.0, "ease": 0.5, "word2vec": 0.3, "nearest": 0.2}
# Added to a score before its logarithm: about the least probability that a ranker tells from none.
LEAST: Final = 0.01
# Cases that are scored at a time; bounds the memory.
CHUNK: Final = 512
# What puts an item that is not compared behind all that are.
BEHIND: Final = 1e4


@dataclass(frozen=True)
class Rankers:
    """The rankers of a blend, all over the same items."""

    item_knn: ItemToItem
    ease: ItemToItem
    word2vec: Word2Vec
    nearest: NearestRecipes
    title_ease: TitleEase
    popularity: Popularity
    named: NamedInTitle

    def by_name(self) -> dict[str, Ranker]:
        """The rankers by field name."""
        return {
            "item_knn": self.item_knn,
            "ease": self.ease,
            "word2vec": self.word2vec,
            "nearest": self.nearest,
            "title_ease": self.title_ease,
            "popularity": self.popularity,
            "named": self.named,
        }


@dataclass(frozen=True)
class ComparedItems:
    """Of some cases: `choice` (cases, items) orders all items; `items` (cases, n) are compared by `features`.

    `features` (cases, n, 2 · rankers) are the standardised score of each ranker and its logarithm, in turn.
    """

    choice: Scores
    items: NDArray[np.intp]
    features: NDArray[np.float32]


@dataclass(frozen=True)
class Blend:
    """Scores of the ingredients `names`; the `rankers` were fitted on the same names."""

    names: tuple[str, ...]
    rankers: Rankers
    weights: BlendWeights
    config: BlendConfig

    def scores(self, basket: Sequence[str], title: str = "") -> Scores:
        """Scores (names,) of the ingredients that complete a recipe; unknown names in `basket` are ignored."""
        known = sorted({self._numbers[name] for name in basket if name in self._numbers})
        scores: Scores = self.batch(Cases(basket_matrix([known], len(self.names)), (title,)))[0]
        return scores

    def complete(self, basket: Sequence[str], k: int, title: str = "") -> list[tuple[str, float]]:
        """The `k` ingredients that complete a recipe best and are not in it, with their scores."""
        scores, given = self.scores(basket, title), set(basket)
        ranked = ((self.names[item], float(scores[item])) for item in np.argsort(-scores, kind="stable").tolist())
        return [(name, score) for name, score in ranked if name not in given][:k]

    def batch(self, cases: Cases) -> Scores:
        """Scores (cases, names)."""
        scores = np.zeros(cases.given.shape, dtype=np.float32)
        titled, untitled = (weight_vector(each) for each in (self.weights.titled, self.weights.untitled))
        compared = compare_items(self.rankers.by_name(), cases, self.config.compared)
        for start, chunk in zip(range(0, len(cases), CHUNK), compared, strict=True):
            has_title = np.array([bool(title) for title in cases.titles[start : start + CHUNK]])
            weights = np.where(has_title[:, None], titled, untitled)
            part = chunk.choice - np.float32(BEHIND)
            np.put_along_axis(part, chunk.items, np.einsum("cif,cf->ci", chunk.features, weights), axis=1)
            scores[start : start + CHUNK] = part
        return scores

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
        fit_popularity(baskets),
        NamedInTitle(names),
    )


def compare_items(rankers: Mapping[str, Ranker], cases: Cases, compared: int) -> Iterator[ComparedItems]:
    """For each CHUNK of cases, the items that a simple sum of scores ranks first, and features to compare them by."""
    for start in range(0, len(cases), CHUNK):
        chunk = cases.rows(start, start + CHUNK)
        scores = {name: ranker.scores(chunk) for name, ranker in rankers.items()}
        scaled = {name: standardised(each, chunk) for name, each in scores.items()}
        choice = np.zeros(chunk.given.shape, dtype=np.float32)
        for name, weight in CHOICE.items():
            choice += np.float32(weight) * scaled[name]
        order = np.argsort(np.where(chunk.given.toarray() > 0, np.inf, -choice), axis=1, kind="stable")
        items = order[:, : min(compared, choice.shape[1])]
        columns = [
            np.take_along_axis(each, items, axis=1)
            for name in rankers
            for each in (scaled[name], np.log(np.maximum(scores[name], 0) + np.float32(LEAST)))
        ]
        yield ComparedItems(choice, items, np.stack(columns, axis=2))


def weight_vector(weights: RankerWeights) -> NDArray[np.float32]:
    """The weights in the order of the features of :class:`ComparedItems`."""
    return np.array(
        [value for weight in weights.by_name().values() for value in (weight.standardised, weight.logarithm)],
        dtype=np.float32,
    )


def standardised(scores: Scores, cases: Cases) -> Scores:
    """Each row with mean 0 and deviation 1 over the items that are not given; 0 for a row of equal scores."""
    open_items = 1.0 - cases.given.toarray()
    count = np.maximum(open_items.sum(axis=1, keepdims=True), 1.0)
    centred = scores - (scores * open_items).sum(axis=1, keepdims=True) / count
    deviation = np.sqrt((np.square(centred) * open_items).sum(axis=1, keepdims=True) / count)
    result: Scores = (centred / np.where(deviation > 1e-9, deviation, np.inf)).astype(np.float32)
    return result
