"""Text search: spelling, ranking, and what is not found."""

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from starlette.testclient import TestClient

from recommender.search.index import TextIndex, normal, squeezed
from recommender.search.jamo import initials, letters, sounds
from recommender.search.postings import Grams, Substrings
from recommender.search.spelling import Spelling
from recommender.text.titles import tokens
from serving.catalog.ingredient_names import IngredientNames
from serving.catalog.recipes import load_recipes
from tests.serving.conftest import Person

TITLES = (
    "돼지고기 김치찌개",
    "참치김치찌개 끓이는 법",
    "두부 된장찌개",
    "국물떡볶이",
    "궁중 떡볶이 만들기",
    "감자조림",
    "알감자 버터구이",
    "닭볶음탕",
    "찌개용 김치 손질하기",
    "베이컨 크림 파스타",
    "배추 겉절이",
    "파전",
    "해물 파 볶음",
)
SYNONYMS = {"돈육": "돼지고기", "하지감자": "감자", "대파": "파"}


@pytest.fixture(scope="module")
def index() -> TextIndex:
    return TextIndex(((title, " ".join(tokens(title))) for title in TITLES), SYNONYMS)


def everything(word: str) -> bool:
    """Accept any word as correct."""
    return True


def titles(index: TextIndex, keyword: str) -> list[str]:
    return [TITLES[position] for position in index.find(keyword, index.knows)]


@pytest.mark.parametrize(
    ("keyword", "first"),
    [
        ("김치찌개", "돼지고기 김치찌개"),
        ("김치 찌개", "돼지고기 김치찌개"),
        ("돼지고기 김치찌게", "돼지고기 김치찌개"),
        ("돼지고기김치찌게", "돼지고기 김치찌개"),
        ("돈육 김치찌게", "돼지고기 김치찌개"),
        ("돈육", "돼지고기 김치찌개"),
        ("돈 육", "돼지고기 김치찌개"),
        ("떡뽁이", "국물떡볶이"),
        ("떡 뽁이", "국물떡볶이"),
        ("궁중떡뽁이", "궁중 떡볶이 만들기"),
        ("베추", "배추 겉절이"),
        ("닥볶음탕", "닭볶음탕"),
        ("닭볶은탕", "닭볶음탕"),
        ("볶닭음탕", "닭볶음탕"),
        ("감자저림", "감자조림"),
        ("감자졸임", "감자조림"),
        ("배이컨 파스타", "베이컨 크림 파스타"),
        ("크림파스타", "베이컨 크림 파스타"),
        ("베이컨크림파스따", "베이컨 크림 파스타"),
        ("김치 찌개용", "찌개용 김치 손질하기"),
    ],
)
def test_a_spelling_that_differs_finds_what_was_meant(index: TextIndex, keyword: str, first: str) -> None:
    assert titles(index, keyword)[:1] == [first]


@pytest.mark.parametrize(
    "keyword", ["asdfqwer", "ㅋㅋㅋ", "뷁뷁뷁", "자동차 보험", "12345", "🍺", "!?", " ", "\ud800", "\0"]
)
def test_what_means_nothing_here_finds_nothing(index: TextIndex, keyword: str) -> None:
    assert titles(index, keyword) == []


def test_text_as_typed_ranks_before_tokens_and_synonyms(index: TextIndex) -> None:
    assert titles(index, "김치 찌개") == ["돼지고기 김치찌개", "참치김치찌개 끓이는 법", "찌개용 김치 손질하기"]
    assert titles(index, "하지감자") == ["감자조림", "알감자 버터구이"]
    literal = TextIndex([("돼지고기 수육", ""), ("돈육 수육", "")], SYNONYMS)
    assert literal.find("돈육", literal.knows) == [1, 0]
    assert literal.find("돼지고기", literal.knows) == [0, 1]


def test_close_texts_are_shown_only_where_nothing_else_is_found(index: TextIndex) -> None:
    assert titles(index, "두부 된장찌개") == ["두부 된장찌개"]
    assert titles(index, "두부된짱찌개") == ["두부 된장찌개"]


def test_a_synonym_of_one_syllable_is_looked_for_among_the_tokens(index: TextIndex) -> None:
    assert titles(index, "대파") == ["해물 파 볶음"], "not the one in 파스타"


def test_numbers_are_not_corrected() -> None:
    index = TextIndex([("감자 10000그램", "감자 10000 그램")])
    assert index.find("10000그램", index.knows) == [0]
    assert index.find("10001그램", index.knows) == []


def test_a_word_that_is_right_is_not_taken_for_another() -> None:
    masks = TextIndex([("이지스 자외선 차단 마스크", "자외선 차단 마스크"), ("토스터 겸용 그릴", "토스터 그릴")])
    for keyword, guess in (("토스트", 1), ("마스코", 0)):
        assert masks.find(keyword, masks.knows) == [guess], "it may be a slip of the pen"
        assert masks.find(keyword, everything) == [], "it is known to mean something else"
    soups = TextIndex([("고기듬뿍 미역국 4팩", "고기 미역국 4 팩")])
    assert soups.find("소고기듬뿍미역국", everything) == [0], "so many letters are no accident"


