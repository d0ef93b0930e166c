"""Figures of the sentence encoder, for each relation that it may be used in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pipelines.train.bert_data import TrainingData
from recommender.evaluation.answers import product_item
from recommender.evaluation.encoder import (
    JudgedQuery,
    Task,
    by_encoder,
    by_letters,
    compare,
    fit_title_ridge,
    judged,
    same_label,
    searchable_lists,
    title_search,
)
from recommender.evaluation.judgements import read_judgements
from recommender.evaluation.results import BertFigures
from recommender.evaluation.title_search import evaluate_title_search
from recommender.rankers.bert import Encode

# Relations whose candidates were judged, by the file of their judgements.
JUDGED: Final = ("broadcast_mall", "mall_mall")


def evaluate(data: TrainingData, untrained: Encode, trained: Encode, judgements_dir: Path | None = None) -> BertFigures:
    """Compare an encoder, trained on `data.train()`, with letters on the test part and on judgements.

    Relations: `title_ingredients` (search of a recipe's ingredients by its title), `same_ingredient` and
    `same_category` (products near to a product's title), and those of `JUDGED`.
    """
    training, test = data.train(), data.test()
    encoders = {"untrained": by_encoder(untrained), "encoder": by_encoder(trained)}
    recipes, products = encoders | {"letters": by_letters(training.texts())}, dict(encoders)
    products["letters"] = by_letters(training.product_texts() or training.texts())
    relations = {}
    if lists := searchable_lists(test.recipes):
        baskets = {text: test.recipes.baskets[row] for text, row in lists.items()}
        rivals = {"ridge": fit_title_ridge(training.recipes).similarity(baskets)}
        relations["title_ingredients"] = compare(title_search(test.recipes), "mrr", recipes, rivals)
    for name, (task, metric) in _product_tasks(data, judgements_dir).items():
        relations[name] = compare(task, metric, products)
    return BertFigures(
        untrained=evaluate_title_search(test.recipes, untrained),
        trained=evaluate_title_search(test.recipes, trained),
        relations={name: comparison for name, comparison in relations.items() if comparison.cases},
    )


def _product_tasks(data: TrainingData, judgements_dir: Path | None) -> dict[str, tuple[Task, str]]:
    test = data.test()
    by_ingredient = [(product.text, product.ingredients[0]) for product in test.products if product.ingredients]
    by_category = [(title.text, title.category or "") for title in test.titles]
    tasks = {
        "same_ingredient": (same_label(_distinct(by_ingredient)), "precision@5"),
        "same_category": (same_label(_distinct(by_category)), "precision@5"),
    }
    if judgements_dir is not None:
        texts = {product_item(product.ref): product.text for product in data.products}
        judgements = read_judgements(judgements_dir)
        for name in (name for name in JUDGED if name in judgements):
            tasks[name] = judged(_judged_queries(judgements[name].grades, texts)), "ndcg@5"
    return tasks


def _judged_queries(judgements: Mapping[str, Mapping[str, int]], texts: Mapping[str, str]) -> list[JudgedQuery]:
    """The judged queries as titles; products that are not in the database are left out."""
    queries = []
    for query, grades in judgements.items():
        known = {texts[candidate]: grade for candidate, grade in grades.items() if candidate in texts}
        if query in texts and len(known) > 1:
            queries.append(JudgedQuery(texts[query], tuple(known), tuple(known.values())))
    return queries


def _distinct(labelled: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first of the titles that differ in blanks alone: a copy of itself is no neighbour of a title."""
    first: dict[str, tuple[str, str]] = {}
    for title, label in labelled:
        first.setdefault("".join(title.split()), (title, label))
    return list(first.values())
