"""May a release go live? Each check compares a measured figure with a limit; one that fails keeps the release back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from artifacts.release import Manifest

# With fewer cases a difference says nothing: the check is noted as not applicable instead of passed by luck.
ENOUGH_CASES: Final = 200
# About two standard errors of hit@10 on 2,300 cases.
NOISE: Final = 0.02
SERVED_CONTAINS: Final = 0.90


@dataclass(frozen=True)
class Check:
    """One comparison; ``passed`` is None where there was too little to compare."""

    name: str
    value: float | None
    limit: float | None
    passed: bool | None


def judge(evaluation: Mapping[str, Any], live: Manifest | None) -> dict[str, Any]:
    """Verdict on a release's evaluation, against the live release and against simpler rankers."""
    completion = evaluation["completion"]
    cases = int(completion["cases"])
    methods: Mapping[str, Mapping[str, float]] = completion["methods"]
    blend = methods.get("blend", {}).get("hit@10")
    others = [figures["hit@10"] for name, figures in methods.items() if name != "blend"]
    checks = [
        _at_least("blend against its best part", blend, max(others, default=0.0) - NOISE, cases),
        _at_least("blend against the live release", blend, _live_hit(live), min(cases, _live_cases(live))),
        _served(evaluation["served"]),
        Check("text index finds what an exact search finds", evaluation["index"]["recall@10"], 0.99, None),
    ]
    checks[-1] = _judged(checks[-1])
    return {
        "passed": all(check.passed is not False for check in checks),
        "checks": [asdict(check) for check in checks],
    }


def refusal(gate: Mapping[str, Any]) -> str:
    """Why a gate did not pass, in one line."""
    failed = [check for check in gate["checks"] if check["passed"] is False]
    return "; ".join(f"{check['name']}: {check['value']:.3f}, at least {check['limit']:.3f} wanted" for check in failed)


def _at_least(name: str, value: float | None, limit: float | None, cases: int) -> Check:
    if value is None or limit is None or cases < ENOUGH_CASES:
        return Check(name, value, limit, None)
    return Check(name, value, limit, value >= limit)


def _served(served: Mapping[str, Any]) -> Check:
    share = served["contains_ingredient"]
    return _judged(Check("recipes shown hold the product's ingredient", share, SERVED_CONTAINS, None))


def _judged(check: Check) -> Check:
    if check.value is None or check.limit is None:
        return check
    return Check(check.name, check.value, check.limit, check.value >= check.limit)


def _live_hit(live: Manifest | None) -> float | None:
    if live is None:
        return None
    hit = live.evaluation["completion"]["methods"].get("blend", {}).get("hit@10")
    return None if hit is None else float(hit) - NOISE


def _live_cases(live: Manifest | None) -> int:
    return 0 if live is None else int(live.evaluation["completion"]["cases"])
