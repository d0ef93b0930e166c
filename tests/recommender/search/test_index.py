"""Documents found by a query, in which order, whatever its spacing and spelling."""

from collections.abc import Sequence
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.search.documents import Document
from recommender.search.index import SearchIndex
from recommender.search.spelling import Spelling
from recommender.search.weights import FEW, Kind, load_weights
from recommender.text.titles import tokens

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


def index_of(titles: Sequence[str], kind: Kind = "recipes", **fields: Sequence[object]) -> SearchIndex:
    """An index of titles; ``fields`` are further fields of the documents."""
    rows = [dict(zip(fields, values, strict=True)) for values in zip(*fields.values(), strict=True)] or [{}] * len(
        titles
    )
    documents = [
        Document(title, tokens=" ".join(tokens(title)))._replace(**row) for title, row in zip(titles, rows, strict=True)
    ]
    return SearchIndex(documents, load_weights(kind), SYNONYMS)


@pytest.fixture(scope="module")
def index() -> SearchIndex:
    return index_of(TITLES)


def everything(word: str) -> bool:
    """Every word is spelled correctly."""
    return True


def titles(index: SearchIndex, keyword: str) -> list[str]:
    return [TITLES[position] for position in index.find(keyword, index.knows).positions]


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
        ("떡뽁이", "궁중 떡볶이 만들기"),
        ("떡 뽁이", "궁중 떡볶이 만들기"),
        ("궁중떡뽁이", "궁중 떡볶이 만들기"),
        ("베추", "배추 겉절이"),
        ("닥볶음탕", "닭볶음탕"),
        ("닭볶은탕", "닭볶음탕"),
        ("볶닭음탕", "닭볶음탕"),
        ("닭도리탕", "닭볶음탕"),
        ("감자저림", "감자조림"),
        ("감자졸임", "감자조림"),
        ("배이컨 파스타", "베이컨 크림 파스타"),
        ("크림파스타", "베이컨 크림 파스타"),
        ("베이컨크림파스따", "베이컨 크림 파스타"),
        ("김치 찌개용", "찌개용 김치 손질하기"),
        ("ㄱㅊㅉㄱ", "돼지고기 김치찌개"),
        ("ㄷㅂㅇㅌ", "닭볶음탕"),
        ("kimchi jjigae", "돼지고기 김치찌개"),
        ("tteokbokki", "궁중 떡볶이 만들기"),
        ("topokki", "궁중 떡볶이 만들기"),
        ("pasta", "베이컨 크림 파스타"),
        ("rlaclWlro", "돼지고기 김치찌개"),
        ("rkawkwhfla", "감자조림"),
        ("ㅔㅁㄴㅅㅁ", "베이컨 크림 파스타"),
    ],
)
def test_misspelled_queries_find_the_intended_title(index: SearchIndex, keyword: str, first: str) -> None:
    assert titles(index, keyword)[:1] == [first]


@pytest.mark.parametrize(
    "keyword", ["asdfqwer", "ㅋㅋㅋ", "뷁뷁뷁", "자동차 보험", "12345", "🍺", "!?", " ", "\ud800", "\0"]
)
def test_nonsense_finds_nothing(index: SearchIndex, keyword: str) -> None:
    assert index.find(keyword, index.knows) == ([], None)


@pytest.mark.parametrize(
    ("keyword", "meant"),
    [
        ("김치찌개", None),
        ("김치 찌개", None),
        ("닭도리탕", None),
        ("돈육", None),
        ("김치찌게", "김치찌개"),
        ("돼지고기 김치찌게", "돼지고기 김치찌개"),
        ("베추", "배추"),
        ("떡 뽁이", "떡볶이"),
        ("ㄱㅊㅉㄱ", "김치찌개"),
        ("pasta", "파스타"),
        ("rlaclWlro", "김치찌개"),
        ("asdfqwer", None),
    ],
)
def test_an_answer_says_what_was_searched_for_instead(index: SearchIndex, keyword: str, meant: str | None) -> None:
    assert index.find(keyword, index.knows).did_you_mean == meant


def test_the_whole_query_comes_before_its_words(index: SearchIndex) -> None:
    assert titles(index, "김치 찌개")[0] == "돼지고기 김치찌개"
    assert set(titles(index, "김치 찌개")) == {"돼지고기 김치찌개", "참치김치찌개 끓이는 법", "찌개용 김치 손질하기"}
    assert set(titles(index, "하지감자")) == {"감자조림", "알감자 버터구이"}
    literal = index_of(["돼지고기 수육", "돈육 수육"])
    assert literal.find("돈육", literal.knows).positions == [1, 0]
    assert literal.find("돼지고기", literal.knows).positions == [0, 1]


def test_fuzzy_matches_are_returned_only_without_others(index: SearchIndex) -> None:
    assert titles(index, "두부 된장찌개")[0] == "두부 된장찌개"
    assert titles(index, "두부된짱찌개")[0] == "두부 된장찌개"


