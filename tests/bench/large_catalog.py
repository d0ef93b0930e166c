"""A catalog of any size, made up from the word lists of the project: goods of a mall and of broadcasters, and recipes.

Titles name brands, goods, packs and promotions as shops do; a few goods are frequent and most are rare. Titles are
resolved and analysed as loading does. The same size and seed give the same catalog.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert

from pipelines.load.title_resolver import read_vocabulary, title_resolver
from recommender.product_ref import KOK
from recommender.relations.facts import join_types
from recommender.text import lexicon
from recommender.text.ingredients import canonical_name
from recommender.text.titles import tokens
from sql.service.catalog import HomeShoppingProduct, KokProduct, ProductIngredient, SearchDocument
from sql.service.recipes import Ingredient, Recipe, RecipeIngredient

SEEN: Final = datetime(2025, 8, 6, 3, tzinfo=UTC)
BROADCASTERS: Final = ("hmall", "hnsmall", "nsmall")
# Of ten products nine are of the mall.
ON_AIR: Final = 10
ROWS_AT_A_TIME: Final = 5_000
# Share of the ingredients that no word list knows.
UNLISTED: Final = 0.05
# Exponent of the frequencies of goods and ingredients.
SKEW: Final = 0.8

_SYLLABLES: Final = "가나다라마바사아자차하고노도로모보소오조호구누두루무수우주푸미산들해솔봄별달꽃샘온참빛한울결"
_BEFORE: Final = ("국내산", "햇", "무농약", "산지직송", "프리미엄", "손질", "냉동", "우리", "유기농", "못난이")
_AFTER: Final = ("특품", "선물세트", "모음", "알뜰형", "대용량", "소포장", "혼합", "실속형", "매운맛", "순한맛")
_PACKS: Final = ("500g", "1kg", "2kg", "3kg 내외", "300g x 3", "200g x 5팩", "10팩", "20봉", "1L", "500ml x 2")
_PROMOTIONS: Final = ("[특가]", "[무료배송]", "(1+1)", "[산지직송]", "(방송에서만)", "")
_MOODS: Final = (
    "초간단",
    "매콤한",
    "엄마표",
    "백종원",
    "아이 반찬",
    "캠핑 요리",
    "든든한",
    "주말",
    "자취생",
    "건강한",
    "",
)
_COOKED: Final = (
    "볶음",
    "조림",
    "무침",
    "국",
    "찌개",
    "전",
    "구이",
    "샐러드",
    "찜",
    "덮밥",
    "파스타",
    "튀김",
    "장아찌",
    "김치",
    "죽",
    "탕",
)
_ENDINGS: Final = ("만들기", "레시피", "맛있게 만드는 법", "황금레시피", "끓이는 법", "")


class LargeCatalog:
    """So many food products and recipes, written into an empty service database by :meth:`fill`."""

    def __init__(self, products: int, recipes: int, seed: int = 7) -> None:
        self._products, self._recipes = products, recipes
        self._chance = random.Random(seed)

    def fill(self, service: Engine) -> None:
        """Write recipes first: the titles of products are resolved with their ingredients."""
        with service.begin() as conn:
            self._fill_recipes(conn)
            self._fill_products(conn)

    def _fill_recipes(self, conn: Connection) -> None:
        numbers: dict[str, int] = {}
        for chunk in _chunks(self._made_recipes(), ROWS_AT_A_TIME):
            lines = [
                {"recipe_id": recipe_id, "position": position, "name": name}
                | {"ingredient_id": numbers.setdefault(canonical_name(name) or name, len(numbers) + 1)}
                | {"section": None, "amount": None, "unit": None, "note": None}
                for recipe_id, _, names in chunk
                for position, name in enumerate(names)
            ]
            conn.execute(
                insert(Recipe),
                [
                    {"recipe_id": recipe_id, "title": title, "view_count": self._count(), "recommend_count": 0}
                    for recipe_id, title, _ in chunk
                ],
            )
            conn.execute(insert(RecipeIngredient), lines)
            _index(conn, "recipes", [(recipe_id, title) for recipe_id, title, _ in chunk])
        conn.execute(insert(Ingredient), [{"ingredient_id": number, "name": name} for name, number in numbers.items()])
        self._numbers = numbers

    def _fill_products(self, conn: Connection) -> None:
        resolver = title_resolver(read_vocabulary(conn))
        titles = ((number, self._product_title()) for number in range(1, self._products + 1))
        for chunk in _chunks(titles, ROWS_AT_A_TIME):
            read = resolver.resolve_many([title for _, title in chunk], known_food=True)
            rows: dict[str, list[dict[str, Any]]] = {}
            ingredients = []
            for (number, title), resolved in zip(chunk, read, strict=True):
                source = BROADCASTERS[number % len(BROADCASTERS)] if number % ON_AIR == 0 else KOK
                shared = {"product_name": title, "first_seen_at": SEEN, "resolver_version": resolver.version}
                shared |= {"is_food": True, "is_ingredient": resolved.is_ingredient, "kind": str(resolved.kind)}
                shared |= {"product_types": join_types(resolved.types), "recipe_probability": resolved.recipes}
                own = (
                    {"kok_product_id": number, "store_name": "가게", "review_count": self._count()}
                    if source == KOK
                    else {"source": source, "source_product_id": number, "price_kind": "unknown"}
                )
                rows.setdefault(source, []).append(shared | own)
                ingredients += [
                    {"source": source, "source_product_id": number, "position": position}
                    | {"ingredient_id": self._numbers[name]}
                    for position, name in enumerate(resolved.ingredients)
                ]
            for source, of_source in rows.items():
                conn.execute(insert(KokProduct if source == KOK else HomeShoppingProduct), of_source)
                key = "kok_product_id" if source == KOK else "source_product_id"
                _index(conn, source, [(row[key], row["product_name"]) for row in of_source])
            conn.execute(insert(ProductIngredient), ingredients)

    def _made_recipes(self) -> Iterator[tuple[int, str, tuple[str, ...]]]:
        for recipe_id in range(1, self._recipes + 1):
            chance, (names, weights) = self._chance, self._ingredients
            drawn = chance.choices(names, cum_weights=weights, k=chance.randint(5, 13))
            drawn = [chance.choice(self._unlisted) if chance.random() < UNLISTED else name for name in drawn]
            chosen = tuple(dict.fromkeys(drawn))
            main = chosen[chance.randrange(min(3, len(chosen)))]
            title = (chance.choice(_MOODS), main + chance.choice(_COOKED), chance.choice(_ENDINGS))
            yield recipe_id, " ".join(" ".join(title).split()), chosen

    def _product_title(self) -> str:
        chance = self._chance
        names, weights = self._ingredients if chance.random() < 0.6 else self._finished
        (good,) = chance.choices(names, cum_weights=weights)
        words = [chance.choice(_PROMOTIONS), chance.choice(self._brands)]
        words += [chance.choice(_BEFORE) if chance.random() < 0.5 else "", good]
        words += [chance.choice(_AFTER) if chance.random() < 0.3 else "", chance.choice(_PACKS)]
        return " ".join(" ".join(words).split())

    def _count(self) -> int:
        """A number of reviews or views: most are small, a few are large."""
        return min(int(self._chance.paretovariate(0.7)) - 1, 20_000)

    @cached_property
    def _brands(self) -> list[str]:
        return ["".join(self._chance.choices(_SYLLABLES, k=self._chance.randint(2, 4))) for _ in range(2_000)]

    @cached_property
    def _unlisted(self) -> list[str]:
        return ["".join(self._chance.choices(_SYLLABLES, k=self._chance.randint(3, 5))) for _ in range(2_000)]

    @cached_property
    def _ingredients(self) -> tuple[list[str], list[float]]:
        """Spellings of ingredients, with their cumulative frequencies."""
        return self._shuffled(sorted(lexicon.ingredients().canonical))

    @cached_property
    def _finished(self) -> tuple[list[str], list[float]]:
        """Spellings of dishes, snacks, drinks and supplements, with their cumulative frequencies."""
        return self._shuffled(sorted(name for name, good in lexicon.products().items() if good.kind != "nonfood"))

    def _shuffled(self, names: Sequence[str]) -> tuple[list[str], list[float]]:
        shuffled, total, cumulative = self._chance.sample(names, len(names)), 0.0, []
        for place in range(len(names)):
            total += (place + 10) ** -SKEW
            cumulative.append(total)
        return shuffled, cumulative


def _index(conn: Connection, source: str, titles: Sequence[tuple[int, str]]) -> None:
    documents = [
        {"source": source, "document_id": number, "tokens": " ".join(tokens(title))} for number, title in titles
    ]
    conn.execute(insert(SearchDocument), documents)


def _chunks(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while chunk := list(islice(rows, size)):
        yield chunk
