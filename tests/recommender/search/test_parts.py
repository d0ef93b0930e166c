"""Compound words are read by their parts; one syllable is a part only beside known words."""

import pytest

from recommender.search import words
from recommender.search.parts import Splitter

SPLITTER = Splitter({"돈육": "돼지고기"})


@pytest.mark.parametrize(
    ("word", "ingredients"),
    [
        ("꼬막무침", ["꼬막"]),
        ("콩나물무국", ["콩나물", "무"]),
        ("감자양파볶음", ["감자", "양파"]),
        ("돈육볶음", ["돼지고기"]),
        ("무라벨", []),
        ("무료배송", []),
        ("무농약", []),
        ("파티", []),
    ],
)
def test_a_compound_has_the_ingredients_of_its_parts(word: str, ingredients: list[str]) -> None:
    assert [part.ingredient for part in SPLITTER.parts(word) if part.ingredient] == ingredients


@pytest.mark.parametrize(
    ("word", "ingredients", "singles"),
    [
        ("무", (), {"무"}),
        ("굴림만두", (), set()),
        ("굴림만두", ("굴",), {"굴"}),
        ("굴국", (), {"굴", "국"}),
        ("전복죽", (), {"죽"}),
        ("맛있게", (), set()),
        ("배송", (), set()),
    ],
)
def test_words_of_one_syllable_stand_beside_known_ones(
    word: str, ingredients: tuple[str, ...], singles: set[str]
) -> None:
    assert {single for single, _ in SPLITTER.singles(word, ingredients, {"무"})} == singles


def test_a_syllable_that_the_analyser_does_not_read_is_no_word() -> None:
    assert list(SPLITTER.singles("게", (), {"감자"})) == []
    assert [single for single, _ in SPLITTER.singles("게", (), {"게"})] == ["게"]


def test_alike_forms_share_a_bit() -> None:
    assert SPLITTER.form_mask("김치찌개") == SPLITTER.form_mask("부대전골") > 0
    assert SPLITTER.form_mask("갈비탕") == SPLITTER.form_mask("미역국") > 0
    assert SPLITTER.form_mask("설탕") == SPLITTER.form_mask("감자") == 0


def test_word_lists_hold_no_word_twice() -> None:
    for word, others in words.synonyms().items():
        assert word not in others
    assert not set(words.misspellings()) & set(words.misspellings().values())
    assert all(wrong not in right for wrong, right in words.misspellings().items())