def test_a_synonym_of_one_syllable_matches_whole_tokens(index: SearchIndex) -> None:
    assert set(titles(index, "대파")) == {"해물 파 볶음", "파전"}, "not the one in 파스타"


PRODUCTS: tuple[tuple[str, str, tuple[str, ...], bool], ...] = (
    # title, store, resolved ingredients, raw
    ("[맑은샘] 무라벨 생수 2L 12병 무료배송", "맑은샘", ("물",), True),
    ("[밭지기] 제주 무 5kg", "밭지기", ("무",), True),
    ("[반찬집] 총각무 김치 2kg", "반찬집", ("김치",), True),
    ("[과수원] 나주 배 선물세트", "과수원", ("배",), True),
    ("[샘터] 배송 빠른 스파클링 500ml", "샘터", ("물",), False),
    ("[바다] 통영 생굴 1kg", "바다", ("굴",), True),
    ("[바다] 영광 굴비 10미", "바다", ("조기",), True),
    ("[고기] 한돈 목살 구이용 500g", "고기", ("목살",), True),
    ("[고기] 한우 구이 선물세트", "고기", ("소고기",), True),
    ("[방앗간] 참기름 350ml", "방앗간", ("참기름",), True),
    ("[한과] 명절 선물세트 3호", "한과", (), False),
    ("[야식] 블루베리 족발 300g", "야식", ("족발",), False),
    ("[과수원] 냉동 블루베리 1kg", "과수원", ("블루베리",), True),
    ("[젤리] 곤약젤리 (블루베리맛)", "젤리", (), False),
    ("[사과밭] 부사 사과 5kg", "사과밭", ("사과",), True),
    ("[사과밭] 부사 사과 2kg", "사과밭", ("사과",), True),
    ("[사과상회] 곶감 20개", "사과상회", ("곶감",), True),
    ("[죽집] 전복죽 5팩", "죽집", ("전복",), False),
    ("[반찬] 어린이 과자 10봉", "반찬", (), False),
    ("[농장] 구운란 30구", "농장", ("계란",), True),
)


@pytest.fixture(scope="module")
def mall() -> SearchIndex:
    names, stores, ingredients, raw = zip(*PRODUCTS, strict=True)
    return index_of(names, "products", store=stores, ingredients=ingredients, is_ingredient=raw)


def products(mall: SearchIndex, keyword: str) -> list[str]:
    return [PRODUCTS[position][0] for position in mall.find(keyword, mall.knows).positions]


@pytest.mark.parametrize(
    ("keyword", "first", "never"),
    [
        ("무", "제주 무 5kg", ("무라벨", "굴비")),
        ("배", "나주 배 선물세트", ("배송",)),
        ("굴", "통영 생굴", ("굴비",)),
        ("목살 구이", "한돈 목살", ("죽",)),
        ("참기름 선물세트", "참기름", ("명절",)),
        ("블루베리", "냉동 블루베리", ("블루베리맛",)),
        ("사과 5kg", "부사 사과 5kg", ("곶감",)),
        ("어르신 죽", "전복죽", ("무",)),
        ("아이 간식", "어린이 과자", ("굴",)),
        ("달걀", "구운란", ("생수",)),
    ],
)
def test_the_key_word_decides(mall: SearchIndex, keyword: str, first: str, never: tuple[str, ...]) -> None:
    found = products(mall, keyword)
    assert first in found[0]
    assert not [name for name in found for word in never if word in name]


def test_a_store_is_found_by_its_name_after_what_is_named(mall: SearchIndex) -> None:
    assert products(mall, "밭지기") == ["[밭지기] 제주 무 5kg"]
    assert "곶감" not in "".join(products(mall, "사과")[:2])


def test_what_fits_nothing_finds_nothing(mall: SearchIndex) -> None:
    for keyword in ("냉장고", "킹크랩", "글루텐프리", "노트북"):
        assert products(mall, keyword) == []


def test_what_is_no_food_is_not_found_by_a_food() -> None:
    shows = index_of(["라면 조리기 냄비", "매운 라면 5봉"], "products", is_food=[False, True])
    assert shows.find("라면", shows.knows).positions == [1]
    assert shows.find("냄비", shows.knows).positions == [0]


def test_more_popular_documents_come_first_among_equals() -> None:
    sold = index_of(["햇감자 3kg", "햇감자 3kg"], "products", popularity=[1, 500], ingredients=[("감자",)] * 2)
    assert sold.find("감자", sold.knows).positions == [1, 0]


def test_numbers_are_not_corrected() -> None:
    index = index_of(["감자 10000그램"])
    assert index.find("10000그램", index.knows).positions == [0]
    assert index.find("10001그램", index.knows).positions == []


