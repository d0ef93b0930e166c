"""What a release answers: each relation as a function from a query to its list, as the API asks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from recommender.evaluation.answers import (
    LISTED,
    Answer,
    Ask,
    ingredient_item,
    product_item,
    product_of,
    recipe_item,
)
from recommender.evaluation.catalog import Catalog, CatalogProduct, CatalogRecipe
from recommender.loaded_release import LoadedRelease, Neighbour, ProductNeighbour
from recommender.product_ref import KOK
from recommender.relations.facts import ProductFacts, asked_ingredient
from recommender.relations.offered_products import Target
from recommender.search.documents import Document
from recommender.search.index import SearchIndex
from recommender.search.weights import load_weights
from recommender.text.ingredients import known_name

Entry = TypeVar("Entry", CatalogProduct, CatalogRecipe)


@dataclass(frozen=True)
class AskedRelease:
    """An open release with its relations, each of which answers a query once and remembers the answer."""

    release: LoadedRelease
    asks: Mapping[str, Ask]

    @classmethod
    def of(cls, release: LoadedRelease, synonyms: Mapping[str, str]) -> "AskedRelease":
        """Make the relations of a release."""
        return cls(release, {name: cache(ask) for name, ask in release_asks(release, synonyms).items()})


def release_asks(release: LoadedRelease, synonyms: Mapping[str, str]) -> dict[str, Ask]:
    """The relations of a release by name; ``synonyms`` maps other spellings of ingredients to canonical names."""

    def similar(target: Target) -> Ask:
        return lambda query: _of_products(release.similar_products(product_of(query), target, LISTED))

    return {
        "broadcast_mall": similar(KOK),
        "mall_mall": similar(KOK),
        "mall_broadcast": similar("home_shopping"),
        "product_recipes": lambda query: _of_recipes(release.product_recipes(product_of(query), LISTED)),
        "recipe_products": lambda query: _of_products(release.recipe_products(product_of(query).product_id, LISTED)),
        "recipes_by_ingredients": lambda query: _of_recipes(release.recipes_by_ingredients(query.split(","), LISTED)),
        "ingredient_mall": lambda query: _of_products(release.ingredient_products(as_asked(query, synonyms), LISTED)),
        "substitutes": lambda query: [
            Answer(ingredient_item(each.name), each.score) for each in release.substitutes(query, LISTED)
        ],
    }


def as_asked(written: str, synonyms: Mapping[str, str]) -> ProductFacts:
    """An ingredient as the API asks for it."""
    return asked_ingredient(known_name(written, synonyms), written)


def catalog_asks(catalog: Catalog) -> dict[str, Ask]:
    """The relations that the API answers from the catalog, without a release."""
    mall = SearchIndex(map(_product_document, _most_popular(catalog.mall)), load_weights("products"), catalog.synonyms)
    recipes = SearchIndex(
        map(_recipe_document, _most_popular(catalog.recipes)), load_weights("recipes"), catalog.synonyms
    )

    def knows(word: str) -> bool:
        return mall.knows(word) or recipes.knows(word)

    def search(index: SearchIndex, entries: Sequence[CatalogProduct | CatalogRecipe]) -> Ask:
        items = [entry.item for entry in entries]
        return lambda query: [Answer(items[place]) for place in index.find(query, knows).positions[:LISTED]]

    return {
        "search_mall": search(mall, _most_popular(catalog.mall)),
        "search_recipes": search(recipes, _most_popular(catalog.recipes)),
    }


def _product_document(entry: CatalogProduct) -> Document:
    return Document(
        title=entry.title,
        tokens=" ".join(entry.tokens),
        ingredients=entry.ingredients,
        is_ingredient=entry.is_ingredient,
        popularity=entry.popularity,
    )


def _recipe_document(entry: CatalogRecipe) -> Document:
    return Document(
        title=entry.title,
        tokens=" ".join(entry.tokens),
        ingredients=entry.ingredients,
        popularity=entry.popularity,
    )


def _most_popular(entries: Sequence[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (-entry.popularity, entry.item))


def _of_products(neighbours: Sequence[ProductNeighbour]) -> list[Answer]:
    return [Answer(product_item(each.product), each.score, each.reason) for each in neighbours]


def _of_recipes(neighbours: Sequence[Neighbour]) -> list[Answer]:
    return [Answer(recipe_item(each.recipe_id), each.score, each.reason) for each in neighbours]
