"""Korean words are found by romanisation, whichever system and spelling it follows."""

import pytest

from recommender.search import words
from recommender.search.latin import Romanised, is_latin

WORDS = (
    *("김치", "불고기", "갈비", "떡볶이", "비빔밥", "잡채", "된장", "고추장", "삼겹살", "냉면", "설렁탕", "순두부"),
    *("해장국", "막걸리", "칼국수", "고등어", "한우"),
)


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("kimchi", "김치"),
        ("gimchi", "김치"),
        ("bulgogi", "불고기"),
        ("Pulgogi", "불고기"),
        ("galbi", "갈비"),
        ("kalbi", "갈비"),
        ("tteokbokki", "떡볶이"),
        ("bibimbab", "비빔밥"),
        ("chapchae", "잡채"),
        ("doenjang", "된장"),
        ("dwenjang", "된장"),
        ("kochujang", "고추장"),
        ("samgyeopsal", "삼겹살"),
        ("samgyupsal", "삼겹살"),
        ("naengmyun", "냉면"),
        ("seolleongtang", "설렁탕"),
        ("soondubu", "순두부"),
        ("haejang-guk", "해장국"),
        ("makkoli", "막걸리"),
        ("kalguksu", "칼국수"),
        ("godeungeo", "고등어"),
        ("hanwoo", "한우"),
        ("vegetable", None),
        ("ki", None),
        ("", None),
    ],
)
def test_a_word_is_found_by_its_romanisation(written: str, word: str | None) -> None:
    assert Romanised(WORDS).find(written) == word


def test_of_words_that_sound_alike_the_first_is_found() -> None:
    assert Romanised(["게장", "개장"]).find("gejang") == "게장"
    assert Romanised(["개장", "게장"]).find("gejang") == "개장"


def test_latin_text_has_no_digits_or_other_letters() -> None:
    assert is_latin("ice cream")
    assert not any(is_latin(text) for text in ("la갈비", "5kg", "é", "a"))


def test_english_names_have_their_korean_words() -> None:
    names = words.english()
    assert (names["salmon"], names["tofu"], names["soysauce"], names["glutenfree"]) == (
        "연어",
        "두부",
        "간장",
        "글루텐프리",
    )
