"""Build the bodies of the mall routes."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Row

from serving.catalog.broadcasts import Show
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Recipe
from serving.kok.schemas import (
    AiredForUser,
    AiredNow,
    CartRecipe,
    CartRecipes,
    KokCard,
    KokDetail,
    KokFound,
    KokHistoryEntry,
    KokImage,
    KokInfo,
    KokReviewed,
    KokReviews,
    KokReviewStats,
    KokSellerDetails,
    KokSellerInfo,
    KokTabs,
)
from serving.recommendations.cart import CartRecommendation
from serving.recommendations.personal import ShowsForViews
from serving.recommendations.presenters import complement_rows, item_provenance, provenance, used_ingredients
from serving.recommendations.stages import Recommendation, RecommendedItem
from serving.runtime.search_history import Searched
from serving.web.fragments import Fragments, fragment, listed
from serving.web.money import shown_price


def card(item: KokItem) -> KokCard:
    """A product as lists show it."""
    return KokCard(
        kok_product_id=item.ref.product_id,
        kok_thumbnail=item.thumbnail,
        kok_discount_rate=item.discount_rate,
        kok_discounted_price=item.price or 0,
        kok_product_name=item.name,
        kok_store_name=item.store,
        kok_review_cnt=item.review_count,
        kok_review_score=item.review_score,
        price_kind=item.price_kind,
    )


def cards(items: Iterable[KokItem], fragments: Fragments) -> bytes:
    """:class:`~serving.kok.schemas.KokCards` as JSON."""
    rows = (fragment(fragments, "card", item.ref.product_id, card, item) for item in items)
    return b'{"products":' + listed(rows) + b"}"


def found(item: KokItem) -> KokFound:
    """A product as a search shows it."""
    price = shown_price(item.list_price, item.price, item.price_kind, item.discount_rate or None)
    return KokFound(**card(item).model_dump(), kok_product_price=price.sale)


def info(item: KokItem) -> KokInfo:
    """A product page."""
    price = shown_price(item.list_price, item.price, item.price_kind, item.discount_rate or None)
    return KokInfo(
        kok_product_id=item.ref.product_id,
        kok_product_name=item.name,
        kok_store_name=item.store,
        kok_thumbnail=item.thumbnail or "",
        kok_product_price=price.sale,
        kok_discount_rate=item.discount_rate,
        kok_discounted_price=price.dc,
        kok_review_cnt=item.review_count,
        price_kind=price.kind,
    )


def tabs(product_id: int, urls: Iterable[str]) -> KokTabs:
    """The images of a product's description."""
    return KokTabs(
        images=[
            KokImage(kok_img_id=place, kok_product_id=product_id, kok_img_url=url)
            for place, url in enumerate(urls, start=1)
        ]
    )


def history_entry(row: Searched) -> KokHistoryEntry:
    """A stored keyword."""
    return KokHistoryEntry(
        kok_history_id=row.history_id, user_id=row.user_id, kok_keyword=row.keyword, kok_searched_at=row.searched_at
    )


def reviews(product: Row[Any], rows: Iterable[Row[Any]]) -> KokReviews:
    """The reviews of a product, from its row of ``kok_product`` and rows of ``kok_review``."""
    return KokReviews(stats=_review_stats(product), reviews=[_review(row) for row in rows])


def seller_details(seller: Row[Any] | None, details: Iterable[tuple[str, str]]) -> KokSellerDetails:
    """A row of ``kok_seller``, None for a product whose page has not been crawled, and (name, value) details."""
    return KokSellerDetails(
        seller_info=_seller_info(seller),
        detail_info=[KokDetail(kok_detail_col=name, kok_detail_val=value) for name, value in details],
    )


