"""Mall routes. Lists and pages come from memory; searching runs the analyser and history waits for the database."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from serving.common import history
from serving.common.deps import CurrentRuntime, CurrentView, Id, Keyword, User, Visitor
from serving.common.errors import NOT_FOUND, UNAUTHORIZED, not_found
from serving.common.memory_route import MemoryRoute, keep
from serving.common.paging import Page, Size, page_of
from serving.kok import queries, schemas
from serving.kok.queries import SOURCE, KokCatalog, KokItem
from serving.kok.schemas import (
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
    Message,
    SearchKeyword,
)

router = APIRouter(prefix="/api/kok", tags=["kok"], route_class=MemoryRoute)

BEST_ITEMS = 10

SortBy = Annotated[Literal["review_count", "rating"], Query(description="The most reviews first, or the best rated")]
UseCache = Annotated[bool, Query(description="Has no effect: every answer is as fresh as the data")]


@router.get("/discounted", response_model=KokCards)
async def discounted(
    request: Request,
    view: CurrentView,
    _: Visitor,
    page: Page = 1,
    size: Size = 20,
    use_cache: UseCache = True,  # noqa: ARG001 - the frontend sends it
) -> Response:
    """Products with a discount now, the largest first; of several listings of the same goods that with the largest."""
    noted = ("kok_discounted_products_view", {"page": page, "size": size})
    return keep(request, view, _cards(page_of(view.kok.discounted, page, size)), noted=noted)


@router.get("/top-selling", response_model=KokCards)
async def top_selling(
    request: Request, view: CurrentView, _: Visitor, page: Page = 1, size: Size = 20, sort_by: SortBy = "review_count"
) -> Response:
    """Products that people reviewed, by the number of reviews or by rating; of the same goods one listing."""
    noted = ("kok_top_selling_products_view", {"page": page, "size": size, "sort_by": sort_by})
    return keep(request, view, _cards(page_of(_reviewed(view.kok, sort_by), page, size)), noted=noted)


@router.get("/store-best-items", response_model=KokCards)
async def store_best_items(
    request: Request, view: CurrentView, _: Visitor, sort_by: SortBy = "review_count"
) -> Response:
    """The ten best reviewed products. Orders are not known here, so they are the same for everyone."""
    noted = ("kok_store_best_items_view", {"sort_by": sort_by})
    return keep(request, view, _cards(_reviewed(view.kok, sort_by)[:BEST_ITEMS]), noted=noted)


@router.get("/product/{product_id}/info", response_model=KokInfo, responses=NOT_FOUND)
async def product_info(request: Request, view: CurrentView, _: Visitor, product_id: Id) -> Response:
    """A product's page, also of one that is no longer listed."""
    item = view.kok.items.get(product_id)
    if item is None:
        raise not_found(f"KOK product {product_id}")
    return keep(request, view, schemas.info(item), noted=("kok_product_info_view", {"kok_product_id": product_id}))


@router.get("/product/{product_id}/tabs", response_model=KokTabs)
def product_tabs(request: Request, runtime: CurrentRuntime, view: CurrentView, _: Visitor, product_id: Id) -> Response:
    """The images of a product's description, in order; none for an unknown product."""
    with runtime.service_db.connect() as conn:
        urls = queries.read_images(conn, product_id)
    images = [
        KokImage(kok_img_id=place, kok_product_id=product_id, kok_img_url=url)
        for place, url in enumerate(urls, start=1)
    ]
    noted = ("kok_product_tabs_view", {"kok_product_id": product_id})
    return keep(request, view, KokTabs(images=images), noted=noted)


@router.get("/product/{product_id}/reviews", response_model=KokReviews, responses=NOT_FOUND)
def product_reviews(
    request: Request, runtime: CurrentRuntime, view: CurrentView, _: Visitor, product_id: Id
) -> Response:
    """What customers say of a product, together and one by one."""
    with runtime.service_db.connect() as conn:
        product, reviews = queries.read_reviews(conn, product_id)
    if product is None:
        raise not_found(f"KOK product {product_id}")
    body = KokReviews(stats=schemas.review_stats(product), reviews=[schemas.review(row) for row in reviews])
    return keep(request, view, body, noted=("kok_product_reviews_view", {"kok_product_id": product_id}))


@router.get("/product/{product_id}/seller-details", response_model=KokSellerDetails, responses=NOT_FOUND)
def seller_details(
    request: Request, runtime: CurrentRuntime, view: CurrentView, _: Visitor, product_id: Id
) -> Response:
    """Who sells a product, and the tables of facts on its page."""
    if product_id not in view.kok.items:
        raise not_found(f"KOK product {product_id}")
    with runtime.service_db.connect() as conn:
        seller, facts = queries.read_seller(conn, product_id)
    details = [KokDetail(kok_detail_col=name, kok_detail_val=value) for name, value in facts]
    body = KokSellerDetails(seller_info=schemas.seller_info(seller), detail_info=details)
    return keep(request, view, body, noted=("kok_product_details_view", {"kok_product_id": product_id}))


@router.get("/search")
def search(view: CurrentView, _: Visitor, keyword: Keyword, page: Page = 1, size: Size = 20) -> KokSearch:
    """Listed products whose name or store holds the keyword, then those that hold its words.

    Of several listings of the same goods that match it finds one.
    """
    items = view.kok.search(keyword)
    products = [schemas.found(item) for item in page_of(items, page, size)]
    return KokSearch(total=len(items), page=page, size=size, products=products)


@router.get("/search/history", responses=UNAUTHORIZED)
def search_history(runtime: CurrentRuntime, user: User, limit: Annotated[int, Query(ge=1, le=50)] = 10) -> KokHistory:
    """The user's latest keywords."""
    with runtime.service_db.connect() as conn:
        rows = history.latest(conn, SOURCE, user.user_id, limit)
    return KokHistory(history=[schemas.history_entry(row) for row in rows])


@router.post("/search/history", responses=UNAUTHORIZED)
def save_search(runtime: CurrentRuntime, user: User, body: SearchKeyword) -> KokSaved:
    """Remember a keyword."""
    with runtime.service_db.begin() as conn:
        row = history.save(conn, SOURCE, user.user_id, body.keyword, runtime.clock())
    return KokSaved(message="검색어가 저장되었습니다.", saved=schemas.history_entry(row))


@router.delete("/search/history/{history_id}", responses=UNAUTHORIZED | NOT_FOUND)
def forget_search(runtime: CurrentRuntime, user: User, history_id: Id) -> Message:
    """Forget a keyword of the user."""
    with runtime.service_db.begin() as conn:
        found = history.forget(conn, SOURCE, user.user_id, history_id)
    if not found:
        raise not_found(f"search history {history_id}")
    return Message(message="검색어가 삭제되었습니다.")


def _reviewed(catalog: KokCatalog, sort_by: SortBy) -> list[KokItem]:
    ordered = catalog.by_reviews if sort_by == "review_count" else catalog.by_rating
    return [item for item in ordered if item.review_count > 0]


def _cards(items: Sequence[KokItem]) -> KokCards:
    return KokCards(products=[schemas.card(item) for item in items])
