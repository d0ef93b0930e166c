"""The model of titles: its text form, its features and its probabilities."""

import math

import pytest

from recommender.text.resolver import TitleResolver
from recommender.text.title_model import (
    BIAS,
    WEIGHTS,
    Answers,
    TitleModel,
    default_model,
    read_model,
    title_features,
)
from recommender.text.title_reading import RuleReading

NOTHING = RuleReading((), is_spirit=False)
MODEL = TitleModel(
    {BIAS: Answers(0.5, -1.0, 0.0), "감자": Answers(2.0, 0.0, -3.25), "rule:no head": Answers(0.0, 1.0, 0.0)}
)
HEADER = "feature\tfood\tingredient\trecipes\n"


def test_a_model_survives_its_text() -> None:
    assert read_model(MODEL.to_text()) == MODEL
    assert MODEL.to_text() == read_model(MODEL.to_text()).to_text()


def test_the_shipped_weights_are_in_the_form_that_is_written() -> None:
    assert default_model().to_text() == WEIGHTS.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected the columns feature, food, ingredient, recipes"),
        ("feature\tfood\n", "line 1: expected the columns"),
        (HEADER + "a\t1\t2\t3\nb\t1\t2\n", "line 3: expected a feature and 3 weights"),
        (HEADER + "a\t1\t2\t3\t4\n", "line 2: expected a feature and 3 weights"),
        (HEADER + "a\t1\ttwo\t3\n", "line 2: .*'two'"),
        (HEADER + "\n", "line 2: expected a feature"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_model(text)


def test_probabilities_are_those_of_the_summed_weights() -> None:
    features = title_features("감자", NOTHING)
    totals = (0.5 + 2.0 * features["감자"], -1.0 + 1.0, -3.25 * features["감자"])
    found = MODEL.answer("감자", NOTHING)
    assert found == pytest.approx([1 / (1 + math.exp(-total)) for total in totals])


def test_a_title_of_unknown_features_gets_the_bias() -> None:
    model = TitleModel({BIAS: Answers(0.0, 1.0, -1.0)})
    assert model.answer("무엇", NOTHING) == pytest.approx([0.5, 1 / (1 + math.e**-1), 1 / (1 + math.e)])
    assert TitleModel({}).answer("무엇", NOTHING) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(("weight", "probability"), [(1e9, 1.0), (-1e9, 0.0)])
def test_large_weights_do_not_overflow(weight: float, probability: float) -> None:
    found = TitleModel({BIAS: Answers(weight, weight, weight)}).answer("감자", NOTHING)
    assert found == pytest.approx((probability,) * 3)


def test_grams_are_of_the_words_outside_brackets() -> None:
    grams = {name: value for name, value in title_features("감자 [특가]", NOTHING).items() if "rule:" not in name}
    assert set(grams) == {"_감", "감자", "자_", "_감자", "감자_", "_감자_"}
    assert sum(value**2 for value in grams.values()) == pytest.approx(1.0)


def test_an_ingredient_before_finished_products_is_what_they_are_of(resolver: TitleResolver) -> None:
    titles = ["감자 갈비탕", "갈비탕 감자"]
    first, last = (
        title_features(title, reading).keys() for title, reading in zip(titles, resolver.read_many(titles), strict=True)
    )
    assert "rule:of ingredient" in first
    assert "rule:has ingredient" not in first
    assert {"rule:has ingredient", "rule:has ready"} <= last


def test_contributions_add_up_to_the_log_odds(resolver: TitleResolver) -> None:
    (reading,) = resolver.read_many(["감자 갈비탕 700g"])
    parts = resolver.model.contributions("감자 갈비탕 700g", reading)
    answers = resolver.model.answer("감자 갈비탕 700g", reading)
    for question, probability in enumerate(answers):
        total = sum(part[question] for part in parts.values())
        assert probability == pytest.approx(1 / (1 + math.exp(-total)))


def test_the_rules_are_features(resolver: TitleResolver) -> None:
    titles = ["갈비탕 700g + 김치 1kg", "김치플러스", "인삼주 23도 375ml", ""]
    soup, fridge, spirit, nothing = (
        {name for name in title_features(title, reading) if name.startswith("rule:")}
        for title, reading in zip(titles, resolver.read_many(titles), strict=True)
    )
    assert soup == {
        *("rule:head ready", "rule:shelf 국탕", "rule:has ready"),
        *("rule:extras", "rule:extra ingredient", "rule:all edible"),
    }
    assert "rule:head ingredient open" in fridge
    assert {"rule:spirit", "rule:head drink"} <= spirit
    assert nothing == {"rule:no head"}
