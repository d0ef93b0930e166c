"""Documents found by a query, in which order, whatever its spacing and spelling."""

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.search.index import TextIndex, normal, squeezed
from recommender.search.spelling import Spelling
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


@pytest.fixture(scope="module")
def index() -> TextIndex:
    return TextIndex(((title, " ".join(tokens(title))) for title in TITLES), SYNONYMS)


def everything(word: str) -> bool:
    """Every word is spelled correctly."""
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
def test_misspelled_queries_find_the_intended_title(index: TextIndex, keyword: str, first: str) -> None:
    assert titles(index, keyword)[:1] == [first]


@pytest.mark.parametrize(
    "keyword", ["asdfqwer", "ㅋㅋㅋ", "뷁뷁뷁", "자동차 보험", "12345", "🍺", "!?", " ", "\ud800", "\0"]
)
def test_nonsense_finds_nothing(index: TextIndex, keyword: str) -> None:
    assert titles(index, keyword) == []


def test_exact_text_comes_before_tokens_before_synonyms(index: TextIndex) -> None:
    assert titles(index, "김치 찌개") == ["돼지고기 김치찌개", "참치김치찌개 끓이는 법", "찌개용 김치 손질하기"]
    assert titles(index, "하지감자") == ["감자조림", "알감자 버터구이"]
    literal = TextIndex([("돼지고기 수육", ""), ("돈육 수육", "")], SYNONYMS)
    assert literal.find("돈육", literal.knows) == [1, 0]
    assert literal.find("돼지고기", literal.knows) == [0, 1]


def test_fuzzy_matches_are_returned_only_without_others(index: TextIndex) -> None:
    assert titles(index, "두부 된장찌개") == ["두부 된장찌개"]
    assert titles(index, "두부된짱찌개") == ["두부 된장찌개"]


def test_a_synonym_of_one_syllable_matches_whole_tokens(index: TextIndex) -> None:
    assert titles(index, "대파") == ["해물 파 볶음"], "not the one in 파스타"


def test_numbers_are_not_corrected() -> None:
    index = TextIndex([("감자 10000그램", "감자 10000 그램")])
    assert index.find("10000그램", index.knows) == [0]
    assert index.find("10001그램", index.knows) == []


def test_a_correct_word_is_not_corrected() -> None:
    masks = TextIndex([("이지스 자외선 차단 마스크", "자외선 차단 마스크"), ("토스터 겸용 그릴", "토스터 그릴")])
    for keyword, guess in (("토스트", 1), ("마스코", 0)):
        assert masks.find(keyword, masks.knows) == [guess], "possibly a misspelling"
        assert masks.find(keyword, everything) == [], "a correct word is not corrected"
    soups = TextIndex([("고기듬뿍 미역국 4팩", "고기 미역국 4 팩")])
    assert soups.find("소고기듬뿍미역국", everything) == [0], "a long query is matched fuzzily"


def test_frequent_words_and_ingredients_are_known() -> None:
    index = TextIndex([("국물떡볶이", "국물 떡볶이"), ("궁중 떡볶이", "궁중 떡볶이"), ("떡복이", "떡복이")], SYNONYMS)
    assert {word for word in ("떡볶이", "떡복이", "궁중", "돈육", "돼지고기", "라떼") if index.knows(word)} == {
        "떡볶이",
        "돈육",
        "돼지고기",
    }


def test_only_the_first_words_of_a_long_query_are_corrected(index: TextIndex) -> None:
    asked = [f"{onset}배이컨파스따" for onset in "가나다라마바사아자차카타파하"]
    with patch.object(Spelling, "nearest", return_value=[]) as nearest:
        titles(index, " ".join(asked))
    assert [call.args for call in nearest.call_args_list] == [(word,) for word in asked[:8]] + [("".join(asked),)]


def test_an_empty_index_finds_nothing() -> None:
    assert TextIndex(()).find("김치", everything) == []


WORDS = st.sampled_from(
    ["김치", "찌게", "돈육", "떡뽁", "ㄱ", "ㅏ", "감", " ", "\n", "10", "É", "🍣", "\ud800", "^", "$"]
)


@given(st.one_of(st.text(), st.lists(WORDS, max_size=8).map("".join)))
def test_any_text_can_be_searched_for(index: TextIndex, keyword: str) -> None:
    found = index.find(keyword, index.knows)
    assert len(set(found)) == len(found)
    assert set(found) <= set(range(len(TITLES)))
    assert index.find(keyword, index.knows) == found


@given(st.lists(st.text("가나 파ab\n", max_size=6), max_size=6), st.text("가나 파ab\n", max_size=3))
def test_texts_that_contain_the_keyword_come_first(texts: list[str], keyword: str) -> None:
    contain = [n for n, text in enumerate(texts) if squeezed(keyword) and squeezed(keyword) in squeezed(text)]
    assert TextIndex((text, "") for text in texts).find(keyword, everything)[: len(contain)] == contain


def test_text_is_normalised_to_one_form() -> None:
    assert normal("\u1100\u1161Ｂ㎏") == "가bkg"
    assert normal("감ㅈ ㅋㅋ ㄳ") == "감ㅈ ㅋㅋ ㄳ"
