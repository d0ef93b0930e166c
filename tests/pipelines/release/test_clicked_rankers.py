"""Rankers learnt from simulated clicks on the lists of a release, of people who look from the top."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.release.items import Items, make_items
from pipelines.train.clicks import Look, graded
from pipelines.train.ranker import Lesson, _better, _enough, _shortage, _teaches_without_any_fold, fit, make_lesson
from recommender.evaluation.judgements import Judgements
from recommender.models.encoder import Encoder
from recommender.relations.ranker import Ranker, Weights, read_rankers
from recommender.relations.relation import Relation
from tests.builders.market_release import Good


@pytest.fixture(scope="module")
def items(good: Good) -> Items:
    inputs = good.inputs
    return make_items(inputs.products, inputs.recipes, Encoder(inputs.encoder).encode, read_rankers())


@pytest.fixture(scope="module")
def lesson(good: Good, items: Items) -> Lesson:
    """What is right by the rule of the relation is clicked in six of ten looks, anything else in one of twenty."""
    random = np.random.default_rng(7)
    right = good.questions.of_release["mall_mall"].judgements.grades
    targets = sorted({item for known in right.values() for item in known})
    seen = []
    for query, known in sorted(right.items())[:60]:
        shown = [*sorted(known)[:5], *random.choice(targets, 5, replace=False).tolist()]
        for visitor in range(8):
            order = random.permutation([item for item in dict.fromkeys(shown) if item != query]).tolist()
            clicks = [random.random() < (0.6 if known.get(item, 0) else 0.05) for item in order]
            last = max((place for place, clicked in enumerate(clicks) if clicked), default=-1)
            pairs = list(zip(order, clicks, strict=True))[: last + 1]
            seen += [Look("mall_mall", query, item, str(visitor), clicked) for item, clicked in pairs]
    judged = _enough(graded(seen))
    assert judged["mall_mall"].grades
    return make_lesson(items, Relation.SIMILAR_PRODUCTS, judged)


def test_what_is_clicked_is_found_again(lesson: Lesson) -> None:
    _, lists = fit(lesson, Relation.SIMILAR_PRODUCTS)
    nothing = Weights(bias=0.0, features={})
    aimless = Ranker(learnt_from="nothing", threshold=0.0, acceptable=nothing, good=nothing)
    assert _better(lesson, lists, aimless)


def test_weights_that_find_as_much_stay_in_use(lesson: Lesson) -> None:
    learnt, _ = fit(lesson, Relation.SIMILAR_PRODUCTS)
    assert not _better(lesson, {name: [] for name in lesson.names}, learnt)


def test_few_clicks_or_clicks_of_one_kind_teach_nothing() -> None:
    many = {f"kok:{number}": {"kok:1": 2} for number in range(400)}
    mixed = many | {f"hmall:{number}": {"kok:1": 0} for number in range(10)}
    halfhearted = {query: {item: min(grade, 1) for item, grade in known.items()} for query, known in mixed.items()}
    judged = {
        "mall_mall": Judgements(many),
        "broadcast_mall": Judgements(mixed),
        "ingredient_mall": Judgements(halfhearted),
    }
    few = Judgements(dict(list(mixed.items())[:200]))
    assert set(_enough(judged | {"product_recipes": few})) == {"broadcast_mall"}
    assert str(_shortage(Judgements(halfhearted))) == (
        "not enough events: 0 of clicks, as good answers of a relation, 10 are needed"
    )


def test_a_fold_without_good_answers_is_not_learnt_from(lesson: Lesson) -> None:
    assert _teaches_without_any_fold(lesson)
    one_query = (lesson.pairs.queries == 0) & (lesson.grades >= 2)
    grades = np.where((lesson.grades >= 2) & ~one_query, 1, lesson.grades)
    assert not _teaches_without_any_fold(replace(lesson, grades=grades))
