"""Bodies of the mall routes."""

from typing import Annotated

from pydantic import BaseModel, Field

from serving.recommendations.schemas import Complement, ItemProvenance, Provenance, UsedIngredient
from serving.recommendations.stages import Stage
from serving.web.clock import KstDateTime
from serving.web.fields import (
    BroadcastId,
    BroadcastImage,
    BroadcastName,
    BroadcastStore,
    DidYouMean,
    Dish,
    IngredientNames,
    Introduction,
    ListPrice,
    LiveDate,
    LiveEnd,
    LiveId,
    LiveStart,
    MallId,
    MallImage,
    MallName,
    MallRate,
    MallStore,
    PageNumber,
    Price,
    PriceCut,
    PriceKind,
    RecipeAddress,
    RecipeId,
    RecipeImage,
    RecipeTitle,
    ScrapCount,
    Servings,
    UserId,
)

ReviewCount = Annotated[int, Field(examples=[120])]
Score = Annotated[float, Field(description="Mean of the stars, 0 without reviews", examples=[4.5])]
Percent = Annotated[int, Field(description="Percent of the reviews, 0 when unknown", examples=[80])]
Opinion = Annotated[
    str, Field(description="Most frequent opinion in the reviews, empty when unknown", examples=["좋아요"])
]
CustomerOpinion = Annotated[str, Field(description="The customer's opinion, empty without one", examples=["좋아요"])]


class KokCard(BaseModel):
    """A product in a list; prices and ratings are numbers, 0 when unknown."""

    kok_product_id: MallId
    kok_thumbnail: MallImage | None
    kok_discount_rate: MallRate
    kok_discounted_price: Price
    kok_product_name: MallName
    kok_store_name: MallStore
    kok_review_cnt: ReviewCount
    kok_review_score: Score
    price_kind: PriceKind


class KokCards(BaseModel):
    """A page of products."""

    products: list[KokCard]


class KokFound(KokCard):
    """A product that a search found."""

    kok_product_price: ListPrice


class KokSearch(BaseModel):
    """A page of search results, and their total."""

    total: int = Field(description="Products on all pages", examples=[1])
    page: PageNumber
    size: int = Field(description="Products a page, as asked for", examples=[20])
    products: list[KokFound]
    did_you_mean: DidYouMean = None


class KokInfo(BaseModel):
    """A product page."""

    kok_product_id: MallId
    kok_product_name: MallName
    kok_store_name: MallStore
    kok_thumbnail: str = Field(description="Empty without one", examples=["https://img.example.com/10048215.jpg"])
    kok_product_price: ListPrice
    kok_discount_rate: MallRate
    kok_discounted_price: Price
    kok_review_cnt: ReviewCount
    is_liked: bool = Field(default=False, description="Always false: likes are not known here", examples=[False])
    price_kind: PriceKind


class KokImage(BaseModel):
    """An image of the product's description."""

    kok_img_id: int = Field(description="Position, from 1", examples=[1])
    kok_product_id: MallId
    kok_img_url: str = Field(examples=["https://img.example.com/10048215/detail-1.jpg"])


class KokTabs(BaseModel):
    """The product's description."""

    images: list[KokImage]


class KokReviewStats(BaseModel):
    """Statistics of all reviews: numbers are 0 and texts empty when unknown."""

    kok_review_score: Score
    kok_review_cnt: ReviewCount
    kok_5_ratio: Percent
    kok_4_ratio: Percent
    kok_3_ratio: Percent
    kok_2_ratio: Percent
    kok_1_ratio: Percent
    kok_aspect_price: Opinion
    kok_aspect_price_ratio: Percent
    kok_aspect_delivery: Opinion
    kok_aspect_delivery_ratio: Percent
    kok_aspect_taste: Opinion
    kok_aspect_taste_ratio: Percent


class KokReviewed(BaseModel):
    """A review; the nickname is masked after its first letter."""

    kok_review_id: int = Field(examples=[31])
    kok_product_id: MallId
    kok_nickname: str = Field(examples=["김**"])
    kok_review_user: str = Field(description="The same as kok_nickname: the frontend reads this one", examples=["김**"])
    kok_review_date: str = Field(description="YYYY-MM-DD, empty when unknown", examples=["2025-08-03"])
    kok_review_score: int = Field(description="Stars, 1 to 5; 0 when unknown", examples=[5])
    kok_price_eval: CustomerOpinion
    kok_delivery_eval: CustomerOpinion
    kok_taste_eval: CustomerOpinion
    kok_review_text: str = Field(examples=["알이 굵고 맛있어요."])


class KokReviews(BaseModel):
    """Reviews of a product, newest first."""

    stats: KokReviewStats
    reviews: list[KokReviewed]


