"""What every release of a catalog is asked, and what simple methods answer.

None of it depends on the release, so that it is computed once for a release and the live one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipelines.release.asks import catalog_asks
from recommender.evaluation import proxies
from recommender.evaluation.answers import Ask, ingredient_item
from recommender.evaluation.catalog import Catalog, CatalogProduct, CatalogRecipe
from recommender.evaluation.judgements import Judgements, MalformedJudgements
from recommender.evaluation.lists import AnswerLists, agreement, list_figures
from recommender.evaluation.proxies import evenly_spaced
from recommender.evaluation.relevance import QueryResult, evaluate_lists, ndcg_difference, relevance_figures
from recommender.evaluation.results import RelationEvaluation
from recommender.evaluation.rivals import Rank, Text, rivals_over
from recommender.search.texts import query_tokens


@dataclass(frozen=True)
class Question:
    """What a relation is asked, and how the answers of the rivals are.

    ``judgements`` are people's or, by ``basis``, those of a rule. ``sample``: queries from the whole catalog, whether
    or not anything goes with them. ``candidates``: how many items there are to answer with.
    """

    basis: Literal["judgements", "rule"]
    judgements: Judgements
    sample: Sequence[str]
    candidates: int
    rivals: Mapping[str, Mapping[str, QueryResult]]


@dataclass(frozen=True)
class Questions:
    """The questions to a release, and the evaluation of the relations that are answered from the catalog alone."""

    catalog: Catalog
    of_release: Mapping[str, Question]
    of_catalog: Mapping[str, RelationEvaluation]


@dataclass(frozen=True)
class _Relation:
    """A relation as the catalog knows it: its rule, queries for a sample, and what can be answered."""

    rule: Judgements
    sample: Sequence[str]
    candidates: "_Candidates"


@dataclass(frozen=True)
class _Candidates:
    """Items that relations answer with, and the rivals that rank them."""

    items: tuple[str, ...]
    rivals: Mapping[str, Rank]

    @classmethod
    def of(cls, texts: Sequence[Text]) -> "_Candidates":
        return cls(tuple(text.item for text in texts), rivals_over(texts))


def prepare(catalog: Catalog, judgements: Mapping[str, Judgements]) -> Questions:
    """Choose the questions for a catalog; a relation without judgements of people is judged by its rule."""
    items = frozenset(catalog.product_by_item) | frozenset(catalog.recipe_by_item)
    asks, relations = catalog_asks(catalog), _relations(catalog)
    for name in judgements.keys() - relations.keys():
        raise MalformedJudgements(f"{name}.tsv: there is no relation {name}; there are {', '.join(sorted(relations))}")
    of_release, of_catalog = {}, {}
    for name, relation in relations.items():
        judged = judgements[name].among(items) if name in judgements else None
        question = _question(relation, catalog, judged)
        if name not in asks:
            of_release[name] = question
            continue
        of_catalog[name] = evaluate_relation(question, catalog, asks[name], None)
        if judged is not None and name.startswith("search"):
            # Spelling mistakes are measured whatever people have judged.
            of_catalog[f"{name}_misspelt"] = evaluate_relation(
                _question(relation, catalog, None), catalog, asks[name], None
            )
    return Questions(catalog, of_release, of_catalog)


def evaluate_relation(question: Question, catalog: Catalog, ask: Ask, live: Ask | None) -> RelationEvaluation:
    """Ask a relation, and compare it with the rivals, with its own lists reversed and with the live release."""
    judgements = question.judgements
    lists = judged_lists(question, ask)
    served = evaluate_lists(judgements, lists)
    others = {
        **question.rivals,
        "reversed": evaluate_lists(judgements, {query: items[::-1] for query, items in lists.items()}),
    }
    sample, live_sample = _ask(ask, question.sample), _ask(live, question.sample) if live else None
    if live:
        others["live"] = evaluate_lists(judgements, judged_lists(question, live))
    ahead = {name: ndcg_difference(served, results) for name, results in others.items()}
    return RelationEvaluation(
        basis=question.basis,
        served=relevance_figures(served.values()),
        rivals={name: relevance_figures(results.values()) for name, results in question.rivals.items()},
        ahead_of={name: difference for name, difference in ahead.items() if difference},
        lists=list_figures(sample, catalog, question.candidates) if sample else None,
        agreement=agreement(sample, live_sample) if live_sample else None,
    )


def judged_lists(question: Question, ask: Ask) -> dict[str, list[str]]:
    """The lists of the queries that are judged."""
    return {query: [answer.item for answer in ask(query)] for query in question.judgements.grades}


def _question(relation: _Relation, catalog: Catalog, judged: Judgements | None) -> Question:
    judgements = relation.rule if judged is None else judged
    texts = [_query_text(query, catalog) for query in judgements.grades]
    return Question(
        "rule" if judged is None else "judgements",
        judgements,
        evenly_spaced(relation.sample) if relation.candidates.items else (),
        len(relation.candidates.items),
        {name: evaluate_lists(judgements, rank(texts)) for name, rank in relation.candidates.rivals.items()},
    )


def _relations(catalog: Catalog) -> dict[str, _Relation]:
    """Every relation; the searches are asked for titles with spelling mistakes."""
    mall, broadcast, recipes = (_texts(entries) for entries in (catalog.mall, catalog.broadcast, catalog.recipes))
    names = [
        Text(ingredient_item(name), name, (name,), float(len(found)))
        for name, found in sorted(catalog.recipes_by_ingredient.items())
    ]
    in_mall, on_air, cooked, products, used = (
        _Candidates.of(texts) for texts in (mall, broadcast, recipes, [*mall, *broadcast], names)
    )
    substitutes, by_ingredients = proxies.substitutes(catalog), proxies.recipes_by_ingredients(catalog)
    bought = proxies.ingredient_products(catalog)
    to_mall, to_broadcast = catalog.mall_by_ingredient, catalog.broadcast_by_ingredient
    return {
        "mall_mall": _Relation(proxies.similar_products(catalog.mall, to_mall), in_mall.items, in_mall),
        "broadcast_mall": _Relation(proxies.similar_products(catalog.broadcast, to_mall), on_air.items, in_mall),
        "mall_broadcast": _Relation(proxies.similar_products(catalog.mall, to_broadcast), in_mall.items, on_air),
        "product_recipes": _Relation(proxies.product_recipes(catalog), products.items, cooked),
        "recipe_products": _Relation(proxies.recipe_products(catalog), cooked.items, products),
        "recipes_by_ingredients": _Relation(by_ingredients, list(by_ingredients.grades), cooked),
        "substitutes": _Relation(substitutes, list(substitutes.grades), used),
        "ingredient_mall": _Relation(bought, list(bought.grades), in_mall),
        "search_mall": _Relation(proxies.misspelt_titles(catalog.mall), (), in_mall),
        "search_recipes": _Relation(proxies.misspelt_titles(catalog.recipes), (), cooked),
    }


def _ask(ask: Ask, queries: Sequence[str]) -> AnswerLists:
    return {query: ask(query) for query in queries}


def _texts(entries: Sequence[CatalogProduct | CatalogRecipe]) -> list[Text]:
    return [Text(entry.item, entry.title, entry.tokens, entry.popularity) for entry in entries]


def _query_text(query: str, catalog: Catalog) -> Text:
    """The text that rivals read: the title of an item, or what is typed."""
    entry = catalog.product_by_item.get(query) or catalog.recipe_by_item.get(query)
    return Text(query, entry.title, entry.tokens) if entry else Text(query, query, query_tokens(query))
