"""Comparison of a figure with its limit, with the outcome in plain words."""

from typing import Final, NamedTuple

from recommender.evaluation.results import Difference
from recommender.manifest import Check, CheckStatus

# Of a figure that is a count rather than a mean over cases.
COUNTED: Final = 1_000_000_000


class Figure(NamedTuple):
    """A figure of a check: what it is, over how many cases, and what it would mean if it were out of its limit."""

    name: str
    value: float | None
    what: str
    meaning: str
    cases: int = COUNTED


def at_least(figure: Figure, limit: float, min_cases: int) -> Check:
    """Fail below ``limit``; not judged without a value, or with fewer than ``min_cases``."""
    passed = figure.value is not None and figure.value >= limit
    return _compared(figure, limit, f"at least {_number(limit)} required", min_cases, passed=passed)


def at_most(figure: Figure, limit: float, min_cases: int) -> Check:
    """Fail above ``limit``; not judged without a value, or with fewer than ``min_cases``."""
    passed = figure.value is not None and figure.value <= limit
    return _compared(figure, limit, f"at most {_number(limit)} allowed", min_cases, passed=passed)


def not_behind(name: str, difference: Difference, what: str, meaning: str, tolerance: float) -> Check:
    """Fail if even the upper end of the interval of a paired difference is below ``-tolerance``."""
    passed = difference.high >= -tolerance
    interval = f"{difference.mean:+.3f} ({difference.low:+.3f} to {difference.high:+.3f}) over {difference.cases} cases"
    reason = f"{what} is {interval}" + ("" if passed else f", certainly below {-tolerance:+.3f}: {meaning}")
    status = CheckStatus.PASSED if passed else CheckStatus.FAILED
    return Check(name=name, status=status, value=difference.mean, limit=-tolerance, reason=reason)


def _compared(figure: Figure, limit: float, demand: str, min_cases: int, *, passed: bool) -> Check:
    if figure.value is None or figure.cases < min_cases:
        cases = "no case" if figure.value is None else f"{figure.cases} cases, at least {min_cases} needed"
        status, reason = CheckStatus.NOT_JUDGED, f"{figure.what}: {cases}"
    elif passed:
        status, reason = CheckStatus.PASSED, f"{figure.what}: {_number(figure.value)}"
    else:
        status, reason = CheckStatus.FAILED, f"{figure.what}: {_number(figure.value)}, {demand}: {figure.meaning}"
    return Check(name=figure.name, status=status, value=figure.value, limit=limit, reason=reason)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.3f}"