class KokSellerInfo(BaseModel):
    """The seller of a product in the words of its page; empty where the page has nothing."""

    kok_co_ceo: str = Field(description="대표자", examples=["홍길동"])
    kok_co_reg_no: str = Field(description="사업자등록번호", examples=["000-00-00000"])
    kok_co_ec_reg: str = Field(description="통신판매업신고", examples=["제2025-서울강남-00000호"])
    kok_tell: str = Field(description="연락처", examples=["02-000-0000"])
    kok_ver_item: str = Field(description="인증항목", examples=["사업자등록"])
    kok_ver_date: str = Field(description="인증일", examples=["2025-01-02"])
    kok_co_addr: str = Field(description="사업장 소재지", examples=["서울특별시 강남구"])
    kok_return_addr: str = Field(description="반품지", examples=["경기도 이천시"])


class KokDetail(BaseModel):
    """A row of the product's tables of details."""

    kok_detail_col: str = Field(examples=["원산지"])
    kok_detail_val: str = Field(examples=["국내산"])


class KokSellerDetails(BaseModel):
    """The seller of a product, and its tables of details."""

    seller_info: KokSellerInfo
    detail_info: list[KokDetail]


class KokHistoryEntry(BaseModel):
    """A keyword that the user searched for."""

    kok_history_id: int = Field(examples=[12])
    user_id: UserId
    kok_keyword: str = Field(examples=["햇감자"])
    kok_searched_at: KstDateTime = Field(
        description="Time in Korea, without an offset", examples=["2025-08-06T12:00:00"]
    )


class KokHistory(BaseModel):
    """Keywords, newest first."""

    history: list[KokHistoryEntry]


class KokSaved(BaseModel):
    """The stored keyword."""

    message: str = Field(examples=["검색어가 저장되었습니다."])
    saved: KokHistoryEntry


class CartRecipe(ItemProvenance):
    """A recipe for the products of a cart."""

    stage: Stage = Field(description="`resolved`: it was found by its ingredients", examples=["resolved"])
    fallback: bool = Field(description="Something simpler than the release answered", examples=[True])
    recipe_id: RecipeId
    recipe_title: RecipeTitle
    cooking_name: Dish | None
    description: str = Field(description="The introduction, empty without one", examples=["짭조름한 밥반찬"])
    cooking_introduction: Introduction | None
    scrap_count: ScrapCount
    recipe_url: RecipeAddress
    thumbnail_url: RecipeImage | None
    number_of_serving: Servings | None
    ingredients: IngredientNames
    matched_ingredient_count: int = Field(description="Ingredients of the cart that the recipe contains", examples=[1])
    total_ingredients_count: int = Field(description="Ingredients of the recipe, each counted once", examples=[3])
    used_ingredients: list[UsedIngredient] = Field(description="Those ingredients of the cart")


class CartRecipes(Provenance):
    """A page of recipes for the products of a cart, and how many there are."""

    stage: Stage | None = Field(
        description="`resolved`: found by their ingredients; null when there are none", examples=["resolved"]
    )
    fallback: bool = Field(description="Something simpler than the release answered", examples=[True])
    recipes: list[CartRecipe]
    total_count: int = Field(description="Recipes on all pages", examples=[1])
    page: PageNumber
    size: int = Field(description="Recipes a page, as asked for", examples=[10])
    total_pages: int = Field(examples=[1])
    keyword_extraction: list[str] = Field(
        description="Ingredients that the products were resolved to", examples=[["감자"]]
    )
    complements: list[Complement] = Field(description="Ingredients that go with those of the cart, at most five")


class AiredNow(ItemProvenance):
    """A product of a show on air or to come."""

    live_id: LiveId
    product_id: BroadcastId
    product_name: BroadcastName
    store_name: BroadcastStore | None
    sale_price: ListPrice
    dc_price: Price
    dc_rate: PriceCut
    price_kind: PriceKind
    thumb_img_url: BroadcastImage
    live_date: LiveDate
    live_start_time: LiveStart
    live_end_time: LiveEnd
    similarity_score: float | None = Field(default=None, description="Always null: see `reason`", examples=[None])


class AiredForUser(Provenance):
    """Shows on air or to come that go with the mall products that a user viewed last."""

    kok_product_id: int | None = Field(default=None, description="Always null", examples=[None])
    kok_product_name: str = Field(
        description="The product that was viewed last, empty for a new user", examples=["햇감자 3kg"]
    )
    recommendations: list[AiredNow]
    total_count: int = Field(description="Rows of `recommendations`", examples=[1])
    algorithm_info: dict[str, str] = Field(
        description="Which stage answered, and of which release",
        examples=[{"stage": "release", "release_version": "20250806T030000Z-3f2a9c01d7"}],
    )
    product_recommendations: dict[str, list[AiredNow]] = Field(description="By the product that they go with")
