"""Training of the rankers of relations on judgements or clicks, with figures by cross-validation over queries."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sqlalchemy import Engine

from artifacts.store import Store
from pipelines.code_version import code_version
from pipelines.load.loaded_files import product_files, recipe_files
from pipelines.release.items import Items, make_items, read_recipe_facts
from pipelines.release.products import DATASET, read_products, snapshot
from pipelines.train import corpora, models
from pipelines.train.clicks import read_click_judgements
from pipelines.train.interactions import NotEnoughEvents
from pipelines.train.models import ModelCard, SavedModel
from recommender.evaluation.answers import LISTED, product_item, recipe_item
from recommender.evaluation.judgements import Judgements, merge_judgements, read_judgements
from recommender.evaluation.relevance import evaluate_lists, relevance_figures
from recommender.evaluation.results import BertFigures, RankerFigures, RelevanceFigures
from recommender.models.encoder import Encoder
from recommender.product_ref import KOK
from recommender.relations.facts import ProductFacts, asked_ingredient
from recommender.relations.pairs import Pairs
from recommender.relations.product_recipes import ProductRecipes
from recommender.relations.rank import Candidates, best_targets, rank
from recommender.relations.ranker import Ranker, Rankers, Weights, expected_gain, read_rankers, to_toml
from recommender.relations.relation import Relation
from recommender.relations.similar_products import SimilarProducts
from recommender.relations.space import ProductMatrix
from recommender.text.ingredients import known_name
from recommender.text.titles import normalise_title

log = structlog.get_logger(__name__)

# The judgements that each relation learns from, by the names of their files.
JUDGEMENTS: Final[Mapping[Relation, tuple[str, ...]]] = {
    Relation.SIMILAR_PRODUCTS: ("broadcast_mall", "mall_mall"),
    Relation.PRODUCT_RECIPES: ("product_recipes",),
    Relation.INGREDIENT_PRODUCTS: ("ingredient_mall",),
}
POPULARITY: Final = "popularity"
RANKERS_FILE: Final = "rankers.toml"
FOLDS: Final = 5
SEED: Final = 20250806
# Inverse strength of the penalty on weights of features with deviation 1.
REGULARISATION: Final[Mapping[Relation, float]] = {
    Relation.SIMILAR_PRODUCTS: 0.3,
    Relation.PRODUCT_RECIPES: 0.03,
    Relation.INGREDIENT_PRODUCTS: 0.03,
}
# Graded pairs of a relation that clicks have to give before anything is learnt from them.
MIN_PAIRS: Final = 300
# Pairs of them that have to be wrong, right and good.
MIN_OF_GRADE: Final = 10
# What a wrong answer costs beside the gain of a good one. With 1, lists that helped were left empty.
WRONG_COST: Final = 0.5
THRESHOLDS: Final = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)


@dataclass(frozen=True)
class Lesson:
    """What a relation is learnt from: queries, and graded pairs of their rows and the rows of targets.

    ``names`` (queries,) and ``items`` (targets,) are ids in judgements; ``listings`` (targets,) says which targets are
    listings of the same item, ``own`` (queries,) which of them is the query itself.
    """

    relation: Candidates
    queries: ProductMatrix
    names: Sequence[str]
    items: Sequence[str]
    listings: NDArray[np.int64]
    own: NDArray[np.int64]
    pairs: Pairs
    grades: NDArray[np.int64]
    judgements: Judgements


def train(
    service: Engine, warehouse: Engine, store: Store, folders: Sequence[Path], now: datetime
) -> SavedModel[RankerFigures] | NotEnoughEvents:
    """Train on the judgements in ``folders``, without any on clicks; other relations keep the weights of the project.

    What was learnt from clicks is taken where it finds what is clicked better than the weights in use.
    """
    if folders:
        judgements = merge_judgements([read_judgements(folder) for folder in folders])
    else:
        judgements = _enough(clicked := read_click_judgements(warehouse))
        most = max(clicked.values(), key=_pairs, default=Judgements({}))
        if not judgements and (missing := _shortage(most)):
            return missing
    corpus, products = corpora.read_recipes(service), read_products(service)
    with tempfile.TemporaryDirectory(prefix="ukok-ranker-") as scratch:
        bert = models.fetch_newest(store, "bert", Path(scratch) / "bert", ModelCard[BertFigures])
        items = make_items(products, read_recipe_facts(service, corpus), Encoder(bert.folder).encode, read_rankers())
        in_use = items.rankers if folders else newest_rankers(store, Path(scratch) / "in_use")
        rankers = dict(in_use.rankers)
        figures: dict[str, RelevanceFigures] = {}
        for relation, names in JUDGEMENTS.items():
            judged = {name: judgements[name] for name in names if name in judgements}
            if judged:
                lesson = make_lesson(items, relation, judged)
                if not folders and not _teaches_without_any_fold(lesson):
                    log.info("ranker_kept", relation=relation, reason="too few queries have right and wrong answers")
                    continue
                learnt, lists = fit(lesson, relation)
                if not folders and not _better(lesson, lists, rankers[relation]):
                    log.info("ranker_kept", relation=relation, reason="the weights in use find as many clicks")
                    continue
                rankers[relation] = learnt
                figures |= {name: _figures(lesson, each, lists) for name, each in judged.items()}
        folder = Path(scratch) / "ranker"
        folder.mkdir()
        (folder / RANKERS_FILE).write_text(to_toml(rankers), encoding="utf-8")
        card = ModelCard[RankerFigures](
            datasets={
                corpora.DATASET: corpora.snapshot(store, corpus, recipe_files(service)),
                DATASET: snapshot(store, products, product_files(service)),
            },
            code_version=code_version(),
            parameters={"bert": bert.version, "folds": FOLDS},
            seed=SEED,
            figures=RankerFigures(cross_validated=figures),
        )
        saved = models.save(store, "ranker", folder, card, now)
    log.info("ranker_trained", version=saved.version, relations=sorted(rankers))
    return saved


def _enough(judgements: Mapping[str, Judgements]) -> dict[str, Judgements]:
    """Those with enough pairs of each grade."""
    return {name: each for name, each in judgements.items() if not _shortage(each)}


def _shortage(judgements: Judgements) -> NotEnoughEvents | None:
    """What judgements by clicks lack first to be learnt from; None if nothing."""
    grades = [grade for known in judgements.grades.values() for grade in known.values()]
    counts = (
        (len(grades), MIN_PAIRS, "of clicks, as graded pairs of a relation"),
        (grades.count(0), MIN_OF_GRADE, "of clicks, as wrong answers of a relation"),
        (sum(grade >= 1 for grade in grades), MIN_OF_GRADE, "of clicks, as right answers of a relation"),
        (sum(grade >= 2 for grade in grades), MIN_OF_GRADE, "of clicks, as good answers of a relation"),
    )
    return next((NotEnoughEvents(*each) for each in counts if each[0] < each[1]), None)


def _teaches_without_any_fold(lesson: Lesson) -> bool:
    """Whether wrong and good answers are left to learn from whichever fold of queries is held out."""
    folds = _folds(lesson)[lesson.pairs.queries]
    left = [lesson.grades[folds != fold] for fold in range(FOLDS)]
    return all(bool((grades == 0).any() and (grades >= 2).any()) for grades in left)


def _folds(lesson: Lesson) -> NDArray[np.int64]:
    return np.random.default_rng(SEED).permutation(len(lesson.names)) % FOLDS


def _pairs(judgements: Judgements) -> int:
    return sum(map(len, judgements.grades.values()))


def _better(lesson: Lesson, lists: Mapping[str, list[str]], kept: Ranker) -> bool:
    """Whether lists by rankers that had not learnt from their query are better than those of ``kept``."""
    best = rank(lesson.relation, kept, lesson.queries, LISTED, items=lesson.listings, own=lesson.own)
    theirs = {name: [lesson.items[each.row] for each in found] for name, found in zip(lesson.names, best, strict=True)}
    return _value(lesson, lists) > _value(lesson, theirs)


def newest_rankers(store: Store, scratch: Path) -> Rankers:
    """The rankers that were trained last, or those of the project."""
    if models.newest(store, "ranker") is None:
        return read_rankers()
    found = models.fetch_newest(store, "ranker", scratch, ModelCard[RankerFigures])
    return read_rankers(found.folder / RANKERS_FILE)


def make_lesson(items: Items, relation: Relation, judged: Mapping[str, Judgements]) -> Lesson:
    """The graded pairs of a relation whose query and candidate are in the catalog."""
    facts = _query_facts(items, relation, sorted({query for each in judged.values() for query in each.grades}))
    queries = items.space.products(list(facts.values()))
    candidates, targets, listings = _targets(items, relation)
    numbers, places = {name: row for row, name in enumerate(facts)}, {item: row for row, item in enumerate(targets)}
    graded = {
        (numbers[query], places[item]): grade
        for each in judged.values()
        for query, known in each.grades.items()
        for item, grade in known.items()
        if query in numbers and item in places
    }
    rows, columns = (np.array([pair[side] for pair in graded], np.intp) for side in (0, 1))
    own = [listings[places[name]] if name in places else -1 for name in facts]
    known = {query: grades for each in judged.values() for query, grades in each.grades.items() if query in facts}
    return Lesson(
        candidates,
        queries,
        list(facts),
        targets,
        listings,
        np.array(own, np.int64),
        candidates.pairs(queries, rows, columns),
        np.array(list(graded.values()), np.int64),
        Judgements(known),
    )


def fit(lesson: Lesson, relation: Relation) -> tuple[Ranker, Mapping[str, list[str]]]:
    """Fit a ranker on all graded pairs; also return the lists of its queries by rankers that had not learnt from them.

    The threshold is that with the best nDCG less the cost of the wrong answers in those lists.
    """
    held_out = _held_out_scores(lesson, relation)
    lists = {threshold: _lists(lesson, held_out, threshold) for threshold in THRESHOLDS}
    threshold = max(THRESHOLDS, key=lambda each: _value(lesson, lists[each]))
    features = lesson.relation.features(lesson.queries, lesson.pairs)
    names, strength = lesson.relation.feature_names, REGULARISATION[relation]
    learnt_from = f"{len(lesson.grades):,} graded pairs of {len(set(lesson.pairs.queries.tolist())):,} queries"
    ranker = Ranker(
        learnt_from=learnt_from,
        threshold=threshold,
        acceptable=_logistic(names, features, lesson.grades >= 1, strength),
        good=_logistic(names, features, lesson.grades >= 2, strength),
    )
    return ranker, lists[threshold]


@dataclass(frozen=True)
class _HeldOut:
    """Candidates of every query, with the probabilities of rankers that have not learnt from it."""

    pairs: Pairs
    acceptable: NDArray[np.float32]
    good: NDArray[np.float32]


def _held_out_scores(lesson: Lesson, relation: Relation) -> _HeldOut:
    folds = _folds(lesson)
    graded = lesson.relation.features(lesson.queries, lesson.pairs)
    pairs = lesson.relation.candidates(lesson.queries)
    features = lesson.relation.features(lesson.queries, pairs)
    names, strength = lesson.relation.feature_names, REGULARISATION[relation]
    acceptable, good = np.zeros(len(features), np.float32), np.zeros(len(features), np.float32)
    for fold in range(FOLDS):
        learnt, asked = folds[lesson.pairs.queries] != fold, folds[pairs.queries] == fold
        for grade, probabilities in ((1, acceptable), (2, good)):
            weights = _logistic(names, graded[learnt], lesson.grades[learnt] >= grade, strength)
            probabilities[asked] = weights.probability(names, features[asked])
    return _HeldOut(pairs, acceptable, good)


def _lists(lesson: Lesson, held_out: _HeldOut, threshold: float) -> dict[str, list[str]]:
    scores = expected_gain(held_out.acceptable, held_out.good, threshold)
    best = best_targets(held_out.pairs, scores, LISTED, items=lesson.listings, own=lesson.own)
    return {name: [lesson.items[each.row] for each in found] for name, found in zip(lesson.names, best, strict=True)}


def _value(lesson: Lesson, lists: Mapping[str, list[str]]) -> float:
    figures = relevance_figures(evaluate_lists(lesson.judgements, lists).values())
    return (figures.ndcg_at_5 or 0.0) - WRONG_COST * (figures.wrong_at_5 or 0.0)


def _logistic(
    names: Sequence[str], features: NDArray[np.float32], wanted: NDArray[np.bool_], strength: float
) -> Weights:
    """A logistic regression; popularity, which judged lists of popular things make look bad, never counts against."""
    weights = _regression(names, features, wanted, strength)
    against = [at for at, name in enumerate(names) if name.endswith(POPULARITY) and weights.features[name] < 0]
    if not against:
        return weights
    without = features.copy()
    without[:, against] = 0
    return _regression(names, without, wanted, strength)


def _regression(
    names: Sequence[str], features: NDArray[np.float32], wanted: NDArray[np.bool_], strength: float
) -> Weights:
    if wanted.all() or not wanted.any():
        raise ValueError("the judgements hold no wrong or no right answer: grade some of each")
    deviation = features.std(axis=0)
    scale = np.where(deviation > 1e-6, deviation, 1.0)
    model = LogisticRegression(C=strength, max_iter=5000).fit(features / scale, wanted)
    weights = np.where(deviation > 1e-6, model.coef_[0] / scale, 0.0).round(3).tolist()
    return Weights(bias=round(float(model.intercept_[0]), 3), features=dict(zip(names, weights, strict=True)))


def _query_facts(items: Items, relation: Relation, queries: Sequence[str]) -> dict[str, ProductFacts]:
    """The facts of the queries that are in the catalog, by id in judgements."""
    if relation is Relation.INGREDIENT_PRODUCTS:
        return {query: asked_ingredient(known_name(query, {}), query) for query in queries}
    products = {product_item(product.ref): product for product in items.products}
    return {query: products[query] for query in queries if query in products}


def _targets(items: Items, relation: Relation) -> tuple[Candidates, list[str], NDArray[np.int64]]:
    """What a relation answers with: candidates, ids in judgements, and which of them are listings of the same item."""
    if relation is Relation.PRODUCT_RECIPES:
        titles = [normalise_title(recipe.title) for recipe in items.recipes]
        return (
            ProductRecipes(items.recipe_rows),
            [recipe_item(recipe.recipe_id) for recipe in items.recipes],
            _numbered(titles),
        )
    rows = items.rows_of(frozenset({KOK}))
    mall = [items.products[row] for row in rows.tolist()]
    return (
        SimilarProducts(items.product_rows.take(rows)),
        [product_item(product.ref) for product in mall],
        _numbered([product.item_id or product_item(product.ref) for product in mall]),
    )


def _figures(lesson: Lesson, judgements: Judgements, lists: Mapping[str, list[str]]) -> RelevanceFigures:
    known = {query: grades for query, grades in judgements.grades.items() if query in lesson.judgements.grades}
    return relevance_figures(evaluate_lists(Judgements(known), lists).values())


def _numbered(names: Sequence[str]) -> NDArray[np.int64]:
    first: dict[str, int] = {}
    return np.array([first.setdefault(name, row) for row, name in enumerate(names)], np.int64)
