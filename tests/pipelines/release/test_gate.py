"""Checks that block a release, and their message."""

import pytest

from pipelines.release.gate import check_gate, failed_checks
from recommender.evaluation.results import Evaluation
from tests.builders.evaluations import evaluation


def test_a_good_release_passes_with_and_without_a_live_one() -> None:
    assert check_gate(evaluation(), None).passed
    assert check_gate(evaluation(blend=0.6), evaluation(blend=0.61)).passed


@pytest.mark.parametrize(
    ("figures", "live", "named"),
    [
        (evaluation(blend=0.5, part=0.6), None, "best ranker"),
        (evaluation(blend=0.6), evaluation(blend=0.7), "live release"),
        (evaluation(contains=0.8), None, "ingredient"),
        (evaluation(recall=0.9), None, "text index"),
    ],
)
def test_each_check_blocks_a_release_and_is_named(figures: Evaluation, live: Evaluation | None, named: str) -> None:
    gate = check_gate(figures, live)
    assert not gate.passed
    assert named in failed_checks(gate)


def test_too_few_cases_prove_nothing_either_way() -> None:
    gate = check_gate(evaluation(blend=0.1, part=0.9, cases=20), evaluation(blend=0.9))
    assert gate.passed
    assert [check.passed for check in gate.checks[:2]] == [None, None]
    assert check_gate(evaluation(contains=None), None).passed
