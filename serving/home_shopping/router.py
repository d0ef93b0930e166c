"""Home shopping routes. Schedules, products and recommendations come from memory."""

import re
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BeforeValidator

from serving.catalog.broadcasts import DAYS_AHEAD
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Recipe
from serving.home_shopping import schemas
from serving.home_shopping.schemas import (
    ForgetKeyword,
    History,
    HistoryEntry,
    IngredientCheck,
    MallProducts,
    OnAir,
    ProductPage,
    RecipeCards,
    ScheduleDay,
    SlotSearch,
)
from serving.recommend.schemas import impressions, product_name
from serving.recommendations import candidates
from serving.recommendations.candidates import Recommendation
from serving.runtime import search_history
from serving.runtime.deps import CurrentRuntime, CurrentSnapshot, User, Visitor
from serving.runtime.response_cache import cache_response
from serving.web.clock import kst_day, next_midnight
from serving.web.errors import UNAUTHORIZED, absent, not_found
from serving.web.paging import Page, Size, page_of
from serving.web.parameters import Id, KeywordQuery
from serving.web.schemas import Message, SearchKeyword
from sql.warehouse import event_types as events

router = APIRouter(prefix="/api/homeshopping", tags=["homeshopping"])

MOST_RECIPES = 10
MOST_MALL_PRODUCTS = 5
NO_PRODUCT = absent("home shopping product 2234340850")


