"""A synthetic market that a good release can be told from a spoiled one by.

Ingredients of a section of the lexicon are cooked in the same dishes with the same companions, one of them in a recipe;
titles name what is in them; every ingredient is sold raw and as a dish, by the mall and by broadcasters.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, Engine, insert

from sql.service.catalog import HomeShoppingProduct, KokProduct, ProductIngredient, SearchDocument
from sql.service.recipes import Ingredient, Recipe, RecipeIngredient

NOW = datetime(2025, 8, 6, 3, tzinfo=UTC)
# Main ingredients of a section, and what they are cooked as, with what.
SECTIONS = (
    (("감자", "고구마", "당근", "브로콜리", "양배추"), {"전": ("밀가루", "식용유"), "볶음": ("올리브유", "굴소스")}),
    (("표고버섯", "느타리버섯", "새송이버섯", "팽이버섯"), {"강정": ("떡", "참기름"), "장아찌": ("식초", "물엿")}),
    (("고등어", "갈치", "삼치", "연어"), {"조림": ("다시마", "고춧가루", "맛술"), "구이": ("레몬즙", "파슬리")}),
    (("돼지고기", "삼겹살", "목살"), {"수육": ("된장", "월계수잎"), "두루치기": ("고추장", "케첩", "쌈장")}),
    (("사과", "배", "딸기", "바나나"), {"샐러드": ("요거트", "치즈", "호두"), "주스": ("우유", "연유")}),
    (("두부", "순두부", "연두부"), {"찌개": ("미역", "김", "국간장"), "부침": ("계란", "들기름")}),
    (("소면", "우동면", "칼국수면", "쌀국수"), {"냉국": ("김치", "깍두기"), "무침": ("땅콩", "아몬드", "칠리소스")}),
)
MOODS = ("매콤한", "집에서", "초간단", "엄마표", "든든한", "아이와", "캠핑", "주말")
EVERYWHERE = ("소금", "후추", "설탕")
RAW = ("국산 {} 1kg", "친환경 {} 500g", "산지직송 {} 3kg 특품")
SHOWN = ("방송에서만 {} 5kg", "{} 실속 구성 10팩")
BROADCASTERS = ("hmall", "nsmall")


class MarketProduct(NamedTuple):
    """A product: raw or a dish, with its main ingredient."""

    source: str
    product_id: int
    title: str
    ingredients: tuple[str, ...]
    is_ingredient: bool


class MarketRecipe(NamedTuple):
    """A recipe with its ingredients as listed."""

    recipe_id: int
    title: str
    ingredients: tuple[str, ...]


@dataclass(frozen=True)
class Market:
    """Recipes and products of the market."""

    recipes: tuple[MarketRecipe, ...]
    products: tuple[MarketProduct, ...]


def market(recipes_of_dish: int = 4, seed: int = 5) -> Market:
    """So many recipes of each dish of each main ingredient, and the products of every ingredient."""
    return Market(tuple(_recipes(recipes_of_dish, random.Random(seed))), tuple(_products()))


def fill(service: Engine, content: Market) -> None:
    """Write a market into an empty service database."""
    names = {name: None for recipe in content.recipes for name in recipe.ingredients}
    names |= {name: None for product in content.products for name in product.ingredients}
    numbers = {name: number for number, name in enumerate(names, start=1)}
    with service.begin() as conn:
        conn.execute(insert(Ingredient), [{"ingredient_id": n, "name": name} for name, n in numbers.items()])
        _fill_recipes(conn, content, numbers)
        _fill_products(conn, content, numbers)
        documents = [("recipes", each.recipe_id, each.title) for each in content.recipes]
        documents += [(each.source, each.product_id, each.title) for each in content.products]
        conn.execute(
            insert(SearchDocument),
            [{"source": source, "document_id": number, "tokens": title} for source, number, title in documents],
        )


def _recipes(recipes_of_dish: int, chance: random.Random) -> list[MarketRecipe]:
    found: list[MarketRecipe] = []
    for mains, dishes in SECTIONS:
        for main in mains:
            for dish, companions in dishes.items():
                for _ in range(recipes_of_dish):
                    names = [main, *companions, *chance.sample(EVERYWHERE, 2)]
                    title = f"{chance.choice(MOODS)} {main}{dish}"
                    found.append(MarketRecipe(len(found) + 1, title, tuple(names)))
    return found


def _products() -> list[MarketProduct]:
    found: list[MarketProduct] = []
    for mains, dishes in SECTIONS:
        for main in mains:
            found += _sold("kok", main, RAW, len(found), is_ingredient=True)
            found += _sold("kok", main, [f"{{}}{dish} 즉석 300g" for dish in dishes], len(found), is_ingredient=False)
            for place, broadcaster in enumerate(BROADCASTERS):
                found += _sold(broadcaster, main, SHOWN[place : place + 1], len(found), is_ingredient=True)
    companions = {name for _, dishes in SECTIONS for names in dishes.values() for name in names}
    for name in sorted(companions - {main for mains, _ in SECTIONS for main in mains}):
        found += _sold("kok", name, RAW[:2], len(found), is_ingredient=True)
    return found


def _sold(
    source: str, name: str, titles: "list[str] | tuple[str, ...]", start: int, *, is_ingredient: bool
) -> list[MarketProduct]:
    return [
        MarketProduct(source, number, title.format(name), (name,), is_ingredient)
        for number, title in enumerate(titles, start=start + 1)
    ]


def _fill_recipes(conn: Connection, content: Market, numbers: dict[str, int]) -> None:
    line = {"section": None, "amount": None, "unit": None, "note": None}
    conn.execute(
        insert(Recipe),
        [
            {"recipe_id": each.recipe_id, "title": each.title}
            | {"view_count": each.recipe_id % 7, "recommend_count": 0, "scrap_count": 0}
            for each in content.recipes
        ],
    )
    conn.execute(
        insert(RecipeIngredient),
        [
            line | {"recipe_id": each.recipe_id, "position": position, "name": name, "ingredient_id": numbers[name]}
            for each in content.recipes
            for position, name in enumerate(each.ingredients)
        ],
    )


def _fill_products(conn: Connection, content: Market, numbers: dict[str, int]) -> None:
    kind = {"first_seen_at": NOW, "is_food": True, "resolver_version": "test"}
    mall = [
        kind
        | {"kok_product_id": each.product_id, "store_name": "가게", "product_name": each.title}
        | {"is_ingredient": each.is_ingredient, "review_count": each.product_id % 11}
        for each in content.products
        if each.source == "kok"
    ]
    shown = [
        kind
        | {"source": each.source, "source_product_id": each.product_id, "product_name": each.title}
        | {"is_ingredient": each.is_ingredient, "price_kind": "unknown"}
        for each in content.products
        if each.source != "kok"
    ]
    for table, rows in ((KokProduct, mall), (HomeShoppingProduct, shown)):
        if rows:
            conn.execute(insert(table), rows)
    resolved = [
        {"source": each.source, "source_product_id": each.product_id, "position": position}
        | {"ingredient_id": numbers[name]}
        for each in content.products
        for position, name in enumerate(each.ingredients)
    ]
    if resolved:
        conn.execute(insert(ProductIngredient), resolved)
