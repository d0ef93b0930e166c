"""What a release answers: each relation as a function from a query to its list, as the API asks for it."""

from collections.abc import Mapping, Sequence

from recommender.bundle import Target
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
from recommender.search.index import TextIndex


def release_asks(release: LoadedRelease) -> dict[str, Ask]:
    """The relations of a release by name."""

    def similar(target: Target) -> Ask:
        return lambda query: _of_products(release.similar_products(product_of(query), target, LISTED))

    return {
        "broadcast_mall": similar(KOK),
        "mall_mall": similar(KOK),
        "mall_broadcast": similar("home_shopping"),
        "product_recipes": lambda query: _of_recipes(release.product_recipes(product_of(query), LISTED)),
        "recipe_products": lambda query: _of_products(release.recipe_products(product_of(query).product_id, LISTED)),
        "recipes_by_ingredients": lambda query: _of_recipes(release.recipes_by_ingredients(query.split(","), LISTED)),
        "substitutes": lambda query: [
            Answer(ingredient_item(each.name), each.score) for each in release.substitutes(query, LISTED)
        ],
    }


def catalog_asks(catalog: Catalog) -> dict[str, Ask]:
    """The relations that the API answers from the catalog, without a release."""
    mall, recipes = (
        TextIndex(((entry.title, " ".join(entry.tokens)) for entry in entries), catalog.synonyms)
        for entries in (_most_popular(catalog.mall), _most_popular(catalog.recipes))
    )

    def knows(word: str) -> bool:
        return mall.knows(word) or recipes.knows(word)

    def search(index: TextIndex, entries: Sequence[CatalogProduct | CatalogRecipe]) -> Ask:
        items = [entry.item for entry in entries]
        return lambda query: [Answer(items[place]) for place in index.find(query, knows)[:LISTED]]

    return {
        "search_mall": search(mall, _most_popular(catalog.mall)),
        "search_recipes": search(recipes, _most_popular(catalog.recipes)),
        "ingredient_mall": _bought_as(catalog.mall_by_ingredient),
    }


def _bought_as(mall_by_ingredient: Mapping[str, Sequence[CatalogProduct]]) -> Ask:
    def ask(name: str) -> list[Answer]:
        found = [product for product in mall_by_ingredient.get(name, ()) if product.ingredients[0] == name]
        best = sorted(found, key=lambda product: (not product.is_ingredient, -product.popularity, product.item))
        return [Answer(product.item) for product in best[:LISTED]]

    return ask


def _most_popular(entries: Sequence[CatalogProduct | CatalogRecipe]) -> list[CatalogProduct | CatalogRecipe]:
    return sorted(entries, key=lambda entry: (-entry.popularity, entry.item))


def _of_products(neighbours: Sequence[ProductNeighbour]) -> list[Answer]:
    return [Answer(product_item(each.product), each.score, each.reason) for each in neighbours]


def _of_recipes(neighbours: Sequence[Neighbour]) -> list[Answer]:
    return [Answer(recipe_item(each.recipe_id), each.score, each.reason) for each in neighbours]