def test_words_that_are_used_or_name_an_ingredient_are_right() -> None:
    index = TextIndex([("국물떡볶이", "국물 떡볶이"), ("궁중 떡볶이", "궁중 떡볶이"), ("떡복이", "떡복이")], SYNONYMS)
    assert {word for word in ("떡볶이", "떡복이", "궁중", "돈육", "돼지고기", "라떼") if index.knows(word)} == {
        "떡볶이",
        "돈육",
        "돼지고기",
    }


def test_of_a_long_query_only_the_first_words_are_corrected(index: TextIndex) -> None:
    asked = [f"{onset}배이컨파스따" for onset in "가나다라마바사아자차카타파하"]
    with patch.object(Spelling, "nearest", return_value=[]) as nearest:
        titles(index, " ".join(asked))
    assert [call.args for call in nearest.call_args_list] == [(word,) for word in asked[:8]] + [("".join(asked),)]


def test_an_index_of_nothing_finds_nothing() -> None:
    assert TextIndex(()).find("김치", everything) == []


WORDS = st.sampled_from(
    ["김치", "찌게", "돈육", "떡뽁", "ㄱ", "ㅏ", "감", " ", "\n", "10", "É", "🍣", "\ud800", "^", "$"]
)


@given(st.one_of(st.text(), st.lists(WORDS, max_size=8).map("".join)))
def test_any_text_can_be_searched(index: TextIndex, keyword: str) -> None:
    found = index.find(keyword, index.knows)
    assert len(set(found)) == len(found)
    assert set(found) <= set(range(len(TITLES)))
    assert index.find(keyword, index.knows) == found


@given(st.lists(st.text("가나 파ab\n", max_size=6), max_size=6), st.text("가나 파ab\n", max_size=3))
def test_a_text_that_holds_the_keyword_is_always_found_first(texts: list[str], keyword: str) -> None:
    holding = [n for n, text in enumerate(texts) if squeezed(keyword) and squeezed(keyword) in squeezed(text)]
    assert TextIndex((text, "") for text in texts).find(keyword, everything)[: len(holding)] == holding


@given(st.lists(st.text("abc", max_size=5), max_size=5), st.text("abc", max_size=3))
def test_substrings_are_those_that_python_finds(texts: list[str], piece: str) -> None:
    held = [n for n, text in enumerate(texts) if piece and piece in text]
    assert Substrings(texts).holding(piece).tolist() == held


def test_likeness_is_the_share_of_common_runs() -> None:
    grams = Grams(["abcd", "abxx", "", "zzzz"], 2)
    assert grams.likeness("abc").tolist() == [2 / 3, 1 / 4, 0, 0]
    assert grams.likeness("").tolist() == [0, 0, 0, 0]


def test_letters_are_those_of_the_keyboard() -> None:
    assert letters("닭과 A") == "ㄷㅏㄹㄱㄱㅗㅏ A"
    assert letters("가힣ㅋ") == "ㄱㅏㅎㅣㅎㅋ"
    assert initials("감자전 3") == "ㄱㅈㅈ 3"


@pytest.mark.parametrize(
    ("one", "other"),
    [("찌개", "찌게"), ("떡볶이", "떡뽁이"), ("왜", "외"), ("왜", "웨"), ("예", "얘"), ("깻잎", "갯잎")],
)
def test_what_sounds_alike_is_one(one: str, other: str) -> None:
    assert sounds(one) == sounds(other)
    assert letters(one) != letters(other)


def test_text_has_one_form_however_it_is_encoded() -> None:
    assert normal("\u1100\u1161Ｂ㎏") == "가bkg"
    assert normal("감ㅈ ㅋㅋ ㄳ") == "감ㅈ ㅋㅋ ㄳ"


# Route, its keyword parameter, the field of its rows, and the id field of a row.
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
    assert [name for name, _ in NAMES.suggest(typed, 3)] == suggested[:3]


def test_a_suggestion_says_how_many_recipes_use_it_and_comes_once() -> None:
    assert NAMES.suggest("감자", 9) == [("감자", 90), ("감자전분", 40), ("간장", 200), ("통감자칩", 1)]
    assert NAMES.suggest("감자", 1) == [("감자", 90)]
    assert NAMES.suggest("감자", 0) == []
    assert IngredientNames({}, {}).suggest("감", 5) == []


@given(st.one_of(st.text(), st.lists(WORDS, max_size=4).map("".join)), st.integers(0, 4))
def test_any_prefix_can_be_completed(typed: str, k: int) -> None:
    found = [name for name, _ in NAMES.suggest(typed, k)]
    assert len(set(found)) == len(found) <= k
    assert set(found) <= set(COUNTS)


def test_recipes_know_the_names_of_their_ingredients(filled: Engine) -> None:
    with filled.connect() as conn:
        book = load_recipes(conn)
    assert book.ingredient_names.suggest("돈", 5) == [("돼지고기", 2)]
    assert book.ingredient_names.suggest("ㅇㅍ", 5) == [("양파", 4)]
    assert book.name_of(" 돼지 고기 ") == book.name_of("돈 육") == "돼지고기"
    assert book.name_of("카레 가루") == "카레가루", "not recognised, but in a recipe"
    assert book.name_of("카레가로") == "카레가로", "names are not guessed"
    assert [recipe.recipe_id for recipe in book.with_all(["양 파", "카레 가루"], 5)] == [9005]
