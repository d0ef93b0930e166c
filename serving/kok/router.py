"""Mall routes. Lists, prices and searches come from memory; the rest of a page and history wait for the database."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response

from serving.catalog import mall
from serving.catalog.broadcasts import Product, Show
from serving.catalog.mall import SOURCE, KokCatalog, KokItem
from serving.catalog.recipes import Recipe
from serving.kok import schemas
from serving.kok.schemas import (
    AiredForUser,
    AiredNow,
    CartRecipes,
    KokCards,
    KokDetail,
    KokHistory,
    KokImage,
    KokInfo,
    KokReviews,
    KokSaved,
    KokSearch,
    KokSellerDetails,
    KokTabs,
)
from serving.recommend.schemas import impressions, item_origin, origin, product_name
from serving.recommendations import candidates
from serving.recommendations.candidates import Recommendation
from serving.recommendations.recently_viewed import viewed_by
from serving.runtime import search_history
from serving.runtime.deps import CurrentRuntime, CurrentSnapshot, User, Visitor
from serving.runtime.response_cache import cache_response
from serving.runtime.snapshot import Snapshot
from serving.web.errors import UNAUTHORIZED, absent, described, not_found
from serving.web.paging import Page, Size, page_of
from serving.web.parameters import Id, KeywordQuery
from serving.web.schemas import Message, SearchKeyword
from sql.types import LARGEST_ID
from sql.warehouse import event_types as events

router = APIRouter(prefix="/api/kok", tags=["kok"])

BEST_ITEMS = 10

ProductId = Annotated[Id, Path(description="The mall's own id", examples=[10048215])]
HistoryId = Annotated[Id, Path(description="Of an entry of the search history", examples=[12])]
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
    """Products with a discount now, the largest first; of several listings of the same goods that with the largest."""
    event = events.KokDiscountedProductsView(page=page, size=size)
    return cache_response(
        request,
        snapshot,
        schemas.cards(page_of(snapshot.kok.discounted, page, size), snapshot.kok.fragments),
        event=event,
    )


@router.get("/top-selling", response_model=KokCards)
async def top_selling(
    request: Request,
    snapshot: CurrentSnapshot,
    _: Visitor,
    page: Page = 1,
    size: Size = 20,
    sort_by: SortBy = "review_count",
) -> Response:
    """Products that people reviewed, by the number of reviews or by rating; of the same goods one listing."""
    event = events.KokTopSellingProductsView(page=page, size=size, sort_by=sort_by)
    return cache_response(
        request,
        snapshot,
        schemas.cards(page_of(_reviewed(snapshot.kok, sort_by), page, size), snapshot.kok.fragments),
        event=event,
    )


@router.get("/store-best-items", response_model=KokCards)
async def store_best_items(
    request: Request, snapshot: CurrentSnapshot, _: Visitor, sort_by: SortBy = "review_count"
) -> Response:
    """The ten best reviewed products. Orders are not known here, so they are the same for everyone."""
    event = events.KokStoreBestItemsView(sort_by=sort_by)
    return cache_response(
        request,
        snapshot,
        schemas.cards(_reviewed(snapshot.kok, sort_by)[:BEST_ITEMS], snapshot.kok.fragments),
        event=event,
    )


@router.get("/product/homeshopping-recommend", responses=UNAUTHORIZED)
def homeshopping_recommend(
    runtime: CurrentRuntime,
    snapshot: CurrentSnapshot,
    user: User,
    k: Annotated[int, Query(ge=1, le=20, description="At most so many")] = 5,
) -> AiredForUser:
    """Shows, on air or to come, that go with the mall products that the user looked at last; else the next ones."""
    now = runtime.clock()
    viewed = [
        snapshot.kok.items[v.number]
        for v in viewed_by(runtime, user)
        if v.source == SOURCE and v.number in snapshot.kok.items
    ]
    found = {
        item: candidates.shows_like(snapshot, SOURCE, item.product_id, item.ingredients, k, now) for item in viewed
    }
    own = {item: picked for item, picked in found.items() if picked.source != "popular"}
    soon = Recommendation(candidates.shows_soon(snapshot, k, now), "popular", snapshot.release_version)
    by_product = {item.name: _aired(picked) for item, picked in own.items()}
    distinct = {row.live_id: row for rows in (by_product.values() or [_aired(soon)]) for row in rows}
    rows = list(distinct.values())[:k]
    first = next(iter(own.values()), soon if rows else Recommendation((), None, snapshot.release_version))
    shows = {pair[0].live_id: pair for picked in (own.values() or [soon]) for pair in picked.items}
    shown = impressions(replace(first, items=tuple(shows.values())[:k]))
    event = events.KokHomeshoppingRecommendation(kok_product_ids=[item.product_id for item in own], **shown)
    runtime.record_event(user.user_id, event)
    return AiredForUser(
        kok_product_name=viewed[0].name if viewed else "",
        recommendations=rows,
        total_count=len(rows),
        algorithm_info={"source": first.source or "none", "release_version": snapshot.release_version or "none"},
        product_recommendations=by_product,
        **origin(first),
    )


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
            # Told only: what is no id is answered by 400, and spaces are forgiven.
            json_schema_extra={"pattern": "^[0-9]{1,18}(,[0-9]{1,18})*$"},
        ),
    ],
    page: Page = 1,
    size: Size = 10,
) -> Response:
    """Recipes that use what is in a cart: those first that use the most telling of it. Unknown products are skipped."""
    products = _products(snapshot, _ids(product_ids))
    names = list(dict.fromkeys(name for product in products.values() for name in product.ingredients))
    using = candidates.recipes_using(snapshot, names)
    shown = page_of(using, page, size)
    picked = Recommendation(
        tuple((recipe, f"contains:{','.join(n for n in names if n in _names(recipe))}") for recipe, _ in shown),
        "resolved" if shown else None,
        snapshot.release_version,
    )
    body = CartRecipes(
        recipes=[schemas.cart_recipe(recipe, names, item_origin(picked, reason)) for recipe, reason in picked.items],
        total_count=len(using),
        page=page,
        size=size,
        total_pages=-(-len(using) // size),
        keyword_extraction=names,
        **origin(picked),
    )
    cart = [events.Product(**product_name(*key)) for key in products]
    event = events.KokCartRecipeRecommend(cart=cart, **impressions(picked))
    return cache_response(request, snapshot, body, needs_login=True, event=event, stage=picked.source)


@router.get("/product/{product_id}/info", response_model=KokInfo, responses=NO_PRODUCT)
async def product_info(request: Request, snapshot: CurrentSnapshot, _: Visitor, product_id: ProductId) -> Response:
    """A product's page, also of one that is no longer listed."""
    item = snapshot.kok.items.get(product_id)
    if item is None:
        raise not_found(f"KOK product {product_id}")
    return cache_response(
        request, snapshot, schemas.info(item), event=events.KokProductInfoView(kok_product_id=product_id)
    )


