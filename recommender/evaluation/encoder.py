"""Comparison of the sentence encoder with letters alone: what it adds to a relation, on texts that it did not learn.

A task turns a similarity of texts into a figure for each of its cases. Letters are character n-grams by TF-IDF; the
joined similarity is the plain sum of both cosines, with no weight to fit. The encoder is used for a relation where it,
or the sum, is better than letters by paired bootstrap.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from recommender.evaluation.metrics import mean_difference
from recommender.evaluation.proxies import evenly_spaced
from recommender.evaluation.results import EncoderComparison
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.rankers.bert import Encode, ingredient_text
from recommender.rankers.cases import BasketMatrix, named_basket_matrix
from recommender.rankers.config import TitleFeaturesConfig
from recommender.rankers.nearest import inverse_document_frequency
from recommender.rankers.ngrams import TitleFeatures, fit_title_features
from recommender.rankers.word2vec import unit

# Cosines (queries, candidates) of two lists of texts.
Similarity = Callable[[Sequence[str], Sequence[str]], NDArray[np.float32]]
Figures = NDArray[np.float64]
Task = Callable[[Similarity], Figures]

# All n-grams of the training texts: the rival is not to be weakened.
LETTERS: Final = TitleFeaturesConfig(min_titles=1, max_features=2**31)
RIDGE_PENALTY: Final = 1.0
# Neighbours that count, as many as a page shows.
SHOWN: Final = 5
# A label needs so many other texts for its precision to reach 1.
MIN_LABELLED: Final = SHOWN + 1
# Ingredient lists that are searched, and titles that are asked for their neighbours.
MAX_LISTS: Final = 4_000
MAX_TITLES: Final = 1_000
# With fewer cases nothing is decided.
MIN_CASES: Final = 40


@dataclass(frozen=True)
class JudgedQuery:
    """A title with titles that were graded for it: 2 right, 1 acceptable, 0 wrong."""

    title: str
    candidates: tuple[str, ...]
    grades: tuple[int, ...]


def by_encoder(encode: Encode) -> Similarity:
    """Cosine of the vectors of an encoder."""
    return lambda queries, candidates: encode(queries) @ encode(candidates).T


def by_letters(texts: Sequence[str]) -> Similarity:
    """Cosine of character n-grams, weighted by TF-IDF over the training `texts`."""
    features = fit_title_features(texts, LETTERS)

    def similarity(queries: Sequence[str], candidates: Sequence[str]) -> NDArray[np.float32]:
        cosines: NDArray[np.float32] = (features.transform(queries) @ features.transform(candidates).T).toarray()
        return cosines

    return similarity


def joined(first: Similarity, second: Similarity) -> Similarity:
    """The sum of two similarities."""
    return lambda queries, candidates: first(queries, candidates) + second(queries, candidates)


@dataclass(frozen=True)
class TitleRidge:
    """Ridge regression from a title's n-grams to ingredients: `weights` (features, names)."""

    features: TitleFeatures
    names: tuple[str, ...]
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]

    def similarity(self, baskets: Mapping[str, Sequence[str]]) -> Similarity:
        """Cosine of the predicted ingredients and those of a list; `baskets` are the lists by their text."""

        def similarity(titles: Sequence[str], texts: Sequence[str]) -> NDArray[np.float32]:
            lists = named_basket_matrix([baskets[text] for text in texts], self.names).toarray()
            return unit(self.features.transform(titles) @ self.weights * self.idf) @ unit(lists * self.idf).T

        return similarity


def fit_title_ridge(corpus: RecipeCorpus) -> TitleRidge:
    """Fit the ridge on the recipes of `corpus`."""
    names = corpus.frequent_ingredients()
    baskets: BasketMatrix = named_basket_matrix(corpus.baskets, names)
    features = fit_title_features(corpus.titles, TitleFeaturesConfig())
    titles = features.transform(corpus.titles)
    gram = (titles.T @ titles).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += RIDGE_PENALTY
    weights = cho_solve(cho_factor(gram, lower=True, overwrite_a=True), (titles.T @ baskets).toarray())
    return TitleRidge(features, names, inverse_document_frequency(baskets), weights.astype(np.float32))


