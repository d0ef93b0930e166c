"""Training of the model of titles."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.train.titles import LabelledTitle, fit, read_examples, read_labels
from recommender.text import lexicon
from recommender.text.resolver import TitleResolver
from recommender.text.title_model import Answers, default_model
from recommender.text.title_words import Kind

NO_WEIGHTS = Answers(0.0, 0.0, 0.0)

NOON = datetime(2025, 8, 6, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def resolver() -> TitleResolver:
    return TitleResolver(lexicon.ingredients().canonical)


def test_the_shipped_weights_are_learnt_from_the_examples(resolver: TitleResolver) -> None:
    learnt, shipped = fit(resolver, read_examples()).weights, default_model().weights
    for feature in learnt.keys() | shipped.keys():
        found, expected = (weights.get(feature, NO_WEIGHTS) for weights in (learnt, shipped))
        assert tuple(found) == pytest.approx(tuple(expected), abs=0.05), feature


def test_labels_decide_what_is_learnt(resolver: TitleResolver) -> None:
    titles = [f"가나 {number}호" for number in range(20)] + [f"다라 {number}호" for number in range(20)]
    rows = [
        LabelledTitle(title, "가나" in title, number % 2 == 0, number % 2 == 0) for number, title in enumerate(titles)
    ]
    model = fit(resolver, rows)
    readings = resolver.read_many(["가나 99호", "다라 99호"])
    first, second = (
        model.answer(title, each) for title, each in zip(("가나 99호", "다라 99호"), readings, strict=True)
    )
    assert first.food > 0.5 > second.food


def test_unlabelled_titles_are_left_out_of_a_question(resolver: TitleResolver) -> None:
    labelled = [
        LabelledTitle.of_kind("햇감자 3kg", Kind.INGREDIENT, has_recipes=True),
        LabelledTitle.of_kind("갈비탕 10팩", Kind.READY, has_recipes=False),
        LabelledTitle.of_kind("무선 청소기", Kind.NONFOOD, has_recipes=None),
    ]
    unlabelled = [LabelledTitle("햇양파 3kg"), LabelledTitle("육개장 10팩")]
    with_them, without = fit(resolver, labelled + unlabelled), fit(resolver, labelled)
    for row, reading in zip(labelled, resolver.read_many([row.title for row in labelled]), strict=True):
        # Features that always go together may share their weight in several ways.
        assert with_them.answer(row.title, reading) == pytest.approx(without.answer(row.title, reading), abs=0.01)


def test_a_kind_answers_both_questions() -> None:
    kinds = {kind: LabelledTitle.of_kind("-", kind, has_recipes=None) for kind in Kind}
    assert {kind for kind, row in kinds.items() if row.is_food} == set(Kind) - {Kind.NONFOOD, Kind.SUPPLEMENT}
    assert {kind: row.is_ingredient for kind, row in kinds.items()} == {
        Kind.INGREDIENT: True,
        **dict.fromkeys((Kind.READY, Kind.SNACK, Kind.DRINK, Kind.SUPPLEMENT), False),
        Kind.NONFOOD: None,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title\tkind\trecipes\n감자\tingredient\t1\n두부\tgoods\t0\n", "examples.tsv, line 3: 'goods' is not a valid"),
        ("title\trecipes\n감자\t1\n", "examples.tsv, line 2: 'kind'"),
    ],
)
def test_a_wrong_example_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "examples.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        list(read_examples(path))


def test_examples_are_read_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "examples.tsv"
    path.write_text(
        'title\tkind\trecipes\tingredients\n"햇" 감자\tingredient\t1\t감자\n생수\tdrink\t0\t\n', encoding="utf-8"
    )
    assert list(read_examples(path)) == [
        LabelledTitle('"햇" 감자', True, True, True),
        LabelledTitle("생수", True, False, False),
    ]


def test_exported_labels_are_examples(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "source,product_id,title,kind,shows_recipes,state\n"
        "kok,1,햇감자,ingredient,,applies\nkok,2,배추김치,ready,yes,stale\n",
        encoding="utf-8",
    )
    assert list(read_labels(path, NOON)) == [
        LabelledTitle.of_kind("햇감자", Kind.INGREDIENT, has_recipes=True),
        LabelledTitle.of_kind("배추김치", Kind.READY, has_recipes=True),
    ]
    path.write_text("source,product_id,title,kind\nkok,1,햇감자,goods\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"labels.csv, line 2: kind: "):
        list(read_labels(path, NOON))
