"""The relations between queries and candidates."""

from enum import StrEnum


class Relation(StrEnum):
    """A relation that a ranker is learnt for."""

    SIMILAR_PRODUCTS = "similar_products"  # broadcast or mall product -> products of the same use
    PRODUCT_RECIPES = "product_recipes"  # product -> recipes to cook with it
    INGREDIENT_PRODUCTS = "ingredient_products"  # ingredient, also of a recipe -> products to buy
