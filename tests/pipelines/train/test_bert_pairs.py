"""The pairs that the encoder learns from: of every kind that has data, never against each other, on one side."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from pipelines.train.bert_data import CategoryTitle, TrainingData, is_tested, read_titles
from pipelines.train.bert_pairs import Pair, PairShares, batches
from pipelines.train.spelling_noise import noisy
from recommender.models.recipe_corpus import corpus_of
from recommender.text.title_words import Kind
from tests.builders.recipe_corpus import kitchen
from tests.builders.relations import product

PRODUCTS = tuple(
    product(number, title, kind=Kind.INGREDIENT if is_ingredient else Kind.READY, ingredients=(name,))
    for number, (title, name, is_ingredient) in enumerate(
        [("햇 감자", "감자", True), ("꼬마 감자", "감자", True), ("감자 조림", "감자", False), ("두부", "두부", True)]
    )
)
TITLES = tuple(
    CategoryTitle(title=f"{word} {category}", category=category)
    for category in ("채소", "과일")
    for word in ("제철", "못난이", "유기농")
)
NOTHING = corpus_of([], [])


def some_pairs(data: TrainingData, size: int = 40, seed: int = 1) -> list[Pair]:
    drawn = batches(data, PairShares(), 0.8, size, np.random.default_rng(seed))
    return [pair for batch in islice(drawn, 3) for pair in batch]


def test_a_batch_has_pairs_of_every_kind_with_data() -> None:
    pairs = some_pairs(TrainingData(kitchen(60), PRODUCTS, TITLES))
    assert len(pairs) == 3 * 40
    assert {pair.group[0] for pair in pairs} == {"recipe", "ingredient", "category", "spelling"}
    assert {pair.group[0] for pair in some_pairs(TrainingData(kitchen(60)))} == {"recipe", "spelling"}
    assert {pair.group[0] for pair in some_pairs(TrainingData(NOTHING, (), TITLES))} == {"category", "spelling"}


def test_two_products_of_a_pair_share_ingredient_and_kind() -> None:
    pairs = some_pairs(TrainingData(NOTHING, PRODUCTS))
    products = {each.text: each for each in PRODUCTS}
    both = [(products[pair.first], products[pair.second]) for pair in pairs if pair.second in products]
    together = [(one, other) for one, other in both if one != other]
    assert together
    for one, other in together:
        assert (one.ingredients[0], one.kind) == (other.ingredients[0], other.kind)


def test_texts_of_the_same_thing_are_in_one_group() -> None:
    pairs = [pair for pair in some_pairs(TrainingData(NOTHING, PRODUCTS)) if pair.group[0] == "ingredient"]
    assert {pair.group for pair in pairs} == {("ingredient", "감자"), ("ingredient", "두부")}


def test_the_same_seed_draws_the_same_pairs() -> None:
    data = TrainingData(kitchen(60), PRODUCTS, TITLES)
    assert some_pairs(data) == some_pairs(data)
    assert some_pairs(data) != some_pairs(data, seed=2)


def test_the_test_part_is_not_learnt() -> None:
    data = TrainingData(kitchen(60), PRODUCTS, TITLES)
    training, test = data.train(), data.test()
    assert len(training.recipes) + len(test.recipes) == 60
    assert len(training.titles) + len(test.titles) == len(TITLES)
    assert not set(training.product_texts()) & set(test.product_texts())


def test_titles_that_differ_in_blanks_are_in_the_same_part() -> None:
    assert all(is_tested(f"국산 감자 {n}") == is_tested(f"국산감자{n}") for n in range(50))
    assert 5 < sum(is_tested(f"감자 {n}") for n in range(100)) < 40


@pytest.mark.parametrize("text", ["국산 감자", "무", "a", "", "두부 부침용", "🍣 초밥"])
def test_noise_keeps_most_of_a_title(text: str) -> None:
    changed = {noisy(text, np.random.default_rng(seed)) for seed in range(60)}
    assert len(changed) > 2
    assert all(len(text) - 2 <= len(each) <= len(text) + 12 for each in changed)


def test_noise_misspells_syllables() -> None:
    changed = {noisy("김밥", np.random.default_rng(seed)) for seed in range(60)}
    assert {"기밥", "김바"} <= changed
    assert "참게" in {noisy("참개", np.random.default_rng(seed)) for seed in range(60)}


def test_titles_are_read_from_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "titles.jsonl"
    rows = [
        {"title": "[특가] 감자 1kg", "category": "채소", "price": 3},
        {"title": "이름만"},
        {"title": "무", "category": None},
    ]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    assert [(title.text, title.category) for title in read_titles(path)] == [("감자", "채소")]
    assert read_titles(None) == ()
    path.write_text('{"title": "감자"}\n{"name": 1}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"titles.jsonl, line 2: no JSON object with a title"):
        read_titles(path)