@router.get("/product/{product_id}/tabs", response_model=KokTabs)
def product_tabs(
    request: Request, runtime: CurrentRuntime, snapshot: CurrentSnapshot, _: Visitor, product_id: ProductId
) -> Response:
    """The images of a product's description, in order; none for an unknown product."""
    with runtime.service_db.connect() as conn:
        urls = mall.read_images(conn, product_id)
    images = [
        KokImage(kok_img_id=place, kok_product_id=product_id, kok_img_url=url)
        for place, url in enumerate(urls, start=1)
    ]
    event = events.KokProductTabsView(kok_product_id=product_id)
    return cache_response(request, snapshot, KokTabs(images=images), event=event)


@router.get("/product/{product_id}/reviews", response_model=KokReviews, responses=NO_PRODUCT)
def product_reviews(
    request: Request, runtime: CurrentRuntime, snapshot: CurrentSnapshot, _: Visitor, product_id: ProductId
) -> Response:
    """What customers say of a product, together and one by one."""
    with runtime.service_db.connect() as conn:
        product, reviews = mall.read_reviews(conn, product_id)
    if product is None:
        raise not_found(f"KOK product {product_id}")
    body = KokReviews(stats=schemas.review_stats(product), reviews=[schemas.review(row) for row in reviews])
    return cache_response(request, snapshot, body, event=events.KokProductReviewsView(kok_product_id=product_id))


