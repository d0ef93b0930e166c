"""What keeps a release back, and how it is said."""

from datetime import UTC, datetime
from typing import Any

import pytest

from artifacts.release import Manifest
from pipelines.release.gate import judge, refusal


def evaluation(
    blend: float = 0.6, part: float = 0.6, cases: int = 2000, contains: float | None = 1.0
) -> dict[str, Any]:
    methods = {"blend": {"hit@10": blend}, "ease": {"hit@10": part}, "popularity": {"hit@10": 0.2}}
    return {
        "completion": {"cases": cases, "methods": methods},
        "served": {"contains_ingredient": contains},
        "index": {"recall@10": 1.0},
    }


def live(blend: float) -> Manifest:
    return Manifest(
        version="live",
        built_at=datetime(2025, 8, 6, tzinfo=UTC),
        files={},
        counts={},
        dimensions={},
        metric="inner product",
        datasets={},
        code_version="test",
        parameters={},
        evaluation=evaluation(blend=blend),
        gate={"passed": True},
    )


def test_a_good_release_passes_with_and_without_a_live_one() -> None:
    assert judge(evaluation(), None)["passed"]
    assert judge(evaluation(blend=0.6), live(0.61))["passed"]


@pytest.mark.parametrize(
    ("figures", "before", "named"),
    [
        (evaluation(blend=0.5, part=0.6), None, "best part"),
        (evaluation(blend=0.6), live(0.7), "live release"),
        (evaluation(contains=0.8), None, "ingredient"),
        (evaluation() | {"index": {"recall@10": 0.9}}, None, "text index"),
    ],
)
def test_each_check_keeps_a_release_back_and_is_named(figures: Any, before: Manifest | None, named: str) -> None:
    gate = judge(figures, before)
    assert not gate["passed"]
    assert named in refusal(gate)


def test_too_few_cases_prove_nothing_either_way() -> None:
    gate = judge(evaluation(blend=0.1, part=0.9, cases=20), live(0.9))
    assert gate["passed"]
    assert [check["passed"] for check in gate["checks"][:2]] == [None, None]
    assert judge(evaluation(contains=None), None)["passed"]
