"""Event types: every event that the API records or the frontend sends, with the payload of each.

Routers record a payload, which names its event type. From the payload types the anonymiser derives what it keeps, and
the documentation its table of events: the docstring of a payload says who records the event and when. A visitor is a
user or anonymous. Ids of a list are in the order in which it showed them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict

# Most items of a list that its event names; a schedule of eleven days has a thousand.
MOST_ITEMS: Final = 100
# Begins the type of every event that a client sends to `POST /api/log/user/activity`; its `action` follows.
CLIENT_EVENT_PREFIX: Final = "user_activity_"


class EventType(StrEnum):
    """Names of events, as they stand in the column ``event_type``."""

    USER_SIGNUP = "user_signup"
    USER_LOGIN = "user_login"
    USER_LOGOUT = "user_logout"
    USER_INFO_VIEW = "user_info_view"
    USER_LOGINS_VIEW = "user_logins_view"
    USER_LOGIN_END = "user_login_end"
    USER_LOGOUT_ALL = "user_logout_all"
    USER_PASSWORD_CHANGE = "user_password_change"  # noqa: S105 - names an event
    USER_PASSWORD_RESET = "user_password_reset"  # noqa: S105
    USER_EMAIL_VERIFY = "user_email_verify"
    USER_DATA_EXPORT = "user_data_export"
    HOMESHOPPING_SCHEDULE_VIEW = "homeshopping_schedule_view"
    HOMESHOPPING_ON_AIR_VIEW = "homeshopping_on_air_view"
    HOMESHOPPING_PRODUCT_DETAIL_VIEW = "homeshopping_product_detail_view"
    HOMESHOPPING_SEARCH = "homeshopping_search"
    HOMESHOPPING_SEARCH_HISTORY_SAVE = "homeshopping_search_history_save"
    HOMESHOPPING_SEARCH_HISTORY_VIEW = "homeshopping_search_history_view"
    HOMESHOPPING_SEARCH_HISTORY_DELETE = "homeshopping_search_history_delete"
    HOMESHOPPING_KOK_RECOMMENDATION = "homeshopping_kok_recommendation"
    HOMESHOPPING_RECIPE_RECOMMENDATION = "homeshopping_recipe_recommendation"
    KOK_DISCOUNTED_PRODUCTS_VIEW = "kok_discounted_products_view"
    KOK_TOP_SELLING_PRODUCTS_VIEW = "kok_top_selling_products_view"
    KOK_STORE_BEST_ITEMS_VIEW = "kok_store_best_items_view"
    KOK_PRODUCT_INFO_VIEW = "kok_product_info_view"
    KOK_PRODUCT_TABS_VIEW = "kok_product_tabs_view"
    KOK_PRODUCT_REVIEWS_VIEW = "kok_product_reviews_view"
    KOK_PRODUCT_DETAILS_VIEW = "kok_product_details_view"
    KOK_PRODUCT_SEARCH = "kok_product_search"
    KOK_SEARCH_HISTORY_SAVE = "kok_search_history_save"
    KOK_SEARCH_HISTORY_VIEW = "kok_search_history_view"
    KOK_SEARCH_HISTORY_DELETE = "kok_search_history_delete"
    KOK_HOMESHOPPING_RECOMMENDATION = "kok_homeshopping_recommendation"
    KOK_CART_RECIPE_RECOMMEND = "kok_cart_recipe_recommend"
    RECIPE_SEARCH_BY_INGREDIENTS = "recipe_search_by_ingredients"
    RECIPE_SEARCH_BY_KEYWORD = "recipe_search_by_keyword"
    RECIPE_DETAIL_VIEW = "recipe_detail_view"
    RECIPE_URL_VIEW = "recipe_url_view"
    RECIPE_RATING_VIEW = "recipe_rating_view"
    RECIPE_RATING_CREATE = "recipe_rating_create"
    RECIPE_INGREDIENTS_STATUS_VIEW = "recipe_ingredients_status_view"
    INGREDIENT_PRODUCT_RECOMMEND = "ingredient_product_recommend"
    INGREDIENT_SUBSTITUTES_VIEW = "ingredient_substitutes_view"
    INGREDIENT_COMPLEMENTS_VIEW = "ingredient_complements_view"
    PRODUCT_RECIPE_RECOMMENDATION = "product_recipe_recommendation"
    PRODUCT_PRODUCT_RECOMMENDATION = "product_product_recommendation"
    RECIPE_PRODUCT_RECOMMENDATION = "recipe_product_recommendation"
    PERSONAL_RECIPE_RECOMMENDATION = "personal_recipe_recommendation"
    PERSONAL_PRODUCT_RECOMMENDATION = "personal_product_recommendation"
    RECOMMEND_SEARCH = "recommend_search"
    ANSWER_FAILED = "answer_failed"
    RELEASE_REFUSED = "release_refused"
    USER_ACTIVITY_NAVIGATION_CLICK = "user_activity_navigation_click"
    USER_ACTIVITY_RECOMMENDATION_CLICK = "user_activity_recommendation_click"
    USER_ACTIVITY_USER_LOGIN = "user_activity_user_login"

    @property
    def payload(self) -> "type[EventPayload]":
        """Type of its payload, whose docstring says who records the event and when."""
        return PAYLOADS[self]


# Events of the earlier backend that nothing records here, with the reason.
NOT_RECORDED: Final[Mapping[str, str]] = {
    "user_email_duplicate_check": "who asks is unknown, and of unknown people only what they send is stored",
    "homeshopping_live_stream_view": "live streams are out of scope",
    "homeshopping_likes_toggle": "likes are out of scope",
    "log_write_success": "an event that is stored is its own record",
}


@dataclass(frozen=True, slots=True)
class NotPersonal:
    """Marks a field that anonymised events keep: numbers and lists of numbers; text only where it matches ``pattern``.

    A field without this mark is dropped, because a name may be in it: words, and the numbers of somebody's own rows.
    """

    pattern: str | None = None


ItemId = Annotated[int, NotPersonal()]
ItemIds = Annotated[list[int], NotPersonal()]
Position = Annotated[int, NotPersonal()]  # from 1
Positions = Annotated[list[int], NotPersonal()]
Rating = Annotated[int, NotPersonal()]
ResultCount = Annotated[int, NotPersonal()]
# Text of the system itself: a release is named by a time and a hash, a source of products by small letters.
ReleaseVersion = Annotated[str, NotPersonal("^[0-9]{8}T[0-9]{6}Z-[0-9a-f]+$")]
Stage = Annotated[str, NotPersonal("^(release|text|resolved|popular)$")]
ProductSource = Annotated[str, NotPersonal("^[a-z_]{1,20}$")]


class EventItem(BaseModel):
    """An object in a list of a payload."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EventProduct(EventItem):
    """A product by its source and the source's own id: two sources may share an id."""

    product_id: ItemId
    product_source: ProductSource


