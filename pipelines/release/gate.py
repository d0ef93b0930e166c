"""The gate of a release: each check compares a figure with its lower limit, and one that fails blocks promotion."""

from typing import Final

from recommender.evaluation.results import CompletionEvaluation, Evaluation
from recommender.manifest import Check, GateResult

# With fewer cases a difference is noise: the check is recorded as not applicable.
MIN_CASES: Final = 200
# About two standard errors of hit@10 on 2,300 cases.
TOLERANCE: Final = 0.02
MIN_CONTAINS_INGREDIENT: Final = 0.90
MIN_INDEX_RECALL: Final = 0.99


def check_gate(evaluation: Evaluation, live: Evaluation | None) -> GateResult:
    """Compare a release's evaluation with the live release's and with the simpler rankers."""
    completion = evaluation.completion
    others = [figures.hit_at_10 for name, figures in completion.methods.items() if name != "blend"]
    live_hit = _blend_hit(live.completion) if live else None
    live_cases = live.completion.cases if live else 0
    blend = _blend_hit(completion)
    checks = (
        _ranking_check("blend against its best ranker", blend, max(others, default=0.0), completion.cases),
        _ranking_check("blend against the live release", blend, live_hit, min(completion.cases, live_cases)),
        _check("recipes with the product's ingredient", evaluation.served.contains_ingredient, MIN_CONTAINS_INGREDIENT),
        _check("recall of the text index", evaluation.index.recall_at_10, MIN_INDEX_RECALL),
    )
    return GateResult(passed=all(check.passed is not False for check in checks), checks=checks)


def failed_checks(gate: GateResult) -> str:
    """The failed checks of a gate, in one line."""
    return "; ".join(
        f"{check.name}: {check.value:.3f}, required: at least {check.limit:.3f}"
        for check in gate.checks
        if check.passed is False
    )


def _blend_hit(completion: CompletionEvaluation) -> float | None:
    blend = completion.methods.get("blend")
    return blend.hit_at_10 if blend else None


def _ranking_check(name: str, value: float | None, other: float | None, cases: int) -> Check:
    limit = None if other is None else other - TOLERANCE
    if cases < MIN_CASES:
        return Check(name=name, value=value, limit=limit, passed=None)
    return _check(name, value, limit)


def _check(name: str, value: float | None, limit: float | None) -> Check:
    passed = None if value is None or limit is None else value >= limit
    return Check(name=name, value=value, limit=limit, passed=passed)
