"""Which word means what: products before ingredients, heads before beginnings."""

import pytest

from recommender.text import lexicon
from recommender.text.title_words import Kind, Word, title_words

WORDS = title_words(lexicon.ingredients().canonical)
FEW = title_words({"두부": "두부", "대파": "대파", "파": "대파"})


@pytest.mark.parametrize(
    ("word", "sort", "product_type", "ingredient"),
    [
        ("두유", Kind.DRINK, "두유", "두유"),
        ("약콩두유", Kind.DRINK, "두유", "두유"),
        ("만두", Kind.READY, "만두", "만두"),
        ("딸기맛우유", Kind.DRINK, "딸기맛우유", "우유"),
        ("감자", Kind.INGREDIENT, "감자", "감자"),
        ("알감자", Kind.INGREDIENT, "감자", "감자"),
        ("갈비탕", Kind.READY, "갈비탕", "소갈비"),
        ("꼬막무침", Kind.READY, "꼬막무침", "꼬막"),
        ("감자떡", Kind.SNACK, "감자떡", ""),
        ("인삼주", Kind.DRINK, "인삼주", ""),
        ("김치냉장고", Kind.NONFOOD, "냉장고", ""),
    ],
)
def test_a_word_has_a_kind_a_type_and_an_ingredient(word: str, sort: Kind, product_type: str, ingredient: str) -> None:
    found = WORDS[word]
    assert (found.sort, found.type, found.ingredient) == (sort, product_type, ingredient)


def test_finished_products_are_made_of_what_their_line_says_first() -> None:
    assert lexicon.products()["꼬리곰탕"].ingredients[0] == "소뼈"
    assert WORDS["꼬리곰탕"].ingredient == "소뼈"


def test_an_ingredient_without_recipes_is_known_but_names_none() -> None:
    assert FEW["감자"] == Word(Kind.INGREDIENT, "감자", "채소", "")
    assert FEW["갈비탕"].ingredient == FEW["두유"].ingredient == ""
    assert FEW["대파"].ingredient == FEW["파"].ingredient == "대파"


def test_the_vocabulary_of_recipes_adds_names() -> None:
    words = title_words({"동고버섯": "동고버섯", "힣": "힣"})
    assert words["동고버섯"] == Word(Kind.INGREDIENT, "동고버섯", "", "동고버섯")
    assert "힣" not in words, "one letter that no list knows is no word"


def test_ambiguous_words_name_nothing() -> None:
    ambiguous = lexicon.words("titles")["ambiguous"]
    assert "갈비" in ambiguous
    as_ingredients = [word for word in ambiguous if word in WORDS and WORDS[word].sort == Kind.INGREDIENT]
    assert as_ingredients == []


@pytest.mark.parametrize(("word", "sort"), [("다이어트", "qualifier"), ("식품", "food"), ("도시락", "qualifier")])
def test_words_that_only_describe_have_a_sort_of_their_own(word: str, sort: str) -> None:
    assert WORDS[word].sort == sort


def test_every_spelling_of_the_lists_is_a_word() -> None:
    assert set(lexicon.products()) <= set(WORDS)
    usable = set(lexicon.ingredients().canonical) - lexicon.words("titles")["ambiguous"]
    assert usable <= set(WORDS)
