"""A synthetic corpus with a pattern: each dish has its own ingredients, and a few ingredients are in every dish."""

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.models.recipe_corpus import RecipeCorpus, corpus_of
from recommender.rankers.word2vec import unit

DISHES = {
    "김치찌개": ("김치", "돼지고기", "두부", "대파", "고춧가루"),
    "된장찌개": ("된장", "애호박", "감자", "두부", "양파"),
    "미역국": ("미역", "소고기", "국간장", "참기름", "마늘"),
    "떡볶이": ("떡", "어묵", "고추장", "설탕", "대파"),
    "크림파스타": ("스파게티면", "생크림", "베이컨", "양송이버섯", "버터"),
    "과일샐러드": ("사과", "바나나", "요거트", "꿀", "호두"),
}
EVERYWHERE = ("소금", "후추", "물")
MOODS = ("매콤한", "집에서", "초간단", "엄마표", "든든한", "아이와", "캠핑", "주말")


def kitchen(recipes: int, seed: int = 7) -> RecipeCorpus:
    """Recipes with ids from 1, of each dish in turn, each without one of its dish's ingredients."""
    chance = random.Random(seed)
    rows, lines = [], []
    for number in range(1, recipes + 1):
        dish, core = list(DISHES.items())[number % len(DISHES)]
        rows.append((number, f"{chance.choice(MOODS)} {dish}", float(chance.randrange(5))))
        names = [*chance.sample(core, len(core) - 1), *chance.sample(EVERYWHERE, 2)]
        lines += [(number, name) for name in names]
    return corpus_of(rows, lines)


def encode_letters(texts: Sequence[str]) -> NDArray[np.float32]:
    """A stand-in for an encoder: unit vectors (texts, 512) that are close for texts with the same letters."""
    vectors = np.zeros((len(texts), 512), dtype=np.float32)
    for row, text in enumerate(texts):
        for letter in text:
            vectors[row, ord(letter) % 512] += 1
    return unit(vectors)
