"""Measurement of a release as it is served: opened from its files as the API does, and asked like it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.release.arrays import array_problems
from pipelines.release.asks import catalog_asks, release_asks
from pipelines.release.measure_models import encoder_evaluation, served_completion, text_index, vector_evaluation
from recommender.bundle import ReleaseFile, read_blend
from recommender.evaluation import proxies
from recommender.evaluation.answers import Answer, Ask, ingredient_item, product_item, recipe_item
from recommender.evaluation.catalog import Catalog, CatalogProduct, CatalogRecipe
from recommender.evaluation.completion import evaluate_completion
from recommender.evaluation.judgements import Judgements
from recommender.evaluation.lists import AnswerLists, agreement, list_figures
from recommender.evaluation.naming import naming_figures
from recommender.evaluation.proxies import evenly_spaced
from recommender.evaluation.relevance import Lists, evaluate_lists, ndcg_difference, relevance_figures
from recommender.evaluation.results import (
    ContentEvaluation,
    Evaluation,
    IndexEvaluation,
    RelationEvaluation,
    unmeasured,
)
from recommender.evaluation.rivals import RIVALS, Text
from recommender.evaluation.served import evaluate_index
from recommender.loaded_release import LoadedRelease
from recommender.product_ref import ProductRef
from recommender.search.index import query_tokens


@dataclass(frozen=True)
class Relation:
    """A relation, the ``rule`` that judges it where people have not, and what it is asked.

    ``sample``: queries from the whole catalog, whether or not anything goes with them; none for a search.
    ``candidates`` are what can be answered, as the rivals rank it.
    """

    ask: Ask
    rule: Judgements
    sample: Sequence[str]
    candidates: Sequence[Text]


def measure(
    folder: Path, catalog: Catalog, judgements: Mapping[str, Judgements], live: LoadedRelease | None
) -> Evaluation:
    """Measure the release in ``folder``; raises :class:`~artifacts.release.CorruptRelease` if it cannot be opened.

    Arrays that cannot be computed with are reported, and nothing else is measured then.
    """
    release = LoadedRelease.open(folder)
    content = content_evaluation(folder, release, catalog)
    nothing = unmeasured(release.manifest.evaluation.models)
    if content.problems:
        return nothing.model_copy(update={"content": content})
    index, vectors = text_index(folder)
    blend = read_blend(folder, release.manifest.parameters.rankers)
    return nothing.model_copy(
        update={
            "content": content,
            "completion": evaluate_completion(blend, catalog.corpus, release.encode),
            "served_completion": served_completion(release, catalog, live),
            "relations": _relations(release, catalog, judgements, live),
            "encoder": encoder_evaluation(release, folder, catalog),
            "vectors": vector_evaluation(folder, catalog),
            "index": evaluate_index(index, vectors) if len(vectors) else IndexEvaluation(recall_at_10=0.0),
            "live": live.version if live else None,
        }
    )


def content_evaluation(folder: Path, release: LoadedRelease, catalog: Catalog) -> ContentEvaluation:
    """Compare the content of the files with the catalog."""
    here = release_items(folder, release)
    there = {*catalog.product_by_item, *catalog.recipe_by_item}
    return ContentEvaluation(
        files=len(release.manifest.files),
        problems=tuple(array_problems(folder)),
        stale=len(here - there),
        missing=len(there - here),
        products=naming_figures(catalog.products),
        recipes=naming_figures(catalog.recipes),
    )


def release_items(folder: Path, release: LoadedRelease) -> frozenset[str]:
    """Ids of the products and recipes of a release."""
    sources, ids = np.load(folder / ReleaseFile.PRODUCT_SOURCES), np.load(folder / ReleaseFile.PRODUCT_IDS)
    products = (product_item(ProductRef(*pair)) for pair in zip(sources.tolist(), ids.tolist(), strict=True))
    return frozenset(products) | {recipe_item(recipe_id) for recipe_id in release.recipe_ids.tolist()}


def relations_of(asks: Mapping[str, Ask], catalog: Catalog) -> dict[str, Relation]:
    """Every relation with its rule; the searches are asked for titles with mistakes."""
    mall, broadcast, recipes = (_texts(entries) for entries in (catalog.mall, catalog.broadcast, catalog.recipes))
    names = [
        Text(ingredient_item(name), name, (name,), float(len(found)))
        for name, found in sorted(catalog.recipes_by_ingredient.items())
    ]
    substitutes, by_ingredients = proxies.substitutes(catalog), proxies.recipes_by_ingredients(catalog)
    bought = proxies.ingredient_products(catalog)
    rules: dict[str, tuple[Judgements, Sequence[str], Sequence[Text]]] = {
        "mall_mall": (proxies.similar_products(catalog.mall, catalog.mall_by_ingredient), _items(mall), mall),
        "broadcast_mall": (
            proxies.similar_products(catalog.broadcast, catalog.mall_by_ingredient),
            _items(broadcast),
            mall,
        ),
        "mall_broadcast": (
            proxies.similar_products(catalog.mall, catalog.broadcast_by_ingredient),
            _items(mall),
            broadcast,
        ),
        "product_recipes": (proxies.product_recipes(catalog), _items([*mall, *broadcast]), recipes),
        "recipe_products": (proxies.recipe_products(catalog), _items(recipes), [*mall, *broadcast]),
        "recipes_by_ingredients": (by_ingredients, list(by_ingredients.grades), recipes),
        "ingredient_mall": (bought, list(bought.grades), mall),
        "substitutes": (substitutes, list(substitutes.grades), names),
        "search_mall": (proxies.misspelt_titles(catalog.mall), [], mall),
        "search_recipes": (proxies.misspelt_titles(catalog.recipes), [], recipes),
    }
    return {name: Relation(asks[name], *rule) for name, rule in rules.items() if name in asks}


def _relations(
    release: LoadedRelease, catalog: Catalog, judgements: Mapping[str, Judgements], live: LoadedRelease | None
) -> dict[str, RelationEvaluation]:
    found = {}
    live_asks = release_asks(live) if live else {}
    items = frozenset(catalog.product_by_item) | frozenset(catalog.recipe_by_item)
    for name, relation in relations_of(release_asks(release) | catalog_asks(catalog), catalog).items():
        judged = judgements[name].among(items) if name in judgements else None
        found[name] = evaluate_relation(relation, catalog, judged, live_asks.get(name))
        if judged is not None and name.startswith("search"):
            # Mistakes are measured whatever people have judged.
            found[f"{name}_misspelt"] = evaluate_relation(relation, catalog, None, None)
    return found


def evaluate_relation(
    relation: Relation, catalog: Catalog, judged: Judgements | None, live: Ask | None
) -> RelationEvaluation:
    """Ask a relation and its rivals the same queries, and compare them."""
    judgements = relation.rule if judged is None else judged
    queries = list(judgements.grades)
    answers = _ask(relation.ask, queries)
    served = evaluate_lists(judgements, _ids(answers))
    texts = [_query_text(query, catalog) for query in queries]
    others: dict[str, Lists] = {name: rival(texts, relation.candidates) for name, rival in RIVALS.items()}
    others["reversed"] = {query: ids[::-1] for query, ids in _ids(answers).items()}
    sample = _ask(relation.ask, evenly_spaced(relation.sample))
    shown_live: AnswerLists = {}
    if live:
        others["live"] = _ids(_ask(live, queries))
        shown_live = _ask(live, list(sample))
    results = {name: evaluate_lists(judgements, lists) for name, lists in others.items()}
    ahead = {name: ndcg_difference(served, result) for name, result in results.items()}
    return RelationEvaluation(
        basis="rule" if judged is None else "judgements",
        served=relevance_figures(served.values()),
        rivals={name: relevance_figures(results[name].values()) for name in results if name != "reversed"},
        ahead_of={name: difference for name, difference in ahead.items() if difference},
        lists=list_figures(sample, catalog, len(relation.candidates)) if sample else None,
        agreement=agreement(sample, shown_live) if live else None,
    )


def _ask(ask: Ask, queries: Sequence[str]) -> dict[str, Sequence[Answer]]:
    return {query: ask(query) for query in queries}


def _ids(lists: AnswerLists) -> dict[str, list[str]]:
    return {query: [answer.item for answer in answers] for query, answers in lists.items()}


def _items(texts: Sequence[Text]) -> list[str]:
    return [text.item for text in texts]


def _texts(entries: Sequence[CatalogProduct | CatalogRecipe]) -> list[Text]:
    return [Text(entry.item, entry.title, entry.tokens, entry.popularity) for entry in entries]


def _query_text(query: str, catalog: Catalog) -> Text:
    """The text that rivals read: the title of an item, or what is typed."""
    entry = catalog.product_by_item.get(query) or catalog.recipe_by_item.get(query)
    return Text(query, entry.title, entry.tokens) if entry else Text(query, query, query_tokens(query))