def searchable_lists(corpus: RecipeCorpus, min_ingredients: int = 4) -> dict[str, int]:
    """Row of each distinct ingredient list that a title is searched among, by its text.

    Recipes with fewer ingredients, and all but the last of those with the same list, are left out. Of very many lists
    there are evenly spaced ones: each is compared with each.
    """
    lists = {
        ingredient_text(basket): row for row, basket in enumerate(corpus.baskets) if len(basket) >= min_ingredients
    }
    return dict(evenly_spaced(list(lists.items()), MAX_LISTS))


def title_search(corpus: RecipeCorpus) -> Task:
    """Reciprocal rank of each recipe's ingredients among those of all, searched by its title."""
    lists = searchable_lists(corpus)
    titles = [corpus.titles[row] for row in lists.values()]

    def reciprocal_ranks(similarity: Similarity) -> Figures:
        cosines = similarity(titles, list(lists))
        own = np.diagonal(cosines)[:, None]
        # Ties share their mean rank, so that an encoder that gives every text the same vector gains nothing.
        ranks = (cosines > own).sum(axis=1) + ((cosines == own).sum(axis=1) + 1) / 2
        return np.asarray(1 / ranks, dtype=np.float64)

    return reciprocal_ranks


def same_label(labelled: Sequence[tuple[str, str]]) -> Task:
    """Share of the nearest five of each (title, label) that have its label; rare labels are only candidates."""
    labels = np.array([label for _, label in labelled], dtype=np.str_)
    titles = [title for title, _ in labelled]
    values, counts = np.unique(labels, return_counts=True)
    labelled_often = np.flatnonzero(np.isin(labels, values[counts >= MIN_LABELLED]))
    asked = np.array(evenly_spaced(labelled_often.tolist(), MAX_TITLES), np.intp)

    def precisions(similarity: Similarity) -> Figures:
        if not asked.size:
            return np.zeros(0)
        cosines = similarity([titles[row] for row in asked], titles)
        cosines[np.arange(len(asked)), asked] = -np.inf
        nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :SHOWN]
        return np.asarray((labels[nearest] == labels[asked][:, None]).mean(axis=1), dtype=np.float64)

    return precisions


def judged(queries: Sequence[JudgedQuery]) -> Task:
    """nDCG@5 of the graded candidates of each query, gain 2^grade - 1; those without a good candidate are left out."""
    answerable = [query for query in queries if any(query.grades)]

    def gains(similarity: Similarity) -> Figures:
        return np.array([_ndcg(similarity([query.title], query.candidates)[0], query.grades) for query in answerable])

    return gains


def compare(
    task: Task, metric: str, methods: Mapping[str, Similarity], rivals: Mapping[str, Similarity] | None = None
) -> EncoderComparison:
    """Compare the encoder with its untrained self and with letters, and decide whether the relation uses it.

    `methods` are `letters`, `untrained` and `encoder`; a rival is measured alone and with the encoder.
    """
    letters, encoder = methods["letters"], methods["encoder"]
    measured = {**methods, "letters + encoder": joined(letters, encoder)}
    for name, rival in (rivals or {}).items():
        measured |= {name: rival, f"{name} + encoder": joined(rival, encoder)}
    figures = {name: task(similarity) for name, similarity in measured.items()}
    cases = len(figures["letters"])
    if not cases:
        return EncoderComparison(metric=metric, cases=0)
    against_letters = {
        name: mean_difference(each, figures["letters"]) for name, each in figures.items() if name != "letters"
    }
    ahead = max(against_letters[name].low for name in ("encoder", "letters + encoder"))
    return EncoderComparison(
        metric=metric,
        cases=cases,
        methods={name: float(each.mean()) for name, each in figures.items()},
        against_letters=against_letters,
        uses_encoder=cases >= MIN_CASES and ahead > 0,
    )


def _ndcg(scores: NDArray[np.float32], grades: Sequence[int]) -> float:
    gains = 2.0 ** np.array(grades) - 1
    discounts = 1 / np.log2(np.arange(2, min(SHOWN, len(grades)) + 2))
    ranked = gains[np.argsort(-scores, kind="stable")][: len(discounts)]
    return float((ranked * discounts).sum() / (np.sort(gains)[::-1][: len(discounts)] * discounts).sum())
