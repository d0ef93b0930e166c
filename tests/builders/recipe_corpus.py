"""A made-up corpus with a pattern: each dish has its own ingredients, a few are in everything."""

import random

from pipelines.train.corpora import RecipeCorpus, corpus_of

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
    """So many recipes with ids from 1, in turn of each dish, each without one of its dish's ingredients."""
    chance = random.Random(seed)
    rows, lines = [], []
    for number in range(1, recipes + 1):
        dish, core = list(DISHES.items())[number % len(DISHES)]
        rows.append((number, f"{chance.choice(MOODS)} {dish}", float(chance.randrange(5))))
        names = [*chance.sample(core, len(core) - 1), *chance.sample(EVERYWHERE, 2)]
        lines += [(number, name) for name in names]
    return corpus_of(rows, lines)
