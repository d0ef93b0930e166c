"""What is recommended for what: for each relation its stages, in the order in which they are tried.

The first stage that yields anything answers alone, and what is only popular is offered under that name alone:
:data:`POPULAR_RECIPES` and the like are relations of their own. :mod:`serving.recommendations.personal` combines these
relations for a user.
"""

from datetime import datetime
from typing import Final

from recommender.rankers.substitute import Substitute
from serving.catalog.broadcasts import Product, Show
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Recipe
from serving.recommendations import ingredient_candidates as ingredients
from serving.recommendations import product_candidates as products
from serving.recommendations import recipe_candidates as recipes
from serving.recommendations.asked_ingredients import AskedIngredient
from serving.recommendations.offers import Offer
from serving.recommendations.requests import (
    CartRequest,
    ComplementsRequest,
    IngredientRequest,
    IngredientShowsRequest,
    IngredientsRequest,
    MallItemRequest,
    PopularRequest,
    ProductRequest,
    ProductShowsRequest,
    RecipeRequest,
    SearchRequest,
)
from serving.recommendations.stages import Generator, Recommendation, Relation, Stage, recommend
from serving.runtime.snapshot import Snapshot
from serving.web.clock import next_midnight

RECIPES_FOR_PRODUCT: Final[Relation[ProductRequest, Recipe]] = (
    Generator(Stage.RELEASE, recipes.neighbour_recipes, decides=True),
    Generator(Stage.RESOLVED, recipes.recipes_with_all_product_ingredients),
    Generator(Stage.RESOLVED, recipes.recipes_with_main_product_ingredient),
)

RECIPES_BY_INGREDIENTS: Final[Relation[IngredientsRequest, Recipe]] = (
    Generator(Stage.RELEASE, recipes.recipes_ranked_by_release),
    Generator(Stage.RESOLVED, recipes.recipes_with_all_ingredients),
    Generator(Stage.RESOLVED, recipes.recipes_with_main_ingredient),
)

RECIPES_FOR_CART: Final[Relation[CartRequest, Recipe]] = (Generator(Stage.RESOLVED, recipes.recipes_for_cart),)

POPULAR_RECIPES: Final[Relation[PopularRequest, Recipe]] = (Generator(Stage.POPULAR, recipes.popular_recipes),)

# For a product of a broadcaster.
MALL_PRODUCTS_FOR_PRODUCT: Final[Relation[ProductRequest, KokItem]] = (
    Generator(Stage.RELEASE, products.similar_mall_products, decides=True),
    Generator(Stage.RESOLVED, products.mall_products_with_ingredients),
)

# For a product of the mall itself.
MALL_PRODUCTS_FOR_MALL_ITEM: Final[Relation[MallItemRequest, KokItem]] = (
    Generator(Stage.RELEASE, products.other_similar_mall_products, decides=True),
    Generator(Stage.RESOLVED, products.other_mall_products_with_ingredients),
)

SHOWS_FOR_PRODUCT: Final[Relation[ProductShowsRequest, Show]] = (
    Generator(Stage.RELEASE, products.shows_of_similar_products_by_start, decides=True),
    Generator(Stage.RESOLVED, products.shows_with_ingredients),
)

# As above, best first instead of by start.
SIMILAR_SHOWS: Final[Relation[ProductShowsRequest, Show]] = (
    Generator(Stage.RELEASE, products.shows_of_similar_products, decides=True),
    Generator(Stage.RESOLVED, products.shows_with_ingredients),
)

POPULAR_SHOWS: Final[Relation[PopularRequest, Show]] = (Generator(Stage.POPULAR, products.shows_on_air_or_next),)

POPULAR_PRODUCTS: Final[Relation[PopularRequest, Offer]] = (Generator(Stage.POPULAR, products.popular_offers),)

PRODUCTS_FOR_RECIPE: Final[Relation[RecipeRequest, Offer]] = (
    Generator(Stage.RELEASE, products.neighbours_of_recipe),
    Generator(Stage.RESOLVED, products.mall_product_per_ingredient),
)

SHOWS_FOR_INGREDIENT: Final[Relation[IngredientShowsRequest, Show]] = (
    Generator(Stage.RESOLVED, products.shows_with_ingredient),
)

MALL_PRODUCTS_FOR_INGREDIENT: Final[Relation[IngredientRequest, KokItem]] = (
    Generator(Stage.RELEASE, products.mall_products_for_ingredient, decides=True),
    Generator(Stage.RESOLVED, products.mall_products_with_ingredient),
    Generator(Stage.TEXT, products.mall_products_named),
)

SUBSTITUTES: Final[Relation[IngredientRequest, Substitute]] = (Generator(Stage.RELEASE, ingredients.substitutes),)

COMPLEMENTS: Final[Relation[ComplementsRequest, str]] = (
    Generator(Stage.RELEASE, ingredients.complements),
    Generator(Stage.RESOLVED, ingredients.ingredients_used_together),
)

# The release is asked for recipes of similar meaning only where no title matches.
SEARCH_RECIPES: Final[Relation[SearchRequest, Recipe]] = (
    Generator(Stage.TEXT, recipes.recipes_by_title),
    Generator(Stage.RELEASE, recipes.recipes_by_meaning),
)

SEARCH_PRODUCTS: Final[Relation[SearchRequest, Offer]] = (Generator(Stage.TEXT, products.products_by_title),)


def mall_products_for(snapshot: Snapshot, product: KokItem | Product, k: int) -> Recommendation[KokItem]:
    """Mall products that go with any product."""
    if isinstance(product, KokItem):
        return recommend(snapshot, MALL_PRODUCTS_FOR_MALL_ITEM, MallItemRequest(product, k))
    return recommend(snapshot, MALL_PRODUCTS_FOR_PRODUCT, ProductRequest(product, k))


def products_for_ingredient(
    snapshot: Snapshot, ingredient: AskedIngredient, k: int, most_shows: int, now: datetime
) -> Recommendation[Offer]:
    """Products to buy as an ingredient: at most ``most_shows`` shows, then mall products, ``k`` in all."""
    shows = recommend(snapshot, SHOWS_FOR_INGREDIENT, IngredientShowsRequest(ingredient, most_shows, now))
    request = IngredientRequest(ingredient, k - len(shows.items))
    items = recommend(snapshot, MALL_PRODUCTS_FOR_INGREDIENT, request)
    return Recommendation((*shows.items, *items.items), shows.stage or items.stage, snapshot.release_version)


def next_change(recommendation: Recommendation[Offer], now: datetime) -> datetime | None:
    """The instant at which time alone may change a recommendation; None where it never does.

    That is when one of its shows starts or ends. A popular or an empty one is valid until midnight at most, when the
    schedule covers another day.
    """
    shows = [entry.item for entry in recommendation.items if isinstance(entry.item, Show)]
    changes = [show.starts_at if show.starts_at > now else show.ends_at for show in shows]
    if recommendation.stage in {None, Stage.POPULAR}:
        changes.append(next_midnight(now))
    return min(changes, default=None)
