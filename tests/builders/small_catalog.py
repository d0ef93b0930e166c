"""A small catalog of known rows. It is noon in Korea on 6 August 2025."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from recommender.text.title_words import Kind
from recommender.text.titles import tokens
from sql.service.base import ServiceBase
from sql.service.catalog import (
    Broadcast,
    DataVersion,
    HomeShoppingProduct,
    KokPrice,
    KokProduct,
    ProductIngredient,
    ProductItem,
    SearchDocument,
)
from sql.service.pages import KokReview, KokSeller, ProductDetail, ProductImage
from sql.service.recipes import Ingredient, IngredientSynonym, Recipe, RecipeIngredient

NOON = datetime(2025, 8, 6, 3, 0, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=30)

POTATO, ONION, PORK, KIMCHI, RICE = 1, 2, 3, 4, 5
INGREDIENTS = {POTATO: "감자", ONION: "양파", PORK: "돼지고기", KIMCHI: "김치", RICE: "쌀"}
SYNONYMS = {"햇감자": POTATO, "돈육": PORK}

# id, store, name, list price, price, kind, rate, reviews, score, ingredients, is ingredient
KOK: tuple[tuple[Any, ...], ...] = (
    (101, "산지마을", "햇감자 3kg", 12000, 9000, "amount", 25, 120, 4.5, (POTATO,), True),
    (102, "산지마을", "양파 5kg", 8000, 8000, "amount", 0, 80, 4.9, (ONION,), True),
    (103, "고기집", "돼지고기 앞다리 1kg", 15000, 10500, "amount", 30, 300, 4.7, (PORK,), True),
    (104, "반찬가게", "돼지고기 김치찌개 밀키트", 11000, None, "unknown", 0, 5, 3.0, (KIMCHI, PORK), False),
    (105, "반찬가게", "Café 🍣 세트", None, 20000, "amount", 0, 0, None, (), False),
    (106, "떠난가게", "사라진 감자", 5000, 4000, "amount", 20, 999, 5.0, (POTATO,), True),
)
GONE = 106

# What the page of one product shows beside its name and price.
WITH_PAGE = 103
REVIEWS: tuple[dict[str, Any], ...] = (
    {"nickname": "이**", "written_on": date(2025, 7, 30), "score": 4, "text": "두툼해서 수육에 좋아요."},
    {
        "nickname": "박**",
        "written_on": date(2025, 8, 2),
        "score": 5,
        "price_opinion": "저렴해요",
        "delivery_opinion": "빨라요",
        "taste_opinion": "맛있어요",
        "text": "잡내가 없습니다 🐷",
    },
    {"nickname": None, "written_on": None, "score": None, "text": None},
)
STATISTICS = {
    "five_star_share": 70,
    "four_star_share": 20,
    "three_star_share": 6,
    "two_star_share": 3,
    "one_star_share": 1,
    "price_opinion": "저렴해요",
    "price_opinion_share": 61,
    "delivery_opinion": "빨라요",
    "delivery_opinion_share": 72,
    "taste_opinion": "맛있어요",
    "taste_opinion_share": 83,
}
SELLER = {
    "ceo_name": "홍길동",
    "registration_number": "000-00-00000",
    "ecommerce_registration": "제2025-서울가나-00000호",
    "phone": "02-000-0000",
    "verified_item": "사업자등록",
    "verified_on": "2025-01-02",
    "address": "서울특별시 가나구 다라로 1",
    "return_address": None,
}
FACTS = (("원산지", "국내산"), ("중량", "1kg"))

BIG_ID = 2_234_340_850
# source, id, name, food, is ingredient, ingredients
HOME_SHOPPING: tuple[tuple[Any, ...], ...] = (
    ("hmall", BIG_ID, "강원도 햇감자 10kg", True, True, (POTATO,)),
    ("hnsmall", 21_000_002, "국내산 돼지고기 모둠", True, True, (PORK,)),
    ("nsmall", 21_000_003, "포기김치 10kg", True, False, (KIMCHI,)),
    ("nsmall", 21_000_004, "무선 청소기", False, False, ()),
    ("hnsmall", 21_000_005, "옛날 쌀 20kg", True, True, (RICE,)),
    ("hmall", 21_000_006, "캐나다산 랍스터 세트", True, True, ()),
    ("hmall", 21_000_007, "취소된 양파", True, True, (ONION,)),
)


def at(day: int, clock: str) -> datetime:
    """Return an instant of August 2025 in Korean time."""
    hour, minute = (int(part) for part in clock.split(":"))
    return datetime(2025, 8, day, 0, 0, tzinfo=UTC) + timedelta(hours=hour - 9, minutes=minute)


# live id, channel, source, product, start, end, slot, list price, price, kind, cancelled
SHOWS: tuple[tuple[Any, ...], ...] = (
    (1, 2, "hmall", BIG_ID, at(6, "08:00"), at(6, "09:00"), "main", 39900, 29900, "amount", None),
    (2, 1, "hnsmall", 21_000_002, at(6, "11:30"), at(6, "12:30"), "main", 59900, 59900, "amount", None),
    (3, 4, "nsmall", 21_000_003, at(6, "23:50"), at(7, "01:00"), "sub", None, None, "consult", None),
    (4, 4, "nsmall", 21_000_004, at(6, "13:00"), at(6, "14:00"), "main", 99000, 89000, "amount", None),
    (5, 1, "hnsmall", 21_000_005, at(5, "10:00"), at(5, "11:00"), "main", 70000, 65000, "amount", None),
    (6, 2, "hmall", BIG_ID, at(7, "00:00"), at(7, "01:00"), "main", 39900, 31900, "amount", None),
    (7, 3, "hmall", 21_000_006, at(8, "10:00"), at(8, "11:00"), "main", 50000, 40000, "amount", None),
    (8, 3, "hmall", 21_000_007, at(6, "15:00"), at(6, "16:00"), "main", 9000, 8000, "amount", LONG_AGO),
)

# id, title, dish, scraps, ingredient lines (name, amount, unit, id)
RECIPES: tuple[tuple[Any, ...], ...] = (
    (9001, "감자조림 맛있게", "감자조림", 500, (("감자", "1/2", "개", POTATO), ("양파", "1", "개", ONION))),
    (
        9002,
        "돼지고기 김치찌개",
        "김치찌개",
        900,
        (("돼지고기", "200", "g", PORK), ("김치", "반", "포기", KIMCHI), ("양파", "1~2", "개", ONION)),
    ),
    (9003, "감자 양파 볶음", None, 10, (("햇감자", "2", "개", POTATO), ("양파", "약간", None, ONION))),
    (9004, "백미밥", "밥", 50, (("쌀", "2", "컵", RICE),)),
    (
        9005,
        "카레",
        "카레",
        700,
        (
            ("감자", "2", "개", POTATO),
            ("양파", "1", "개", ONION),
            ("돼지고기", "150", "g", PORK),
            ("카레가루", "1", "봉", None),
        ),
    ),
)

_Rows = defaultdict[type[ServiceBase], list[dict[str, Any]]]


def fill(engine: Engine) -> None:
    """Insert the catalog and its data versions."""
    rows: _Rows = defaultdict(list)
    for collect in (_vocabulary, _kok, _home_shopping, _recipes):
        collect(rows)
    rows[DataVersion] = [{"dataset": dataset, "version": 1} for dataset in ("kok", "schedule", "recipes")]
    with engine.begin() as conn:
        for model, values in rows.items():
            columns = {column: None for row in values for column in row}
            conn.execute(insert(model), [columns | row for row in values])


def bump(conn: Connection, dataset: str) -> None:
    """Increase the data version of a dataset, as loading does."""
    version = conn.scalar(select(DataVersion.version).where(DataVersion.dataset == dataset)) or 0
    conn.execute(delete(DataVersion).where(DataVersion.dataset == dataset))
    conn.execute(insert(DataVersion), {"dataset": dataset, "version": version + 1})


def same_item(engine: Engine, *kok_ids: int) -> None:
    """Link listings of the mall to one item, named by the first."""
    with engine.begin() as conn:
        for number in kok_ids:
            row = {"source": "kok", "source_product_id": number, "item_id": f"kok:{kok_ids[0]}", "score": 1.0}
            conn.execute(insert(ProductItem), {**row, "method": "first" if number == kok_ids[0] else "title"})
        bump(conn, "kok")


def set_price(engine: Engine, product_id: int, price: int, rate: int, observed_at: datetime = NOON) -> None:
    """Load a new price of a mall product."""
    row = {"kok_product_id": product_id, "price": price, "price_kind": "amount", "discount_rate": rate}
    with engine.begin() as conn:
        conn.execute(insert(KokPrice), {**row, "observed_at": observed_at})
        bump(conn, "kok")


def cancel(engine: Engine, live_id: int) -> None:
    """Cancel a show, as loading a schedule without it does."""
    with engine.begin() as conn:
        conn.execute(update(Broadcast).where(Broadcast.broadcast_id == live_id).values(cancelled_at=NOON))
        bump(conn, "schedule")


def _vocabulary(rows: _Rows) -> None:
    rows[Ingredient].extend([{"ingredient_id": n, "name": name} for n, name in INGREDIENTS.items()])
    rows[IngredientSynonym].extend([{"variant": v, "ingredient_id": n} for v, n in SYNONYMS.items()])


def _kok(rows: _Rows) -> None:
    for number, store, name, list_price, price, kind, rate, reviews, score, ingredients, is_ingredient in KOK:
        product = {
            "kok_product_id": number,
            "store_name": store,
            "product_name": name,
            "list_price": list_price,
            "thumbnail_url": f"https://img.example.com/{number}.jpg",
            "review_score": score,
            "review_count": reviews,
            "first_seen_at": LONG_AGO,
            "vanished_at": NOON if number == GONE else None,
            "is_food": True,
            "is_ingredient": is_ingredient,
            "resolver_version": "1",
        }
        page = STATISTICS if number == WITH_PAGE else {}
        rows[KokProduct].append(product | page | _reading(ingredients, is_ingredient=is_ingredient))
        history = [(LONG_AGO, (price or 0) + 1000, 1), (LONG_AGO + timedelta(days=9), price, rate)]
        for observed_at, amount, percent in history:
            row = {"kok_product_id": number, "observed_at": observed_at, "price": amount, "price_kind": kind}
            rows[KokPrice].append({**row, "discount_rate": percent})
        _resolved(rows, "kok", number, f"{store} {name}", ingredients)
    _kok_page(rows)


def _kok_page(rows: _Rows) -> None:
    rows[KokSeller].append({"kok_product_id": WITH_PAGE, **SELLER})
    for number, review in enumerate(REVIEWS):
        rows[KokReview].append({"kok_product_id": WITH_PAGE, "content_hash": f"{number}", **review})
    key = {"source": "kok", "source_product_id": WITH_PAGE}
    for position, (name, value) in enumerate(FACTS):
        rows[ProductDetail].append({**key, "position": position, "name": name, "value": value})
    for position in range(2):
        image = f"https://img.example.com/{WITH_PAGE}/{position}.jpg"
        rows[ProductImage].append({**key, "position": position, "image_url": image})


def _home_shopping(rows: _Rows) -> None:
    for source, number, name, is_food, is_ingredient, ingredients in HOME_SHOPPING:
        product = {
            "source": source,
            "source_product_id": number,
            "product_name": name,
            "store_name": None,
            "list_price": None,
            "price": None,
            "price_kind": "unknown",
            "thumbnail_url": None if number == 21_000_003 else f"https://img.example.com/{number}.jpg",
            "first_seen_at": LONG_AGO,
            "is_food": is_food,
            "is_ingredient": is_ingredient,
            "resolver_version": "1",
        }
        rows[HomeShoppingProduct].append(product | _reading(ingredients, is_ingredient=is_ingredient))
        _resolved(rows, source, number, name, ingredients)
    for live_id, channel, source, number, starts_at, ends_at, slot, list_price, price, kind, cancelled_at in SHOWS:
        show = {
            "broadcast_id": live_id,
            "channel_id": channel,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "source": source,
            "source_product_id": number,
            "slot": slot,
            "title": None,
            "list_price": list_price,
            "price": price,
            "price_kind": kind,
            "cancelled_at": cancelled_at,
        }
        rows[Broadcast].append(show)


def _recipes(rows: _Rows) -> None:
    for number, title, dish, scraps, lines in RECIPES:
        recipe = {
            "recipe_id": number,
            "title": title,
            "dish": dish,
            "introduction": f"{title} 만드는 법",
            "servings": "2인분",
            "view_count": 0,
            "recommend_count": 0,
            "scrap_count": scraps,
            "image_url": None,
        }
        rows[Recipe].append(recipe)
        for position, (name, amount, unit, ingredient_id) in enumerate(lines):
            line = {"recipe_id": number, "position": position, "section": "재료", "name": name, "amount": amount}
            rows[RecipeIngredient].append({**line, "unit": unit, "ingredient_id": ingredient_id})
        _document(rows, "recipes", number, title)


def _resolved(rows: _Rows, source: str, number: int, text: str, ingredients: tuple[int, ...]) -> None:
    key = {"source": source, "source_product_id": number}
    for position, ingredient_id in enumerate(ingredients):
        rows[ProductIngredient].append({**key, "position": position, "ingredient_id": ingredient_id})
    _document(rows, source, number, text)


def _reading(ingredients: tuple[int, ...], *, is_ingredient: bool) -> dict[str, Any]:
    """What a title was understood as; one without ingredients was resolved before there were kinds."""
    if not ingredients:
        return {}
    kind = Kind.INGREDIENT if is_ingredient else Kind.READY
    return {
        "kind": kind,
        "product_types": INGREDIENTS[ingredients[0]],
        "recipe_probability": 0.9 if is_ingredient else 0.2,
    }


def _document(rows: _Rows, source: str, number: int, text: str) -> None:
    rows[SearchDocument].append({"source": source, "document_id": number, "tokens": _joined_tokens(text)})


@cache
def _joined_tokens(text: str) -> str:
    return " ".join(tokens(text))
