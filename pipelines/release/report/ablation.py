"""What each part of a ranker is worth: the same candidates ranked without it.

A group of features tells nothing once each of them has its mean over all candidates; the threshold then still fits.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.release.asks import as_asked
from pipelines.release.questions import Question, Questions
from recommender.evaluation.answers import LISTED, Answer, product_item, recipe_item
from recommender.evaluation.lists import agreement
from recommender.evaluation.relevance import evaluate_lists, ndcg_difference, relevance_figures
from recommender.evaluation.results import Difference, RelevanceFigures
from recommender.loaded_release import LoadedRelease
from recommender.product_ref import KOK
from recommender.relations.pairs import Pairs
from recommender.relations.product_recipes import ProductRecipes
from recommender.relations.rank import CHUNK, Candidates, best_targets
from recommender.relations.ranker import Ranker
from recommender.relations.relation import Relation
from recommender.relations.similar_products import SimilarProducts
from recommender.relations.space import ProductMatrix

# Features by what they tell, without the prefixes of those that are weighed apart for cooked and finished products.
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "letters": ("chars", "chars_of_type", "chars_of_shelf"),
    "words": ("words",),
    "encoder": ("vectors",),
    "types and shelves": (
        *("labels", "same_type", "types_shared", "same_shelf", "same_department", "other_department", "dish"),
        *("unknown_query", "unknown_target"),
    ),
    "ingredients": (
        *("ingredients_shared", "same_main", "main_listed", "main", "importance", "other", "others", "named"),
        "no_ingredient",
    ),
    "kind": ("same_kind", "is_ingredient", "is_ready", "is_snack", "is_drink", "is_supplement", "cooked"),
    "popularity": ("popularity",),
    "gifts": ("both_gifts",),
}
PREFIXES: Final = ("cooked_", "finished_")
THRESHOLD: Final = "threshold"


@dataclass(frozen=True)
class Ablation:
    """A ranker without one of its parts: the figures, nDCG minus that of the whole one, and how alike the lists are."""

    without: str
    figures: RelevanceFigures
    difference: Difference | None
    agreement: float | None


@dataclass(frozen=True)
class RelationAblation:
    """A relation ranked by the whole ranker, and without each part."""

    relation: str
    figures: RelevanceFigures
    parts: tuple[Ablation, ...]


@dataclass(frozen=True)
class _Task:
    """What a relation ranks for the judged queries; ``targets`` are the ids of the candidates."""

    question: Question
    ranker: Ranker
    candidates: Candidates
    targets: Sequence[str]
    items: NDArray[np.int64]
    names: Sequence[str]
    queries: ProductMatrix


@dataclass(frozen=True)
class _Chunk:
    """Some queries with their candidates and the features of these."""

    names: Sequence[str]
    own: NDArray[np.int64]
    pairs: Pairs
    features: NDArray[np.float32]


def ablations(release: LoadedRelease, questions: Questions) -> Iterator[RelationAblation]:
    """Rank the judged queries of each relation that has a ranker and candidates, without one part after the other."""
    for name, task in _tasks(release, questions):
        chunks = list(_chunks(task)) if task.targets else []
        if any(len(chunk.features) for chunk in chunks):
            yield _ablation(name, task, chunks)


def group_of(feature: str) -> str:
    """The group of a feature; raises KeyError for a feature that is in none."""
    bare = feature
    for prefix in PREFIXES:
        bare = bare.removeprefix(prefix)
    return _GROUP_OF[bare]


_GROUP_OF: Final = {feature: group for group, features in GROUPS.items() for feature in features}


def _ablation(name: str, task: _Task, chunks: Sequence[_Chunk]) -> RelationAblation:
    whole = _lists(task, chunks, task.ranker)
    results = evaluate_lists(task.question.judgements, whole)
    parts = []
    for part, lists in _without_each(task, chunks):
        without = evaluate_lists(task.question.judgements, lists)
        parts.append(
            Ablation(
                part,
                relevance_figures(without.values()),
                ndcg_difference(without, results),
                agreement(_answers(lists), _answers(whole)).jaccard_at_10,
            )
        )
    return RelationAblation(name, relevance_figures(results.values()), tuple(parts))


def _without_each(task: _Task, chunks: Sequence[_Chunk]) -> Iterator[tuple[str, dict[str, list[str]]]]:
    names = task.candidates.feature_names
    groups = [group_of(name) for name in names]
    means = np.concatenate([chunk.features for chunk in chunks]).mean(axis=0)
    for group in dict.fromkeys(groups):
        columns = np.array([each == group for each in groups])
        yield group, _lists(task, chunks, task.ranker, np.where(columns, means, np.float32(np.nan)))
    yield THRESHOLD, _lists(task, chunks, task.ranker.model_copy(update={"threshold": 0.0}))


def _lists(
    task: _Task, chunks: Sequence[_Chunk], ranker: Ranker, fixed: NDArray[np.float32] | None = None
) -> dict[str, list[str]]:
    """The lists by a ranker; ``fixed`` (features,) replaces the features where it is a number."""
    lists: dict[str, list[str]] = {}
    for chunk in chunks:
        features = chunk.features if fixed is None else np.where(np.isnan(fixed), chunk.features, fixed)
        scores = ranker.score(task.candidates.feature_names, features)
        best = best_targets(chunk.pairs, scores, LISTED, items=task.items, own=chunk.own)
        lists |= {
            name: [task.targets[each.row] for each in found] for name, found in zip(chunk.names, best, strict=True)
        }
    return lists


def _chunks(task: _Task) -> Iterator[_Chunk]:
    for start in range(0, len(task.names), CHUNK):
        part = task.queries.take(slice(start, start + CHUNK))
        pairs = task.candidates.candidates(part)
        features = task.candidates.features(part, pairs)
        yield _Chunk(task.names[start : start + CHUNK], part.items, pairs, features)


def _answers(lists: Mapping[str, Sequence[str]]) -> dict[str, list[Answer]]:
    return {query: [Answer(item) for item in items] for query, items in lists.items()}


def _tasks(release: LoadedRelease, questions: Questions) -> Iterator[tuple[str, _Task]]:
    bundle = release.bundle
    relations, products, recipes = bundle.relations, bundle.relations.products, bundle.relations.recipes
    items = [product_item(product) for product in bundle.products]
    rows = {item: row for row, item in enumerate(items)}

    def known(question: Question) -> tuple[list[str], ProductMatrix]:
        names = [query for query in question.judgements.grades if query in rows]
        return names, products.take(np.array([rows[name] for name in names], np.intp))

    def among(targets: NDArray[np.intp]) -> tuple[Candidates, list[str], NDArray[np.int64]]:
        ids = [items[row] for row in targets.tolist()]
        return SimilarProducts(products.take(targets)), ids, products.items[targets]

    is_mall = np.array([product.source == KOK for product in bundle.products], np.bool_)
    in_mall = among(np.flatnonzero(is_mall))
    in_recipes = ProductRecipes(recipes), [recipe_item(n) for n in release.recipe_ids.tolist()], recipes.items
    for name, relation, targets in (
        ("mall_mall", Relation.SIMILAR_PRODUCTS, in_mall),
        ("broadcast_mall", Relation.SIMILAR_PRODUCTS, in_mall),
        ("mall_broadcast", Relation.SIMILAR_PRODUCTS, among(np.flatnonzero(~is_mall))),
        ("product_recipes", Relation.PRODUCT_RECIPES, in_recipes),
    ):
        question = questions.of_release[name]
        yield name, _Task(question, relations.rankers[relation], *targets, *known(question))
    question = questions.of_release["ingredient_mall"]
    written = list(question.judgements.grades)
    facts = [as_asked(name, questions.catalog.synonyms) for name in written]
    asked = relations.space(release.names, release.encode).products(facts)
    yield "ingredient_mall", _Task(question, relations.rankers[Relation.INGREDIENT_PRODUCTS], *in_mall, written, asked)