def test_a_correct_word_is_not_corrected() -> None:
    masks = index_of(["이지스 자외선 차단 마스크", "토스터 겸용 그릴"])
    for keyword, guess in (("토스탸", 1), ("마스코", 0)):
        assert masks.find(keyword, masks.knows).positions == [guess], "possibly a misspelling"
        assert masks.find(keyword, everything).positions == [], "a correct word is not corrected"
    soups = index_of(["고기듬뿍 미역국 4팩"])
    assert soups.find("소고기듬뿍미역국", everything).positions == [0], "a long query is matched fuzzily"


def test_frequent_words_and_food_are_known() -> None:
    index = index_of(["국물떡볶이", "궁중 떡볶이", "떡복이"])
    known = {word for word in ("떡볶이", "떡복이", "궁중", "돈육", "돼지고기", "아뷁") if index.knows(word)}
    assert known == {"떡볶이", "돈육", "돼지고기"}


def test_only_the_first_words_of_a_long_query_are_corrected(index: SearchIndex) -> None:
    asked = [f"{onset}배이컨파스뎌" for onset in "가나다라마바사아자차카타파하"]
    with patch.object(Spelling, "nearest", return_value=[]) as nearest:
        titles(index, " ".join(asked))
    assert [call.args for call in nearest.call_args_list] == [(word,) for word in asked[:8]] + [("".join(asked),)]


def test_an_empty_index_finds_nothing() -> None:
    assert index_of([]).find("김치", everything) == ([], None)


WORDS = st.sampled_from(
    ["김치", "찌게", "돈육", "떡뽁", "ㄱ", "ㅏ", "감", " ", "\n", "10", "É", "🍣", "\ud800", "^", "$", "kim", "rla"]
)


@given(st.one_of(st.text(), st.lists(WORDS, max_size=8).map("".join)))
def test_any_text_can_be_searched_for(index: SearchIndex, keyword: str) -> None:
    found = index.find(keyword, index.knows)
    assert len(set(found.positions)) == len(found.positions)
    assert set(found.positions) <= set(range(len(TITLES)))
    assert index.find(keyword, index.knows) == found


@pytest.mark.parametrize(
    ("keyword", "found", "meant"),
    [
        ("김치찌개 asdf", {"돼지고기 김치찌개", "참치김치찌개 끓이는 법"}, "김치찌개"),
        ("asdf 감자", {"감자조림", "알감자 버터구이"}, "감자"),
        ("감자 stew", {"감자조림", "알감자 버터구이"}, "감자 찌개"),
        ("asdf", set(), None),
        ("감\u200b자\ufeff", {"감자조림", "알감자 버터구이"}, None),
        ("감\u00ad자조림", {"감자조림"}, None),
    ],
)
def test_what_is_not_understood_is_left_out(
    index: SearchIndex, keyword: str, found: set[str], meant: str | None
) -> None:
    answer = index.find(keyword, index.knows)
    assert found <= {TITLES[position] for position in answer.positions}
    assert bool(found) == bool(answer.positions)
    assert answer.did_you_mean == meant


def test_invisible_characters_in_a_title_split_no_word() -> None:
    hidden = index_of(["김\u200b치\u00ad찌개"])
    assert hidden.find("김치찌개", hidden.knows).positions == [0]


def test_a_dish_is_not_answered_by_all_that_it_is_made_of() -> None:
    names = ["한우 불고기 300g", *(f"한우 등심 {number}호" for number in range(9)), "언양식 불고기 500g"]
    beef = index_of(names, "products", ingredients=[("소고기",)] * len(names), is_ingredient=[True] * len(names))
    found = beef.find("불고기", beef.knows).positions
    assert set(found[:2]) == {0, 10}
    assert len(found) <= FEW, "raw beef only among the first few"
    assert len(beef.find("소고기", beef.knows).positions) == len(names)


def test_what_is_rather_irrelevant_only_fills_the_first_places() -> None:
    noodles = [f"멸치육수 칼국수 {number}인분" for number in range(9)]
    shop = index_of(["잔치국수 2인분", *noodles], "products")
    found = shop.find("잔치국수", shop.knows).positions
    assert found[0] == 0
    assert len(found) == FEW


def test_a_short_word_needs_most_of_its_letters() -> None:
    fruits = index_of(["모둠두리 시안", "사과 5kg"])
    assert fruits.find("두리안", fruits.knows).positions == []


def test_a_kind_of_food_is_not_what_a_dish_of_it_is_made_of() -> None:
    shop = index_of(
        ["콩자반 반찬 200g", "한우 등심 1kg"],
        "products",
        ingredients=[("콩",), ("소고기",)],
        is_ingredient=[False, True],
    )
    assert shop.find("반찬", shop.knows).positions == [0], "though 장조림 is made of beef"


def test_english_names_of_several_words_are_read_within_a_query(index: SearchIndex) -> None:
    oils = index_of(["엑스트라버진 올리브유 500ml", "참기름 선물세트"])
    answer = oils.find("엑스트라버진 olive oil", oils.knows)
    assert (answer.positions, answer.did_you_mean) == ([0], "엑스트라버진 올리브유")
