"""Text search of the API: every route forgives spelling, and ingredients are suggested while they are typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from starlette.testclient import TestClient

from serving.catalog.ingredient_names import IngredientNames
from serving.catalog.recipes import load_recipes
from tests.serving.conftest import Person

WORDS = st.sampled_from(
    ["김치", "찌게", "돈육", "떡뽁", "ㄱ", "ㅏ", "감", " ", "\n", "10", "É", "🍣", "\ud800", "^", "$"]
)


# Route, name of its keyword, what its answer calls the rows, and the id of a row.
ROUTES = {
    "mall": ("/api/kok/search", "keyword", "products", "kok_product_id"),
    "broadcasts": ("/api/homeshopping/search", "keyword", "products", "live_id"),
    "recipes": ("/api/recipes/search", "recipe", "recipes", "recipe_id"),
}


def page_of(
    client: TestClient, person: Person, route: str, keyword: str, page: int, size: int
) -> tuple[list[int], int]:
    path, name, rows, number = ROUTES[route]
    answer = client.get(path, params={name: keyword, "page": page, "size": size}, headers=person.headers)
    assert answer.status_code == 200, answer.text
    return [row[number] for row in answer.json()[rows]], answer.json()["total"]


@pytest.mark.parametrize(
    ("route", "keyword", "found"),
    [
        ("mall", "돈육", [103, 104]),
        ("mall", "돼지고기 김치찌게", [104]),
        ("mall", "앞따리", [103]),
        ("mall", "asdfqwer", []),
        ("broadcasts", "돈육", [2]),
        ("broadcasts", "랍스타", [7]),
        ("broadcasts", "돼지고기 모듬", [2]),
        ("broadcasts", "ㅋㅋㅋ", []),
        ("recipes", "돼지고기 김치찌게", [9002]),
        ("recipes", "돈육", [9002]),
        ("recipes", "감자쪼림", [9001]),
        ("recipes", "밥", [9004]),
        ("recipes", "뷁뷁뷁", []),
    ],
)
def test_every_search_forgives_spelling(
    client: TestClient, person: Person, route: str, keyword: str, found: list[int]
) -> None:
    assert page_of(client, person, route, keyword, 1, 10) == (found, len(found))


@pytest.mark.parametrize(
    ("route", "keyword"), [("mall", "돈육"), ("mall", "산지"), ("broadcasts", "10kg"), ("recipes", "감쟈")]
)
def test_pages_cover_everything_found_once(client: TestClient, person: Person, route: str, keyword: str) -> None:
    whole, total = page_of(client, person, route, keyword, 1, 10)
    assert len(whole) == total > 1
    pages = [page_of(client, person, route, keyword, number, 1) for number in range(1, total + 2)]
    assert [row for rows, _ in pages for row in rows] == whole
    assert {each for _, each in pages} == {total}


COUNTS = {
    "감자": 90,
    "감자전분": 40,
    "갑오징어": 5,
    "가지": 30,
    "고추": 80,
    "과일": 3,
    "고구마": 20,
    "돼지고기": 70,
    "달걀": 95,
    "통감자칩": 1,
    "간장": 200,
}
NAMES = IngredientNames(
    COUNTS,
    {
        "돈육": "돼지고기",
        "돈육 조림 간장": "간장",
        "감자조림 간장": "간장",
        "계란": "달걀",
        "하지 감자": "감자",
        "들기름": "참기름",
    },
)


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("감", ["감자", "감자전분", "간장"]),
        ("감ㅈ", ["감자", "감자전분", "간장"]),
        ("감 자 전", ["감자전분"]),
        ("갖", ["가지"]),
        ("고", ["고추", "고구마", "과일"]),
        ("곡", ["고구마"]),
        ("ㄱㅈ", ["간장", "감자", "감자전분"]),
        ("ㄳ", []),
        ("ㄱㅇㅈ", ["갑오징어"]),
        ("돈육", ["돼지고기", "간장"]),
        ("계라", ["달걀"]),
        ("게란", ["달걀"]),
        ("하지감", ["감자"]),
        ("자", ["감자", "감자전분", "통감자칩"]),
        ("간장", ["간장"]),
        ("돼지거기", ["돼지고기"]),
        ("되지고", ["돼지고기"]),
        ("갑오짐어", ["갑오징어"]),
        ("들기름", []),
        ("asdf", []),
        ("", []),
        (" ", []),
    ],
)
def test_an_ingredient_is_suggested_while_it_is_typed(typed: str, suggested: list[str]) -> None:
    assert [name for name, _ in NAMES.complete(typed, 3).suggestions] == suggested[:3]


def test_a_suggestion_says_how_many_recipes_use_it_and_comes_once() -> None:
    assert NAMES.complete("감자", 9).suggestions == [("감자", 90), ("감자전분", 40), ("간장", 200), ("통감자칩", 1)]
    assert NAMES.complete("감자", 1).suggestions == [("감자", 90)]
    assert NAMES.complete("감자", 0).suggestions == []
    assert IngredientNames({}, {}).complete("감", 5) == ([], None)


@given(st.one_of(st.text(), st.lists(WORDS, max_size=4).map("".join)), st.integers(0, 4))
def test_any_text_can_be_completed(typed: str, k: int) -> None:
    found = [name for name, _ in NAMES.complete(typed, k).suggestions]
    assert len(set(found)) == len(found) <= k
    assert set(found) <= set(COUNTS)


def test_recipes_know_the_names_of_their_ingredients(filled: Engine) -> None:
    with filled.connect() as conn:
        book = load_recipes(conn)
    assert book.ingredient_names.complete("돈", 5).suggestions == [("돼지고기", 2)]
    assert book.ingredient_names.complete("ㅇㅍ", 5).suggestions == [("양파", 4)]
    assert book.name_of(" 돼지 고기 ") == book.name_of("돈 육") == "돼지고기"
    assert book.name_of("카레 가루") == "카레가루", "not recognised, but in a recipe"
    assert book.name_of("카레가로") == "카레가로", "names are not guessed"
    assert [recipe.recipe_id for recipe in book.with_all(["양 파", "카레 가루"], 5)] == [9005]


@pytest.mark.parametrize(
    ("path", "found", "meant"),
    [
        ("/api/kok/search?keyword=돼지고기 김치찌게", 104, "돼지고기 김치찌개"),
        ("/api/kok/search?keyword=rkawk", 101, "감자"),
        ("/api/kok/search?keyword=ㄷㅈㄱㄱ", 103, "돼지고기"),
        ("/api/kok/search?keyword=potato", 101, "감자"),
        ("/api/kok/search?keyword=감자", 101, None),
        ("/api/kok/search?keyword=뷁뷁뷁", None, None),
        ("/api/homeshopping/search?keyword=kimchi", 3, "김치"),
        ("/api/homeshopping/search?keyword=감자", 6, None),
        ("/api/recipes/search?recipe=감자쪼림", 9001, "감자조림"),
        ("/api/recipes/search?recipe=돈육", 9002, None),
        ("/api/recipes/search?recipe=감쟈,양퍄&method=ingredient", 9001, "감자,양파"),
        ("/api/recipes/search?recipe=감쟈,양퍄", 9001, "감자,양파"),
        ("/api/recipes/search?recipe=potato,onion&method=ingredient", 9001, "감자,양파"),
        ("/api/recipes/search?recipe=감자,양파&method=ingredient", 9001, None),
    ],
)
def test_an_answer_says_what_was_searched_for_instead(
    client: TestClient, person: Person, path: str, found: int | None, meant: str | None
) -> None:
    answer = client.get(path, headers=person.headers).json()
    rows = answer.get("products", answer.get("recipes"))
    numbers = [row.get("kok_product_id") or row.get("live_id") or row.get("recipe_id") for row in rows]
    assert found in numbers if found else numbers == []
    assert answer["did_you_mean"] == meant


def test_a_search_of_everything_says_what_it_searched_for(client: TestClient) -> None:
    for keyword, meant in (("김치찌게", "김치찌개"), ("김치찌개", None), ("뷁뷁뷁", None)):
        answer = client.get("/api/recommend/search", params={"keyword": keyword}).json()
        assert answer["did_you_mean"] == meant
