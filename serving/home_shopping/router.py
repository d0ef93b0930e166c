"""Home shopping routes. Schedules, products and recommendations come from memory."""

import re
from datetime import date
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BeforeValidator

from serving.catalog.broadcasts import DAYS_AHEAD
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Recipe
from serving.home_shopping import presenters
from serving.home_shopping.schemas import (
    DeleteKeyword,
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
from serving.recommendations.presenters import impressions, product_fields
from serving.recommendations.relations import MALL_PRODUCTS_FOR_PRODUCT, RECIPES_FOR_PRODUCT
from serving.recommendations.requests import ProductRequest
from serving.recommendations.stages import Recommendation, recommend
from serving.runtime import search_history
from serving.runtime.deps import CurrentRuntime, CurrentSnapshot, User, Visitor
from serving.runtime.response_cache import cache_response
from serving.web.clock import kst_day, next_midnight
from serving.web.errors import AWAY, UNAUTHORIZED, absent, not_found
from serving.web.paging import Page, Size, page_of
from serving.web.parameters import Id, KeywordQuery
from serving.web.schemas import Message, SearchKeyword
from sql.warehouse import event_types as events

router = APIRouter(prefix="/api/homeshopping", tags=["homeshopping"], responses=AWAY)

MOST_RECIPES = 10
MOST_MALL_PRODUCTS = 5
NO_PRODUCT = absent("home shopping product 2234340850")


def _is_iso_date(given: object) -> object:
    if not isinstance(given, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", given, re.ASCII):
        raise ValueError("is not a date in the form YYYY-MM-DD")
    return given


ProductId = Annotated[Id, Path(description="The broadcaster's own id, or the live_id of a show", examples=[2234340850])]
LiveId = Annotated[Id, Path(description="A product in a show", examples=[7])]
# Pydantic alone would read a number as seconds since 1970.
Day = Annotated[date, BeforeValidator(_is_iso_date)]


@router.get("/product/{product_id}/recipe-recommend", response_model=RecipeCards, responses=NO_PRODUCT)
async def recipe_recommend(request: Request, snapshot: CurrentSnapshot, _: Visitor, product_id: ProductId) -> Response:
    """Recipes to cook with a product; none unless it is an ingredient."""
    product = snapshot.schedule.product_by_id(product_id)
    if product is None:
        raise not_found(f"home shopping product {product_id}")
    picked: Recommendation[Recipe] = Recommendation((), None, snapshot.release_version)
    if product.is_ingredient:
        picked = recommend(snapshot, RECIPES_FOR_PRODUCT, ProductRequest(product, MOST_RECIPES))
    body = presenters.recipe_cards(product, picked, snapshot.recipes.fragments)
    event = events.HomeshoppingRecipeRecommendation(**product_fields(product.ref), **impressions(picked))
    return cache_response(request, snapshot, body, event=event, stage=picked.stage)


@router.get("/product/{product_id}/kok-recommend", response_model=MallProducts)
async def kok_recommend(request: Request, snapshot: CurrentSnapshot, _: Visitor, product_id: ProductId) -> Response:
    """Products of the mall that go with a product; none for an unknown one."""
    product = snapshot.schedule.product_by_id(product_id)
    picked: Recommendation[KokItem] = Recommendation((), None, snapshot.release_version)
    if product:
        picked = recommend(snapshot, MALL_PRODUCTS_FOR_PRODUCT, ProductRequest(product, MOST_MALL_PRODUCTS))
        event = events.HomeshoppingKokRecommendation(**product_fields(product.ref), **impressions(picked))
    else:
        event = events.HomeshoppingKokRecommendation(product_id=product_id, **impressions(picked))
    body = presenters.mall_products(picked, snapshot.kok.fragments)
    return cache_response(request, snapshot, body, event=event, stage=picked.stage)


@router.get("/product/{product_id}/check", response_model=IngredientCheck)
async def check(request: Request, snapshot: CurrentSnapshot, _: Visitor, product_id: ProductId) -> Response:
    """Whether a product is a cooking ingredient; an unknown one is not."""
    product = snapshot.schedule.product_by_id(product_id)
    return cache_response(
        request, snapshot, IngredientCheck(is_ingredient=product is not None and product.is_ingredient)
    )


@router.get("/product/{live_id}", response_model=ProductPage, responses=absent("show 7"))
async def product(request: Request, snapshot: CurrentSnapshot, _: Visitor, live_id: LiveId) -> Response:
    """A product in a show."""
    show = snapshot.schedule.by_live_id.get(live_id)
    if show is None:
        raise not_found(f"show {live_id}")
    event = events.HomeshoppingProductDetailView(live_id=live_id, **product_fields(show.product.ref))
    return cache_response(
        request, snapshot, presenters.product_page(show, snapshot.schedule.page_of(show.product)), event=event
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

    The frontend asks only for page 1 and expects everything, so page 1 holds everything whatever ``size`` is, and any
    other page is empty.
    """
    now = runtime.clock()
    first = live_date or kst_day(now)
    last = first if live_date else first + DAYS_AHEAD
    until = None if live_date else next_midnight(now)
    body = presenters.schedule_days(snapshot.schedule, first, last) if page == 1 else presenters.NO_SCHEDULE
    shown = islice(snapshot.schedule.food_between(first, last), events.MOST_ITEMS) if page == 1 else ()
    event = events.HomeshoppingScheduleView(
        live_date=live_date.isoformat() if live_date else None, page=page, live_ids=[show.live_id for show in shown]
    )
    return cache_response(request, snapshot, body, until=until, event=event)


@router.get("/on-air", response_model=OnAir)
async def on_air(request: Request, runtime: CurrentRuntime, snapshot: CurrentSnapshot, _: Visitor) -> Response:
    """The show on air and the next one of every channel, with their products; cancelled shows are left out.

    A show is on air from its start until before its end. In a gap `now` is null.
    """
    now = runtime.clock()
    programmes = snapshot.schedule.programmes
    body = OnAir(channels=[presenters.on_air(programme, now) for programme in programmes])
    changes = (change for programme in programmes if (change := programme.next_change(now)))
    shown = presenters.shown_live_ids(body)
    event = events.HomeshoppingOnAirView(live_ids=list(islice(shown, events.MOST_ITEMS)))
    return cache_response(request, snapshot, body, until=min(changes, default=None), event=event)


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
    found = snapshot.schedule.search(keyword, snapshot.knows, runtime.clock())
    shows, shown = found.items, page_of(found.items, page, size)
    products = [presenters.found_slot(show) for show in shown]
    body = SlotSearch(total=len(shows), page=page, size=size, products=products, did_you_mean=found.did_you_mean)
    event = events.HomeshoppingSearch(
        keyword=keyword, result_count=len(shows), page=page, size=size, live_ids=[show.live_id for show in shown]
    )
    # When the first of the shows ends, every page may change.
    return cache_response(
        request, snapshot, body, until=min((show.ends_at for show in shows), default=None), event=event
    )


@router.get("/search/history", responses=UNAUTHORIZED)
def list_search_history(
    runtime: CurrentRuntime, user: User, limit: Annotated[int, Query(ge=1, le=20, description="The newest only")] = 5
) -> History:
    """The user's latest keywords."""
    rows = search_history.latest(runtime, search_history.HOME_SHOPPING, user, limit)
    return History(history=[presenters.history_entry(row) for row in rows])


@router.post("/search/history", responses=UNAUTHORIZED)
def save_search(runtime: CurrentRuntime, user: User, body: SearchKeyword) -> HistoryEntry:
    """Save a keyword."""
    return presenters.history_entry(search_history.save(runtime, search_history.HOME_SHOPPING, user, body.keyword))


@router.delete("/search/history", responses=UNAUTHORIZED | absent("search history 12"))
def delete_search(runtime: CurrentRuntime, user: User, body: DeleteKeyword) -> Message:
    """Delete a keyword of the user."""
    search_history.forget(runtime, search_history.HOME_SHOPPING, user, body.homeshopping_history_id)
    return Message(message="검색어가 삭제되었습니다.")