@router.get("/product/{product_id}/seller-details", response_model=KokSellerDetails, responses=NO_PRODUCT)
def seller_details(
    request: Request, runtime: CurrentRuntime, snapshot: CurrentSnapshot, _: Visitor, product_id: ProductId
) -> Response:
    """Who sells a product, and the tables of facts on its page."""
    if product_id not in snapshot.kok.items:
        raise not_found(f"KOK product {product_id}")
    with runtime.service_db.connect() as conn:
        seller, facts = mall.read_seller(conn, product_id)
    details = [KokDetail(kok_detail_col=name, kok_detail_val=value) for name, value in facts]
    body = KokSellerDetails(seller_info=schemas.seller_info(seller), detail_info=details)
    return cache_response(request, snapshot, body, event=events.KokProductDetailsView(kok_product_id=product_id))


@router.get("/search", response_model=KokSearch)
async def search(
    request: Request, snapshot: CurrentSnapshot, _: Visitor, keyword: KeywordQuery, page: Page = 1, size: Size = 20
) -> Response:
    """Listed products whose name or store holds the keyword, then those that hold its words.

    Of several listings of the same goods that match it finds one.
    """
    items = snapshot.kok.search(keyword, snapshot.knows)
    products = [schemas.found(item) for item in page_of(items, page, size)]
    body = KokSearch(total=len(items), page=page, size=size, products=products)
    return cache_response(
        request, snapshot, body, event=events.KokProductSearch(keyword=keyword, result_count=len(items))
    )


@router.get("/search/history", responses=UNAUTHORIZED)
def list_search_history(
    runtime: CurrentRuntime, user: User, limit: Annotated[int, Query(ge=1, le=50, description="The newest only")] = 10
) -> KokHistory:
    """The user's latest keywords."""
    rows = search_history.latest(runtime, search_history.KOK, user, limit)
    return KokHistory(history=[schemas.history_entry(row) for row in rows])


@router.post("/search/history", responses=UNAUTHORIZED)
def save_search(runtime: CurrentRuntime, user: User, body: SearchKeyword) -> KokSaved:
    """Remember a keyword."""
    row = search_history.save(runtime, search_history.KOK, user, body.keyword)
    return KokSaved(message="검색어가 저장되었습니다.", saved=schemas.history_entry(row))


@router.delete("/search/history/{history_id}", responses=UNAUTHORIZED | absent("search history 12"))
def forget_search(runtime: CurrentRuntime, user: User, history_id: HistoryId) -> Message:
    """Forget a keyword of the user."""
    search_history.forget(runtime, search_history.KOK, user, history_id)
    return Message(message="검색어가 삭제되었습니다.")


def _reviewed(catalog: KokCatalog, sort_by: SortBy) -> list[KokItem]:
    ordered = catalog.by_reviews if sort_by == "review_count" else catalog.by_rating
    return [item for item in ordered if item.review_count > 0]


def _aired(picked: Recommendation[Show]) -> list[AiredNow]:
    return [schemas.aired_now(show, item_origin(picked, reason)) for show, reason in picked.items]


def _ids(written: str) -> list[int]:
    """Product ids separated by commas."""
    ids = [part.strip() for part in written.split(",") if part.strip()]
    wrong = next((part for part in ids if not part.isascii() or not part.isdecimal() or int(part) > LARGEST_ID), None)
    if wrong is not None or not ids:
        raise HTTPException(400, f"product_ids are numbers separated by commas, not {wrong or 'nothing'!r}")
    return [int(part) for part in ids]


def _products(snapshot: Snapshot, product_ids: Iterable[int]) -> dict[tuple[str, int], KokItem | Product]:
    """Products of the mall, else of broadcasts, by source and id."""
    found: dict[tuple[str, int], KokItem | Product] = {}
    for number in product_ids:
        item, product = snapshot.kok.items.get(number), snapshot.schedule.find_product(number)
        if item:
            found[SOURCE, number] = item
        elif product:
            found[product.source, product.product_id] = product
    return found


def _names(recipe: Recipe) -> set[str]:
    return {line.known_as for line in recipe.lines}