def cart_recipes(cart: CartRecommendation, page: int, size: int) -> CartRecipes:
    """A page of recipes for a cart."""
    recipes = cart.recipes
    return CartRecipes(
        recipes=[_cart_recipe(entry, cart.ingredients, recipes.release_version) for entry in recipes.items],
        total_count=cart.total,
        page=page,
        size=size,
        total_pages=-(-cart.total // size),
        keyword_extraction=list(cart.ingredients),
        complements=complement_rows(cart.complements),
        **provenance(recipes),
    )


def shows_for_user(found: ShowsForViews) -> AiredForUser:
    """Shows for the mall products that a user viewed last."""
    shows = found.shows
    rows = _aired(shows)
    return AiredForUser(
        kok_product_name=found.last_viewed.name if found.last_viewed else "",
        recommendations=rows,
        total_count=len(rows),
        algorithm_info={"stage": shows.stage or "none", "release_version": shows.release_version or "none"},
        product_recommendations={name: _aired(picked) for name, picked in found.by_product.items()},
        **provenance(shows),
    )


def _review_stats(row: Row[Any]) -> KokReviewStats:
    return KokReviewStats(
        kok_review_score=row.review_score or 0.0,
        kok_review_cnt=row.review_count or 0,
        kok_5_ratio=row.five_star_share or 0,
        kok_4_ratio=row.four_star_share or 0,
        kok_3_ratio=row.three_star_share or 0,
        kok_2_ratio=row.two_star_share or 0,
        kok_1_ratio=row.one_star_share or 0,
        kok_aspect_price=row.price_opinion or "",
        kok_aspect_price_ratio=row.price_opinion_share or 0,
        kok_aspect_delivery=row.delivery_opinion or "",
        kok_aspect_delivery_ratio=row.delivery_opinion_share or 0,
        kok_aspect_taste=row.taste_opinion or "",
        kok_aspect_taste_ratio=row.taste_opinion_share or 0,
    )


def _review(row: Row[Any]) -> KokReviewed:
    return KokReviewed(
        kok_review_id=row.review_id,
        kok_product_id=row.kok_product_id,
        kok_nickname=row.nickname or "",
        kok_review_user=row.nickname or "",
        kok_review_date=row.written_on.isoformat() if row.written_on else "",
        kok_review_score=row.score or 0,
        kok_price_eval=row.price_opinion or "",
        kok_delivery_eval=row.delivery_opinion or "",
        kok_taste_eval=row.taste_opinion or "",
        kok_review_text=row.text or "",
    )


def _seller_info(row: Row[Any] | None) -> KokSellerInfo:
    return KokSellerInfo(
        kok_co_ceo=(row and row.ceo_name) or "",
        kok_co_reg_no=(row and row.registration_number) or "",
        kok_co_ec_reg=(row and row.ecommerce_registration) or "",
        kok_tell=(row and row.phone) or "",
        kok_ver_item=(row and row.verified_item) or "",
        kok_ver_date=(row and row.verified_on) or "",
        kok_co_addr=(row and row.address) or "",
        kok_return_addr=(row and row.return_address) or "",
    )


def _cart_recipe(
    entry: RecommendedItem[Recipe], ingredients: Collection[str], release_version: str | None
) -> CartRecipe:
    recipe = entry.item
    used = used_ingredients(recipe, ingredients)
    return CartRecipe(
        recipe_id=recipe.recipe_id,
        recipe_title=recipe.title,
        cooking_name=recipe.dish,
        description=recipe.introduction or "",
        cooking_introduction=recipe.introduction,
        scrap_count=recipe.scrap_count or 0,  # the frontend needs a number here
        recipe_url=recipe.url,
        thumbnail_url=recipe.image_url,
        number_of_serving=recipe.servings,
        ingredients=list(dict.fromkeys(line.name for line in recipe.lines)),
        matched_ingredient_count=len(used),
        total_ingredients_count=len(recipe.by_ingredient),
        used_ingredients=used,
        **item_provenance(entry, release_version),
    )


def _aired(shows: Recommendation[Show]) -> list[AiredNow]:
    return [_aired_now(entry, shows.release_version) for entry in shows.items]


def _aired_now(entry: RecommendedItem[Show], release_version: str | None) -> AiredNow:
    show = entry.item
    price = shown_price(show.list_price, show.price, show.price_kind, show.discount_rate)
    return AiredNow(
        live_id=show.live_id,
        product_id=show.product.ref.product_id,
        product_name=show.product.name,
        store_name=show.product.store,
        sale_price=price.sale,
        dc_price=price.dc,
        dc_rate=price.rate,
        price_kind=price.kind,
        thumb_img_url=show.product.thumbnail,
        live_date=show.day,
        live_start_time=show.start_time,
        live_end_time=show.end_time,
        **item_provenance(entry, release_version),
    )
