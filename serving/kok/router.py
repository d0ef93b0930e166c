"""Mall routes. Lists, prices and searches come from memory; the rest of a page and histories from the database."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response

from serving.catalog.mall import KokCatalog, KokItem
from serving.kok import presenters, queries
from serving.kok.schemas import (
    AiredForUser,
    CartRecipes,
    KokCards,
    KokHistory,
    KokInfo,
    KokReviews,
    KokSaved,
    KokSearch,
    KokSellerDetails,
    KokTabs,
)
from serving.recommendations.cart import recommend_for_cart
from serving.recommendations.personal import recommend_shows
from serving.recommendations.presenters import impressions, product_fields
from serving.recommendations.recently_viewed import viewed_by
from serving.runtime import search_history
from serving.runtime.deps import CurrentRuntime, CurrentSnapshot, User, Visitor
from serving.runtime.response_cache import cache_response, impression_headers
from serving.web.errors import AWAY, UNAUTHORIZED, absent, described, not_found
from serving.web.paging import Page, Size, page_of
from serving.web.parameters import Id, KeywordQuery
from serving.web.schemas import Message, SearchKeyword
from sql.types import LARGEST_ID
from sql.warehouse import event_types as events

router = APIRouter(prefix="/api/kok", tags=["kok"], responses=AWAY)

BEST_ITEMS = 10

ProductId = Annotated[Id, Path(description="The mall's own id", examples=[10048215])]
HistoryId = Annotated[Id, Path(description="Id of an entry of the search history", examples=[12])]
SortBy = Annotated[Literal["review_count", "rating"], Query(description="The most reviews first, or the best rated")]
UseCache = Annotated[bool, Query(description="Has no effect: every answer is as fresh as the data")]
NO_PRODUCT = absent("KOK product 10048215")


@router.get("/discounted", response_model=KokCards)
async def discounted(
    request: Request,
    snapshot: CurrentSnapshot,
    _: Visitor,
    page: Page = 1,
    size: Size = 20,
    use_cache: UseCache = True,  # noqa: ARG001 - the frontend sends it
) -> Response:
    """Products with a discount now, the largest first; of several listings of an item the one with the largest."""
    items = page_of(snapshot.kok.discounted, page, size)
    event = events.KokDiscountedProductsView(page=page, size=size, kok_product_ids=_ids_of(items))
    return cache_response(request, snapshot, presenters.cards(items, snapshot.kok.fragments), event=event)


@router.get("/top-selling", response_model=KokCards)
async def top_selling(
    request: Request,
    snapshot: CurrentSnapshot,
    _: Visitor,
    page: Page = 1,
    size: Size = 20,
    sort_by: SortBy = "review_count",
) -> Response:
    """Products with reviews, by their number or by rating; one listing of each item."""
    items = page_of(_reviewed(snapshot.kok, sort_by), page, size)
    event = events.KokTopSellingProductsView(page=page, size=size, sort_by=sort_by, kok_product_ids=_ids_of(items))
    return cache_response(request, snapshot, presenters.cards(items, snapshot.kok.fragments), event=event)


@router.get("/store-best-items", response_model=KokCards)
async def store_best_items(
    request: Request, snapshot: CurrentSnapshot, _: Visitor, sort_by: SortBy = "review_count"
) -> Response:
    """The ten best reviewed products. They are the same for everyone, because orders are not known here."""
    items = _reviewed(snapshot.kok, sort_by)[:BEST_ITEMS]
    event = events.KokStoreBestItemsView(sort_by=sort_by, kok_product_ids=_ids_of(items))
    return cache_response(request, snapshot, presenters.cards(items, snapshot.kok.fragments), event=event)


@router.get("/product/homeshopping-recommend", responses=UNAUTHORIZED)
def homeshopping_recommend(
    response: Response,
    runtime: CurrentRuntime,
    snapshot: CurrentSnapshot,
    user: User,
    k: Annotated[int, Query(ge=1, le=20, description="At most so many")] = 5,
) -> AiredForUser:
    """Shows, on air or to come, that go with the mall products that the user viewed last; else the next ones."""
    found = recommend_shows(snapshot, viewed_by(runtime, user), k, runtime.clock())
    matched = [item.ref.product_id for item in found.matched]
    event = events.KokHomeshoppingRecommendation(kok_product_ids=matched, **impressions(found.shows))
    response.headers.update(impression_headers(runtime.record_event(user.user_id, event)))
    return presenters.shows_for_user(found)


@router.get(
    "/carts/recipe-recommend",
    response_model=CartRecipes,
    responses=UNAUTHORIZED
    | described(400, "A product id is no number", "product_ids are numbers separated by commas, not '감자'"),
)
async def cart_recipes(
    request: Request,
    snapshot: CurrentSnapshot,
    _: User,
    product_ids: Annotated[
        str,
        Query(
            max_length=2000,
            description="Of mall and broadcast products",
            examples=["101,7"],
            # Documentation only: other text gets 400 instead of 422, and spaces are accepted.
            json_schema_extra={"pattern": "^[0-9]{1,18}(,[0-9]{1,18})*$"},
        ),
    ],
    page: Page = 1,
    size: Size = 10,
) -> Response:
    """Recipes that use the products of a cart, the most informative ingredients first. Unknown products are skipped."""
    cart = recommend_for_cart(snapshot, _ids(product_ids), page, size)
    body = presenters.cart_recipes(cart, page, size)
    products = [events.EventProduct(**product_fields(ref)) for ref in cart.products]
    shown = events.KokCartRecipeRecommend(cart=products, **impressions(cart.recipes))
    # An empty answer counts against the release, and a page past the end says nothing of it.
    event = shown if page == 1 or cart.recipes.items else None
    return cache_response(request, snapshot, body, needs_login=True, event=event, stage=cart.recipes.stage)


@router.get("/product/{product_id}/info", response_model=KokInfo, responses=NO_PRODUCT)
async def product_info(request: Request, snapshot: CurrentSnapshot, _: Visitor, product_id: ProductId) -> Response:
    """A product page, also of a product that is no longer listed."""
    item = snapshot.kok.items.get(product_id)
    if item is None:
        raise not_found(f"KOK product {product_id}")
    return cache_response(
        request, snapshot, presenters.info(item), event=events.KokProductInfoView(kok_product_id=product_id)
    )


@router.get("/product/{product_id}/tabs", response_model=KokTabs)
def product_tabs(
    request: Request, runtime: CurrentRuntime, snapshot: CurrentSnapshot, _: Visitor, product_id: ProductId
) -> Response:
    """The images of a product's description, in order; none for an unknown product."""
    with runtime.service_db.connect() as conn:
        urls = queries.read_images(conn, product_id)
    event = events.KokProductTabsView(kok_product_id=product_id)
    return cache_response(request, snapshot, presenters.tabs(product_id, urls), event=event)