class Impression(EventItem):
    """A recommended recipe, product, show or ingredient, its position from 1 and the reason that was shown."""

    position: Position
    recipe_id: ItemId | None = None
    product_id: ItemId | None = None
    product_source: ProductSource | None = None
    live_id: ItemId | None = None
    ingredient: str | None = None
    reason: str


class EventPayload(BaseModel):
    """Fields of an event beside those of its row; each event type has a subclass."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_type: ClassVar[EventType]

    def to_json(self) -> str:
        """Encode the payload for the column ``payload``, without the fields that were not given."""
        return self.model_dump_json(exclude_unset=True)


class UserSignup(EventPayload):
    """A visitor made an account: `POST /api/user/signup`."""

    event_type = EventType.USER_SIGNUP


class UserLogin(EventPayload):
    """A user logged in: `POST /api/user/login`."""

    event_type = EventType.USER_LOGIN


class UserLogout(EventPayload):
    """A user logged out: `POST /api/user/logout`."""

    event_type = EventType.USER_LOGOUT


class UserInfoView(EventPayload):
    """A user saw the account: `GET /api/user/info`."""

    event_type = EventType.USER_INFO_VIEW


class UserLoginsView(EventPayload):
    """A user saw the logins of the account: `GET /api/user/logins`."""

    event_type = EventType.USER_LOGINS_VIEW
    count: int


class UserLoginEnd(EventPayload):
    """A user ended one login of the account: `DELETE /api/user/logins/{login_id}`."""

    event_type = EventType.USER_LOGIN_END


class UserLogoutAll(EventPayload):
    """A user ended all logins of the account: `POST /api/user/logout/all`."""

    event_type = EventType.USER_LOGOUT_ALL


class UserPasswordChange(EventPayload):
    """A user chose a new password: `POST /api/user/password`."""

    event_type = EventType.USER_PASSWORD_CHANGE


class UserPasswordReset(EventPayload):
    """Somebody with a link that was mailed chose a new password: `POST /api/user/password/reset/confirm`."""

    event_type = EventType.USER_PASSWORD_RESET


class UserEmailVerify(EventPayload):
    """Somebody opened a link that was mailed to verify the address: `POST /api/user/email/verification/confirm`."""

    event_type = EventType.USER_EMAIL_VERIFY


class UserDataExport(EventPayload):
    """A user exported the data of the account: `GET /api/user/export`."""

    event_type = EventType.USER_DATA_EXPORT


class HomeshoppingScheduleView(EventPayload):
    """A visitor saw the broadcast schedule: `GET /api/homeshopping/schedule`; without a day, of today and after."""

    event_type = EventType.HOMESHOPPING_SCHEDULE_VIEW
    live_date: str | None
    page: int
    live_ids: ItemIds


class HomeshoppingOnAirView(EventPayload):
    """A visitor saw the show on air and the next one of each channel: `GET /api/homeshopping/on-air`."""

    event_type = EventType.HOMESHOPPING_ON_AIR_VIEW
    live_ids: ItemIds


class HomeshoppingProductDetailView(EventPayload):
    """A visitor saw the page of a product in a show: `GET /api/homeshopping/product/{live_id}`."""

    event_type = EventType.HOMESHOPPING_PRODUCT_DETAIL_VIEW
    live_id: ItemId
    product_id: ItemId
    product_source: ProductSource


class _Search(EventPayload):
    keyword: str
    result_count: ResultCount


class HomeshoppingSearch(_Search):
    """A visitor searched products in shows: `GET /api/homeshopping/search`."""

    event_type = EventType.HOMESHOPPING_SEARCH
    page: int
    size: int
    live_ids: ItemIds


class _SearchHistorySave(EventPayload):
    keyword: str


class _SearchHistoryView(EventPayload):
    count: int


class HomeshoppingSearchHistorySave(_SearchHistorySave):
    """A user saved a keyword: `POST /api/homeshopping/search/history`."""

    event_type = EventType.HOMESHOPPING_SEARCH_HISTORY_SAVE


class HomeshoppingSearchHistoryView(_SearchHistoryView):
    """A user saw the latest keywords: `GET /api/homeshopping/search/history`."""

    event_type = EventType.HOMESHOPPING_SEARCH_HISTORY_VIEW


class HomeshoppingSearchHistoryDelete(EventPayload):
    """A user deleted a keyword: `DELETE /api/homeshopping/search/history`."""

    event_type = EventType.HOMESHOPPING_SEARCH_HISTORY_DELETE
    homeshopping_history_id: int


class _Recommendation(EventPayload):
    """What was shown, the release that was live and the stage that answered."""

    release_version: ReleaseVersion | None
    stage: Stage | None
    impressions: list[Impression]


class _ProductRecommendation(_Recommendation):
    product_id: ItemId
    product_source: ProductSource


class HomeshoppingKokRecommendation(_Recommendation):
    """A visitor saw mall products for a broadcast product: `GET /api/homeshopping/product/{product_id}/kok-recommend`.

    Without ``product_source`` the product is unknown.
    """

    event_type = EventType.HOMESHOPPING_KOK_RECOMMENDATION
    product_id: ItemId
    product_source: ProductSource | None = None


class HomeshoppingRecipeRecommendation(_ProductRecommendation):
    """A visitor saw recipes for a broadcast product: `GET /api/homeshopping/product/{product_id}/recipe-recommend`."""

    event_type = EventType.HOMESHOPPING_RECIPE_RECOMMENDATION


class KokDiscountedProductsView(EventPayload):
    """A visitor saw the discounts of the mall: `GET /api/kok/discounted`."""

    event_type = EventType.KOK_DISCOUNTED_PRODUCTS_VIEW
    page: int
    size: int
    kok_product_ids: ItemIds


class KokTopSellingProductsView(EventPayload):
    """A visitor saw the most reviewed or best rated mall products: `GET /api/kok/top-selling`."""

    event_type = EventType.KOK_TOP_SELLING_PRODUCTS_VIEW
    page: int
    size: int
    sort_by: str
    kok_product_ids: ItemIds


class KokStoreBestItemsView(EventPayload):
    """A visitor saw the ten best mall products: `GET /api/kok/store-best-items`."""

    event_type = EventType.KOK_STORE_BEST_ITEMS_VIEW
    sort_by: str
    kok_product_ids: ItemIds


class _KokProduct(EventPayload):
    kok_product_id: ItemId


class KokProductInfoView(_KokProduct):
    """A visitor saw the page of a mall product: `GET /api/kok/product/{product_id}/info`."""

    event_type = EventType.KOK_PRODUCT_INFO_VIEW


class KokProductTabsView(_KokProduct):
    """A visitor saw the images of a mall product: `GET /api/kok/product/{product_id}/tabs`."""

    event_type = EventType.KOK_PRODUCT_TABS_VIEW


class KokProductReviewsView(_KokProduct):
    """A visitor saw the reviews of a mall product: `GET /api/kok/product/{product_id}/reviews`."""

    event_type = EventType.KOK_PRODUCT_REVIEWS_VIEW


class KokProductDetailsView(_KokProduct):
    """A visitor saw the seller of a mall product: `GET /api/kok/product/{product_id}/seller-details`."""

    event_type = EventType.KOK_PRODUCT_DETAILS_VIEW


class KokProductSearch(_Search):
    """A visitor searched the mall: `GET /api/kok/search`."""

    event_type = EventType.KOK_PRODUCT_SEARCH
    page: int
    size: int
    kok_product_ids: ItemIds


class KokSearchHistorySave(_SearchHistorySave):
    """A user saved a keyword: `POST /api/kok/search/history`."""

    event_type = EventType.KOK_SEARCH_HISTORY_SAVE


class KokSearchHistoryView(_SearchHistoryView):
    """A user saw the latest keywords: `GET /api/kok/search/history`."""

    event_type = EventType.KOK_SEARCH_HISTORY_VIEW


class KokSearchHistoryDelete(EventPayload):
    """A user deleted a keyword: `DELETE /api/kok/search/history/{history_id}`."""

    event_type = EventType.KOK_SEARCH_HISTORY_DELETE
    kok_history_id: int


class KokHomeshoppingRecommendation(_Recommendation):
    """A user saw shows for the mall products viewed last: `GET /api/kok/product/homeshopping-recommend`."""

    event_type = EventType.KOK_HOMESHOPPING_RECOMMENDATION
    kok_product_ids: ItemIds


class KokCartRecipeRecommend(_Recommendation):
    """A user saw recipes for the products of a cart: `GET /api/kok/carts/recipe-recommend`.

    A page past the end is not recorded.
    """

    event_type = EventType.KOK_CART_RECIPE_RECOMMEND
    cart: list[EventProduct]


class RecipeSearchByIngredients(_Recommendation):
    """A user saw recipes that use up ingredients: `GET /api/recipes/by-ingredients`.

    A page past the end is not recorded.
    """

    event_type = EventType.RECIPE_SEARCH_BY_INGREDIENTS
    ingredients: list[str]
    amount: list[float] | None
    unit: list[str] | None
    page: int


class RecipeSearchByKeyword(EventPayload):
    """A user searched recipes: `GET /api/recipes/search`; ``method`` is what the words were taken for."""

    event_type = EventType.RECIPE_SEARCH_BY_KEYWORD
    keyword: str
    method: str
    page: int
    size: int
    result_count: ResultCount
    recipe_ids: ItemIds


class _Recipe(EventPayload):
    recipe_id: ItemId


class RecipeDetailView(_Recipe):
    """A user saw a recipe: `GET /api/recipes/{recipe_id}`."""

    event_type = EventType.RECIPE_DETAIL_VIEW


class RecipeUrlView(_Recipe):
    """A user asked where a recipe was published: `GET /api/recipes/{recipe_id}/url`."""

    event_type = EventType.RECIPE_URL_VIEW


class RecipeRatingView(_Recipe):
    """A user saw the rating of a recipe: `GET /api/recipes/{recipe_id}/rating`."""

    event_type = EventType.RECIPE_RATING_VIEW


class RecipeRatingCreate(_Recipe):
    """A user rated a recipe: `POST /api/recipes/{recipe_id}/rating`."""

    event_type = EventType.RECIPE_RATING_CREATE
    rating: Rating


class RecipeIngredientsStatusView(_Recipe):
    """A user saw which ingredients of a recipe are missing: `GET /api/recipes/{recipe_id}/status`."""

    event_type = EventType.RECIPE_INGREDIENTS_STATUS_VIEW


class IngredientProductRecommend(_Recommendation):
    """A user saw products to buy an ingredient as: `GET /api/recipes/{ingredient}/product-recommend`."""

    event_type = EventType.INGREDIENT_PRODUCT_RECOMMEND
    ingredient: str


class IngredientSubstitutesView(_Recommendation):
    """A visitor saw substitutes of an ingredient: `GET /api/recommend/ingredient/{name}/substitutes`."""

    event_type = EventType.INGREDIENT_SUBSTITUTES_VIEW
    ingredient: str


class IngredientComplementsView(_Recommendation):
    """A visitor saw what goes with some ingredients: `GET /api/recommend/complete`."""

    event_type = EventType.INGREDIENT_COMPLEMENTS_VIEW
    ingredients: list[str]
    title: str


class ProductRecipeRecommendation(_ProductRecommendation):
    """A visitor saw recipes for a product: `GET /api/recommend/product/{source}/{product_id}/recipes`."""

    event_type = EventType.PRODUCT_RECIPE_RECOMMENDATION


class ProductProductRecommendation(_ProductRecommendation):
    """A visitor saw products for a product: `GET /api/recommend/product/{source}/{product_id}/products`."""

    event_type = EventType.PRODUCT_PRODUCT_RECOMMENDATION


class RecipeProductRecommendation(_Recommendation):
    """A visitor saw products for a recipe: `GET /api/recommend/recipe/{recipe_id}/products`."""

    event_type = EventType.RECIPE_PRODUCT_RECOMMENDATION
    anchor_recipe_id: ItemId


class PersonalRecipeRecommendation(_Recommendation):
    """A user saw recipes of their own: `GET /api/recommend/me/recipes`."""

    event_type = EventType.PERSONAL_RECIPE_RECOMMENDATION


class PersonalProductRecommendation(_Recommendation):
    """A user saw products of their own: `GET /api/recommend/me/products`."""

    event_type = EventType.PERSONAL_PRODUCT_RECOMMENDATION


class RecommendSearch(_Recommendation):
    """A visitor searched recipes and products: `GET /api/recommend/search`; ``impressions`` are of both."""

    event_type = EventType.RECOMMEND_SEARCH
    keyword: str


class AnswerFailed(EventPayload):
    """The API answered a visitor's GET request by an error of its own: `500` of any route, with the release in use.

    Only the API records it; clients cannot send it.
    """

    event_type = EventType.ANSWER_FAILED
    release_version: ReleaseVersion | None
    route: str


class ReleaseRefused(EventPayload):
    """A process of the API could not load a release for half a minute: the problem that `/api/health/ml` names.

    It has neither user nor session. Only the API records it; clients cannot send it.
    """

    event_type = EventType.RELEASE_REFUSED
    release_version: ReleaseVersion | None


class UserActivityNavigationClick(EventPayload):
    """The frontend says that a visitor went to another page: `POST /api/log/user/activity`."""

    event_type = EventType.USER_ACTIVITY_NAVIGATION_CLICK


class UserActivityRecommendationClick(EventPayload):
    """The frontend says that a visitor chose a recommended item: `POST /api/log/user/activity`.

    These fields of ``extra_data`` say which item it was and where it stood; a client may send others.
    """

    event_type = EventType.USER_ACTIVITY_RECOMMENDATION_CLICK
    recipe_id: ItemId | None = None
    recipe_ids: ItemIds | None = None
    product_id: ItemId | None = None
    product_ids: ItemIds | None = None
    product_source: ProductSource | None = None
    kok_product_id: ItemId | None = None
    kok_product_ids: ItemIds | None = None
    live_id: ItemId | None = None
    live_ids: ItemIds | None = None
    homeshopping_id: ItemId | None = None
    position: Position | None = None
    positions: Positions | None = None
    release_version: ReleaseVersion | None = None
    stage: Stage | None = None
    # Not kept: it may lead to the session in which the user was anonymous.
    impression_id: str | None = None


class UserActivityUserLogin(EventPayload):
    """The frontend says that a user logged in: `POST /api/log/user/activity`."""

    event_type = EventType.USER_ACTIVITY_USER_LOGIN


def preserved_fields(models: Iterable[type[BaseModel]] | None = None) -> dict[str, NotPersonal]:
    """Return the fields that anonymised events keep, of ``models``: all payloads and the items in them by default.

    Raises ``TypeError`` where they disagree about a field: clients may send any field with any event.
    """
    marks: dict[str, NotPersonal | None] = {}
    for model in models or (*_subclasses(EventPayload), *_subclasses(EventItem)):
        for name, hint in get_type_hints(model, include_extras=True).items():
            mark = next((part for part in _parts(hint) if isinstance(part, NotPersonal)), None)
            if name in model.model_fields and marks.setdefault(name, mark) != mark:
                raise TypeError(f"{model.__name__}.{name} and the same field of another payload are marked differently")
    return {name: mark for name, mark in marks.items() if mark}


def item_fields() -> frozenset[str]:
    """Return the fields of payloads that are lists of items."""
    return frozenset(
        name
        for model in _subclasses(EventPayload)
        for name, part in _hints(model)
        if isinstance(part, type) and issubclass(part, EventItem)
    )


def _subclasses(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for subclass in model.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _hints(model: type[BaseModel]) -> Iterator[tuple[str, object]]:
    """Yield every part of the annotation of each field, what is inside ``Annotated``, unions and lists included."""
    for name, hint in get_type_hints(model, include_extras=True).items():
        for part in _parts(hint):
            yield name, part


def _parts(hint: Any) -> Iterator[object]:  # noqa: ANN401 - any annotation
    yield hint
    for part in get_args(hint):
        yield from _parts(part)


PAYLOADS: Final[Mapping[EventType, type[EventPayload]]] = {
    payload.event_type: payload
    for payload in _subclasses(EventPayload)
    if issubclass(payload, EventPayload) and "event_type" in vars(payload)
}

# Events that say what a release has shown: each is an impression that a click may name.
RECOMMENDATIONS: Final = frozenset(name for name, payload in PAYLOADS.items() if "impressions" in payload.model_fields)
# Events that only the API may record: a release is promoted or rolled back because of them.
RECORDED_BY_API: Final = RECOMMENDATIONS | {EventType.ANSWER_FAILED, EventType.RELEASE_REFUSED}
