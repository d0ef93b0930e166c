"""Checks that block a release, what a person can allow, and the message."""

from typing import Any

import pytest

from artifacts.release import CorruptRelease
from pipelines.release.gate import check_gate, failed_checks, refuse_unreadable
from pipelines.release.thresholds import read_thresholds
from recommender.evaluation.results import (
    AgreementFigures,
    Difference,
    ListFigures,
    NextItemFigures,
    PersonalEvaluation,
    RelationEvaluation,
    RelevanceFigures,
)
from recommender.manifest import Check, CheckStatus, GateResult, Manifest
from tests.builders.evaluations import manifest

LIMITS = read_thresholds()
RIGHT = RelevanceFigures(
    queries=100, answerable=100, ndcg_at_5=0.9, wrong_at_5=0.1, first=0.9, abstain=None, empty=0.0, unjudged=0.0
)
VARIED = ListFigures(
    asked=100,
    answered=1.0,
    diversity=0.5,
    concentration=0.1,
    repeated=0,
    own=0,
    unknown=0,
    unsorted=0.0,
    tied=0.0,
    false_reasons=0.0,
)


def release(**relation: Any) -> Manifest:
    """A release with one relation, which is good but for the given parts."""
    rivals = dict.fromkeys(("popularity", "tfidf", "bm25"), RIGHT)
    parts = {"basis": "rule", "served": RIGHT, "rivals": rivals, "lists": VARIED} | relation
    return _with(manifest("v1"), relations={"mall_mall": RelationEvaluation.model_validate(parts)})


def _with(one: Manifest, **parts: Any) -> Manifest:
    return one.model_copy(update={"evaluation": one.evaluation.model_copy(update=parts)})


def checked(one: Manifest, live: Manifest | None = None, **options: Any) -> dict[str, Check]:
    return {check.name: check for check in check_gate(one, live, LIMITS, **options).checks}


def ahead(mean: float, spread: float = 0.01) -> Difference:
    return Difference(cases=100, mean=mean, low=mean - spread, high=mean + spread)


def test_a_good_relation_passes_every_check_of_it() -> None:
    better = {name: ahead(0.2) for name in ("popularity", "tfidf", "bm25", "reversed", "live")}
    found = checked(release(ahead_of=better, agreement=AgreementFigures(queries=90, jaccard_at_10=0.9)))
    own = {name: check.status for name, check in found.items() if name.startswith("mall_mall.")}
    assert len(own) == 12
    assert set(own.values()) == {CheckStatus.PASSED}


@pytest.mark.parametrize(
    ("relation", "name"),
    [
        ({"served": RIGHT.model_copy(update={"ndcg_at_5": 0.2})}, "relevance"),
        ({"basis": "judgements", "served": RIGHT.model_copy(update={"wrong_at_5": 0.6})}, "wrong"),
        ({"basis": "judgements", "served": RIGHT.model_copy(update={"unjudged": 0.3})}, "unjudged"),
        ({"ahead_of": {"popularity": ahead(0.5), "tfidf": ahead(-0.1)}}, "rivals"),
        ({"ahead_of": {"reversed": ahead(-0.1)}}, "order"),
        ({"ahead_of": {"live": ahead(-0.1)}}, "live"),
        ({"lists": VARIED.model_copy(update={"answered": 0.1})}, "answered"),
        ({"lists": VARIED.model_copy(update={"repeated": 1})}, "items"),
        ({"lists": VARIED.model_copy(update={"unknown": 1})}, "items"),
        ({"lists": VARIED.model_copy(update={"not_finite": 1})}, "items"),
        ({"lists": VARIED.model_copy(update={"diversity": 0.01})}, "diversity"),
        ({"lists": VARIED.model_copy(update={"concentration": 1.0})}, "concentration"),
        ({"lists": VARIED.model_copy(update={"tied": 0.9})}, "tied"),
        ({"lists": VARIED.model_copy(update={"unsorted": 0.1})}, "sorted"),
        ({"lists": VARIED.model_copy(update={"false_reasons": 0.1})}, "reasons"),
        ({"agreement": AgreementFigures(queries=90, jaccard_at_10=0.0)}, "agreement"),
    ],
)
def test_each_check_of_a_relation_blocks_and_is_named(relation: dict[str, Any], name: str) -> None:
    found = checked(release(**relation))
    failed = [check.name for check in found.values() if check.name.startswith("mall_mall.") and check.status.blocks]
    assert failed == [f"mall_mall.{name}"]


def test_a_difference_within_its_interval_blocks_nothing() -> None:
    assert checked(release(ahead_of={"tfidf": ahead(-0.1, 0.09)}))["mall_mall.rivals"].status is CheckStatus.PASSED


def test_lists_that_have_changed_much_are_warned_of() -> None:
    gate = checked(release(agreement=AgreementFigures(queries=90, jaccard_at_10=0.2)))["mall_mall.agreement"]
    assert gate.status is CheckStatus.WARNED
    assert not gate.status.blocks
    assert "ukok release diff" in gate.reason


def test_too_few_cases_are_not_judged_and_block() -> None:
    few = RIGHT.model_copy(update={"answerable": 3})
    check = checked(release(served=few))["mall_mall.relevance"]
    assert check.status is CheckStatus.NOT_JUDGED
    assert check.status.blocks
    assert "3 cases, at least 20 needed" in check.reason