def _is_iso_date(given: object) -> object:
    if not isinstance(given, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", given, re.ASCII):
        raise ValueError("is no date as YYYY-MM-DD")
    return given


ProductId = Annotated[Id, Path(description="The broadcaster's own id, or the live_id of a show", examples=[2234340850])]
LiveId = Annotated[Id, Path(description="A product in a show", examples=[7])]
# A number would be taken for seconds since 1970.
Day = Annotated[date, BeforeValidator(_is_iso_date)]


@router.get("/product/{product_id}/recipe-recommend", response_model=RecipeCards, responses=NO_PRODUCT)
async def recipe_recommend(request: Request, snapshot: CurrentSnapshot, _: Visitor, product_id: ProductId) -> Response:
    """Recipes to cook with a product; none unless it is an ingredient."""
    product = snapshot.schedule.find_product(product_id)
    if product is None:
        raise not_found(f"home shopping product {product_id}")
    picked: Recommendation[Recipe] = Recommendation((), None, snapshot.release_version)
    if product.is_ingredient:
        picked = candidates.recipes_for(snapshot, product.source, product.product_id, product.ingredients, MOST_RECIPES)
    body = schemas.recipe_cards(product, picked, snapshot.recipes.fragments)
    asked = product_name(product.source, product.product_id)
    event = events.HomeshoppingRecipeRecommendation(**asked, **impressions(picked))
    return cache_response(request, snapshot, body, event=event, stage=picked.source)


@router.get("/product/{product_id}/kok-recommend", response_model=MallProducts)
async def kok_recommend(request: Request, snapshot: CurrentSnapshot, _: Visitor, product_id: ProductId) -> Response:
    """Products of the mall that go with a product; none for an unknown one."""
    product = snapshot.schedule.find_product(product_id)
    picked: Recommendation[KokItem] = Recommendation((), None, snapshot.release_version)
    if product:
        picked = candidates.mall_products_for(snapshot, product, MOST_MALL_PRODUCTS)
    shown = impressions(picked)
    if product:
        event = events.HomeshoppingKokRecommendation(**product_name(product.source, product.product_id), **shown)
    else:
        event = events.HomeshoppingKokRecommendation(product_id=product_id, **shown)
    body = schemas.mall_products(picked, snapshot.kok.fragments)
    return cache_response(request, snapshot, body, event=event, stage=picked.source)


@router.get("/product/{product_id}/check", response_model=IngredientCheck)
async def check(request: Request, snapshot: CurrentSnapshot, _: Visitor, product_id: ProductId) -> Response:
    """Tell whether a product is a cooking ingredient; an unknown one is not."""
    product = snapshot.schedule.find_product(product_id)
    return cache_response(
        request, snapshot, IngredientCheck(is_ingredient=product is not None and product.is_ingredient)
    )


@router.get("/product/{live_id}", response_model=ProductPage, responses=absent("show 7"))
async def product(request: Request, snapshot: CurrentSnapshot, _: Visitor, live_id: LiveId) -> Response:
    """A product in a show."""
    show = snapshot.schedule.by_live_id.get(live_id)
    if show is None:
        raise not_found(f"show {live_id}")
    viewed = product_name(show.product.source, show.product.product_id)
    event = events.HomeshoppingProductDetailView(live_id=live_id, **viewed)
    return cache_response(
        request, snapshot, schemas.product_page(show, snapshot.schedule.page_of(show.product)), event=event
    )


@router.get("/schedule", response_model=ScheduleDay)
async def schedule(
    request: Request,
    runtime: CurrentRuntime,
    snapshot: CurrentSnapshot,
    _: Visitor,
    live_date: Annotated[
        Day | None, Query(description="Day in Korea; by default today and ten more", examples=["2025-08-06"])
    ] = None,
    page: Page = 1,
    size: Size = 20,  # noqa: ARG001 - the frontend sends it
) -> Response:
    """Food on the schedule of a day, by default of today and the ten days that follow.

    The frontend asks for page 1 and counts on the whole, so page 1 is the whole whatever ``size`` is, and any other
    page is empty.
    """
    now = runtime.clock()
    first = live_date or kst_day(now)
    last = first if live_date else first + DAYS_AHEAD
    until = None if live_date else next_midnight(now)
    body = schemas.schedule_days(snapshot.schedule, first, last) if page == 1 else schemas.NO_SCHEDULE
    event = events.HomeshoppingScheduleView(live_date=live_date.isoformat() if live_date else None)
    return cache_response(request, snapshot, body, until=until, event=event)


@router.get("/on-air", response_model=OnAir)
async def on_air(request: Request, runtime: CurrentRuntime, snapshot: CurrentSnapshot, _: Visitor) -> Response:
    """The show on air and the next one of every channel, with their products; cancelled shows are none.

    A show is on air from its start until before its end. In a gap `now` is null.
    """
    now = runtime.clock()
    programmes = snapshot.schedule.programmes
    body = OnAir(channels=[schemas.on_air(programme, now) for programme in programmes])
    changes = (change for programme in programmes if (change := programme.next_change(now)))
    return cache_response(request, snapshot, body, until=min(changes, default=None))


@router.get("/search", response_model=SlotSearch)
async def search(
    request: Request,
    runtime: CurrentRuntime,
    snapshot: CurrentSnapshot,
    _: Visitor,
    keyword: KeywordQuery,
    page: Page = 1,
    size: Size = 20,
) -> Response:
    """Products on air or to come whose name or store matches, in order of their show."""
    shows = snapshot.schedule.search(keyword, snapshot.knows, runtime.clock())
    products = [schemas.found_slot(show) for show in page_of(shows, page, size)]
    body = SlotSearch(total=len(shows), page=page, size=size, products=products)
    event = events.HomeshoppingSearch(keyword=keyword, result_count=len(shows))
    # Whatever ends first is found no more, and with it every page may change.
    return cache_response(
        request, snapshot, body, until=min((show.ends_at for show in shows), default=None), event=event
    )


@router.get("/search/history", responses=UNAUTHORIZED)
def list_search_history(
    runtime: CurrentRuntime, user: User, limit: Annotated[int, Query(ge=1, le=20, description="The newest only")] = 5
) -> History:
    """The user's latest keywords."""
    rows = search_history.latest(runtime, search_history.HOME_SHOPPING, user, limit)
    return History(history=[schemas.history_entry(row) for row in rows])


@router.post("/search/history", responses=UNAUTHORIZED)
def save_search(runtime: CurrentRuntime, user: User, body: SearchKeyword) -> HistoryEntry:
    """Remember a keyword."""
    return schemas.history_entry(search_history.save(runtime, search_history.HOME_SHOPPING, user, body.keyword))


@router.delete("/search/history", responses=UNAUTHORIZED | absent("search history 12"))
def forget_search(runtime: CurrentRuntime, user: User, body: ForgetKeyword) -> Message:
    """Forget a keyword of the user."""
    search_history.forget(runtime, search_history.HOME_SHOPPING, user, body.homeshopping_history_id)
    return Message(message="검색어가 삭제되었습니다.")
