"""The words by which titles are understood: ingredients, types of finished goods, and words that only describe."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Final, NamedTuple

from recommender.text import lexicon


class Kind(StrEnum):
    """What a product is."""

    INGREDIENT = "ingredient"  # raw or basic: something to cook with
    READY = "ready"  # a finished dish, a meal kit, a side dish
    SNACK = "snack"  # bread, rice cakes, sweets, dried snacks
    DRINK = "drink"  # water, juice, coffee, tea, alcohol
    SUPPLEMENT = "supplement"  # taken for one's health
    NONFOOD = "nonfood"


FOOD_KINDS = frozenset({Kind.INGREDIENT, Kind.READY, Kind.SNACK, Kind.DRINK})
FINISHED_KINDS = frozenset({Kind.READY, Kind.SNACK, Kind.DRINK, Kind.SUPPLEMENT})


# What is eaten with the drink that it is named after: 맥주안주.
EATEN_WITH: Final = "안주"


class Word(NamedTuple):
    """A known word. ``sort`` is a :class:`Kind`, ``purpose`` (a way to cook), ``qualifier`` (for what or for whom) or
    ``food`` (food, but not which).

    ``type`` is what a product with this head is, ``shelf`` where it stands; ``ingredient`` is what it is made of, by
    canonical name. Each is "" where the word does not say.
    """

    sort: str
    type: str = ""
    shelf: str = ""
    ingredient: str = ""


def title_words(vocabulary: Mapping[str, str]) -> dict[str, Word]:
    """Words by spelling without blanks; ``vocabulary`` maps the spellings of ingredients to canonical names.

    An ingredient that no recipe of the vocabulary uses is known, but names no ingredient.
    """
    lists = lexicon.words("titles")
    listed = lexicon.ingredients()
    names = {variant.replace(" ", "").lower(): name for variant, name in vocabulary.items()}
    canonical = set(vocabulary.values())
    words = {word: Word("food") for word in lists["food"]}
    for variant, name in (listed.canonical | names).items():
        if _usable(variant, lists["ambiguous"]):
            used = name if name in canonical else ""
            words[variant] = Word(Kind.INGREDIENT, name, listed.kind.get(name, ""), used)
    for word in lists["purpose"]:
        words[word] = Word("purpose", word, "", _made_of(word, (), words))
    for word, product in lexicon.products().items():
        sort = "qualifier" if word in lists["qualifier"] else product.kind
        made_of = _same_as(word, product, words) or _same_as(product.name, product, words)
        # Sweets, drinks and supplements are cooked with only where they are ingredients themselves (우유, 땅콩버터).
        if not made_of and product.kind == Kind.READY:
            made_of = _made_of(word, product.ingredients, words)
        words[word] = Word(sort, product.name, product.shelf, made_of)
    return words


def _usable(word: str, ambiguous: AbstractSet[str]) -> bool:
    return word not in ambiguous and (len(word) > 1 or word in lexicon.ingredients().canonical)


def _same_as(word: str, product: lexicon.ProductType, words: Mapping[str, Word]) -> str:
    """The ingredient that a word is or ends with: the end is the head (약콩두유 -> 두유); "" if there is none.

    Ways to cook are no ingredient (스테이크). Supplements are named after what their extract is of (모로오렌지): of
    them only the whole word counts.
    """
    listed = lexicon.ingredients().canonical.keys() - lexicon.words("titles")["purpose"]
    ends = (word[start:] for start in range(1 if product.kind == Kind.SUPPLEMENT else len(word) - 1))
    return next((words[end].ingredient for end in ends if end in listed and end in words), "")


def _made_of(word: str, ingredients: tuple[str, ...], words: Mapping[str, Word]) -> str:
    """The first of ``ingredients``, else the ingredient that a compound starts with (꼬막무침 -> 꼬막), else "".

    What is listed after the first goes along with it: where that is no ingredient (고기 of 마라탕), the vegetables of a
    dish do not stand for it. Nor is 맥주안주 made of beer.
    """
    if ingredients and (first := words.get(ingredients[0])) and first.ingredient:
        return first.ingredient
    if word.endswith(EATEN_WITH):
        return ""
    heads = (words.get(word[:size]) for size in range(len(word), 1, -1))
    return next((found.ingredient for found in heads if found and found.ingredient), "")
