"""Recipes for the products of a cart, and what goes with them."""

from collections.abc import Iterable
from typing import NamedTuple

from recommender.product_ref import ProductRef
from serving.catalog.recipes import Recipe
from serving.recommendations.complements import recommend_complements
from serving.recommendations.relations import RECIPES_FOR_CART
from serving.recommendations.requests import CartRequest
from serving.recommendations.stages import Recommendation, recommend
from serving.runtime.snapshot import Snapshot
from serving.web.paging import page_of


class CartRecommendation(NamedTuple):
    """A page of recipes, the known products and their ingredients that it is for, and the recipes on all pages.

    ``complements`` go with the ingredients and are not among them.
    """

    products: tuple[ProductRef, ...]
    ingredients: tuple[str, ...]
    recipes: Recommendation[Recipe]
    total: int
    complements: Recommendation[str]


def recommend_for_cart(snapshot: Snapshot, product_ids: Iterable[int], page: int, size: int) -> CartRecommendation:
    """Recipes that use the products, first those that use the most informative ingredients.

    Ids may be of mall and broadcast products; unknown ones are skipped, and so is what is eaten as it is.
    """
    found = (snapshot.kok.items.get(number) or snapshot.schedule.product_by_id(number) for number in product_ids)
    products = {product.ref: product for product in found if product}
    cooked = (product for product in products.values() if not product.facts.is_eaten)
    ingredients = tuple(dict.fromkeys(name for product in cooked for name in product.ingredients))
    positions = snapshot.recipes.by_informative_ingredients(ingredients)
    recipes = recommend(snapshot, RECIPES_FOR_CART, CartRequest(ingredients, page_of(positions, page, size), size))
    complements = recommend_complements(snapshot, {name: name for name in ingredients})
    return CartRecommendation(tuple(products), ingredients, recipes, len(positions), complements)