def test_what_is_not_judged_can_be_allowed_by_name() -> None:
    few = release(served=RIGHT.model_copy(update={"answerable": 3}))
    found = checked(few, allow_unjudged=frozenset({"mall_mall.relevance", "mall_mall.items"}))
    assert found["mall_mall.relevance"].status is CheckStatus.ALLOWED
    bad = release(served=RIGHT.model_copy(update={"ndcg_at_5": 0.1}))
    assert checked(bad, allow_unjudged=frozenset({"mall_mall.relevance"}))["mall_mall.relevance"].status.blocks


def test_a_much_smaller_catalog_needs_a_word() -> None:
    live = manifest("v0").model_copy(update={"counts": manifest("v0").counts.model_copy(update={"kok_products": 100})})
    found = checked(release(), live)
    assert [name for name in found if name.startswith("counts.") and found[name].status.blocks] == [
        "counts.kok_products"
    ]
    assert "--accept-fewer" in found["counts.kok_products"].reason
    gate = check_gate(release(), live, LIMITS, accept_fewer=True)
    assert gate.accepted == ("accept-fewer",)
    assert {check.name: check.status for check in gate.checks}["counts.kok_products"] is CheckStatus.ALLOWED


def test_arrays_that_are_no_numbers_end_the_checks() -> None:
    content = release().evaluation.content.model_copy(update={"problems": ("x.npy: 3 of 4 elements are not finite",)})
    found = checked(_with(release(), content=content))
    assert found["content.arrays"].status is CheckStatus.FAILED
    assert "x.npy: 3 of 4 elements" in found["content.arrays"].reason
    assert not any(name.startswith("mall_mall.") for name in found)


def test_the_message_names_check_value_limit_and_meaning() -> None:
    failed = check_gate(release(served=RIGHT.model_copy(update={"ndcg_at_5": 0.25})), None, LIMITS)
    message = failed_checks(failed)
    assert "mall_mall.relevance: nDCG@5 by the rule of the relation on 100 queries: 0.250, at least 0.600" in message
    assert "do not hold what goes with the query" in message
    assert "\n" not in message
    assert failed_checks(GateResult(passed=False, checks=())) == "no check was made"
    assert "cannot be opened: x is damaged" in failed_checks(refuse_unreadable(CorruptRelease("x is damaged")))


def test_every_relation_that_is_asked_has_a_limit() -> None:
    assert {"mall_mall", "substitutes", "search_recipes_misspelt"} <= LIMITS.rules.min_ndcg.keys()


def users(people: int, **ahead_of: Difference) -> Manifest:
    """A release whose personal model was measured on so many people."""
    figures = NextItemFigures(recall_at_20=0.08, ndcg_at_20=0.05)
    measured = PersonalEvaluation(
        people=people,
        served=figures,
        released=figures,
        rivals={"popularity": figures, "history": figures},
        ahead_of=ahead_of,
    )
    return _with(manifest("v1"), personal=measured)


def test_the_personal_model_is_judged_where_people_came_back() -> None:
    better = {name: ahead(0.04) for name in ("popularity", "history", "held_out")}
    found = checked(users(100, **better))
    own = {name: check.status for name, check in found.items() if name.startswith("personal.")}
    assert own == dict.fromkeys(("personal.next_items", "personal.rivals", "personal.released"), CheckStatus.PASSED)
    assert checked(users(100, **better | {"history": ahead(-0.04)}))["personal.rivals"].status is CheckStatus.FAILED
    assert checked(users(100, **better | {"held_out": ahead(-0.04)}))["personal.released"].status is CheckStatus.FAILED
    few = checked(users(5))
    assert few["personal.next_items"].status is CheckStatus.NOT_JUDGED
    assert "personal.rivals" not in few
    assert not [name for name in checked(manifest("v1")) if name.startswith("personal.")], "there is no model"


def test_a_personal_model_that_knows_nothing_fails() -> None:
    nothing = NextItemFigures(recall_at_20=0.0, ndcg_at_20=0.0)
    equal = {name: ahead(0.0) for name in ("popularity", "history", "held_out")}
    unlearnt = users(100, **equal)
    measured = unlearnt.evaluation.personal
    assert measured
    found = checked(_with(unlearnt, personal=measured.model_copy(update={"served": nothing})))
    assert found["personal.next_items"].status is CheckStatus.FAILED


def test_losing_the_personal_model_of_the_live_release_blocks() -> None:
    live = users(100, **{name: ahead(0.04) for name in ("popularity", "history", "held_out")})
    lost = {check.name: check for check in check_gate(manifest("v2"), live, LIMITS).checks}["personal.next_items"]
    assert lost.status is CheckStatus.NOT_JUDGED
    assert "this one lacks" in lost.reason
    allowed = check_gate(manifest("v2"), live, LIMITS, allow_unjudged={"personal.next_items"})
    assert not [check for check in allowed.checks if check.name.startswith("personal.") and check.status.blocks]


def test_relations_not_ranked_by_their_score_may_be_unsorted() -> None:
    lists = VARIED.model_copy(update={"unsorted": 0.9})
    relation = release(lists=lists).evaluation.relations["mall_mall"]
    found = checked(_with(manifest("v1"), relations={"substitutes": relation, "mall_mall": relation}))
    assert found["mall_mall.sorted"].status is CheckStatus.FAILED
    assert "substitutes.sorted" not in found