@router.get("/product/{product_id}/reviews", response_model=KokReviews, responses=NO_PRODUCT)
def product_reviews(
    request: Request, runtime: CurrentRuntime, snapshot: CurrentSnapshot, _: Visitor, product_id: ProductId
) -> Response:
    """The newest reviews of a product, and statistics of all of them."""
    with runtime.service_db.connect() as conn:
        product, reviews = queries.read_reviews(conn, product_id)
    if product is None:
        raise not_found(f"KOK product {product_id}")
    body = presenters.reviews(product, reviews)
    return cache_response(request, snapshot, body, event=events.KokProductReviewsView(kok_product_id=product_id))


@router.get("/product/{product_id}/seller-details", response_model=KokSellerDetails, responses=NO_PRODUCT)
def seller_details(
    request: Request, runtime: CurrentRuntime, snapshot: CurrentSnapshot, _: Visitor, product_id: ProductId
) -> Response:
    """The seller of a product, and the tables of details on its page."""
    if product_id not in snapshot.kok.items:
        raise not_found(f"KOK product {product_id}")
    with runtime.service_db.connect() as conn:
        seller, details = queries.read_seller(conn, product_id)
    body = presenters.seller_details(seller, details)
    return cache_response(request, snapshot, body, event=events.KokProductDetailsView(kok_product_id=product_id))


@router.get("/search", response_model=KokSearch)
async def search(
    request: Request, snapshot: CurrentSnapshot, _: Visitor, keyword: KeywordQuery, page: Page = 1, size: Size = 20
) -> Response:
    """Listed products that a keyword means, best first.

    Spelling, spacing, synonyms, initials, English names and the wrong keyboard are understood; the last noun decides.
    Of several matching listings of an item it finds one.
    """
    found = snapshot.kok.search(keyword, snapshot.knows)
    total, shown = len(found.items), page_of(found.items, page, size)
    products = [presenters.found(item) for item in shown]
    body = KokSearch(total=total, page=page, size=size, products=products, did_you_mean=found.did_you_mean)
    event = events.KokProductSearch(
        keyword=keyword, result_count=total, page=page, size=size, kok_product_ids=_ids_of(shown)
    )
    return cache_response(request, snapshot, body, event=event)


@router.get("/search/history", responses=UNAUTHORIZED)
def list_search_history(
    runtime: CurrentRuntime, user: User, limit: Annotated[int, Query(ge=1, le=50, description="The newest only")] = 10
) -> KokHistory:
    """The user's latest keywords."""
    rows = search_history.latest(runtime, search_history.KOK, user, limit)
    return KokHistory(history=[presenters.history_entry(row) for row in rows])


@router.post("/search/history", responses=UNAUTHORIZED)
def save_search(runtime: CurrentRuntime, user: User, body: SearchKeyword) -> KokSaved:
    """Save a keyword."""
    row = search_history.save(runtime, search_history.KOK, user, body.keyword)
    return KokSaved(message="검색어가 저장되었습니다.", saved=presenters.history_entry(row))


@router.delete("/search/history/{history_id}", responses=UNAUTHORIZED | absent("search history 12"))
def delete_search(runtime: CurrentRuntime, user: User, history_id: HistoryId) -> Message:
    """Delete a keyword of the user."""
    search_history.forget(runtime, search_history.KOK, user, history_id)
    return Message(message="검색어가 삭제되었습니다.")


def _reviewed(catalog: KokCatalog, sort_by: SortBy) -> list[KokItem]:
    ordered = catalog.by_reviews if sort_by == "review_count" else catalog.by_rating
    return [item for item in ordered if item.review_count > 0]


def _ids_of(items: Sequence[KokItem]) -> list[int]:
    return [item.ref.product_id for item in items]


def _ids(written: str) -> list[int]:
    """Product ids separated by commas."""
    ids = [part.strip() for part in written.split(",") if part.strip()]
    wrong = next((part for part in ids if not part.isascii() or not part.isdecimal() or int(part) > LARGEST_ID), None)
    if wrong is not None or not ids:
        raise HTTPException(400, f"product_ids are numbers separated by commas, not {wrong or 'nothing'!r}")
    return [int(part) for part in ids]
