"""Rules of the watch: whether a release is worse than its baseline, and what is to be done.

Figures are shares of answers, and are compared by a one-sided test of two proportions. Answers to one visitor are
alike, so that the variance is that between visitors (Deng et al., "Applying the Delta Method in Metric Analytics", KDD
2018), and never less than that of as many independent answers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import inf, sqrt
from statistics import NormalDist
from typing import Final

from pipelines.watch.figures import Arm, Visitors

# A p below is worse. The watch looks every hour, which multiplies the chance of an error: of 20,000 simulated canaries
# that were equal, 5 % were rolled back.
WORSE: Final = 0.005
# A p below is in doubt: after its hours, a canary waits for more answers, until it is better or worse.
IN_DOUBT: Final = 0.05
# Fewer answers of either release say nothing of click-through: the shares of so few are not normally distributed.
LEAST_SHOWN: Final = 200
# An error counts as the release's when it met so many visitors; one who repeats a request is no trend.
LEAST_FAILED_VISITORS: Final = 3
# Share of its click-through by which a live release may be below what was shown on other days: days differ, and with
# many answers the test finds every difference.
BETWEEN_DAYS: Final = 0.1
# Empty and simpler answers may differ a little between good releases, whose thresholds are their own.
SIMPLER_RISE: Final = 0.05


class Outcome(StrEnum):
    """What is done about a release."""

    PROMOTE = "promote"
    ROLL_BACK = "roll_back"
    WAIT = "wait"


@dataclass(frozen=True)
class Decision:
    """What is done and why; ``p_value`` of click-through, None where it was not compared."""

    outcome: Outcome
    reason: str
    p_value: float | None = None


@dataclass(frozen=True)
class Limits:
    """How long a release is watched, and how many independent answers of each release a promotion needs."""

    watched: timedelta
    shown: int


def decide(arm: Arm, baseline: Arm, refusals: int, limits: Limits, *, is_canary: bool) -> Decision:
    """Decide about a release by what its visitors and those of its baseline were shown and did.

    A release that is live already is never promoted: it stays, or is rolled back. Its baseline is of other days.
    """
    problem = _problem(arm, baseline, refusals)
    if problem:
        return Decision(Outcome.ROLL_BACK, problem)
    clicked, expected = _clicks(arm), _clicks(baseline)
    least = min(clicked.independent, expected.independent)
    margin = 0.0 if is_canary else BETWEEN_DAYS * expected.value
    p_value = _p_lower(clicked, expected, margin) if least else None
    clicks = f"click-through {_percent(arm.clicked, arm.shown)}, of {baseline.version} "
    clicks += f"{_percent(baseline.clicked, baseline.shown)}"
    elapsed = arm.until - arm.since
    if p_value is None:
        return Decision(Outcome.WAIT, f"nothing to compare after {_hours(elapsed)}: {clicks}")
    if not arm.clicked and not baseline.clicked:
        return Decision(Outcome.WAIT, f"no click names an impression after {_hours(elapsed)}: {clicks}")
    clicks = f"{clicks}, p {p_value:.4f}"
    if p_value < WORSE and least >= min(LEAST_SHOWN, limits.shown):
        return Decision(Outcome.ROLL_BACK, f"worse: {clicks}", p_value)
    if is_canary and elapsed >= limits.watched and least >= limits.shown and p_value >= IN_DOUBT:
        return Decision(Outcome.PROMOTE, f"not worse in {_hours(elapsed)}: {clicks}", p_value)
    progress = f"{_hours(elapsed)} of {_hours(limits.watched)}, {least:,} of {limits.shown:,} independent answers"
    return Decision(Outcome.WAIT, f"{progress}: {clicks}", p_value)


def _problem(arm: Arm, baseline: Arm, refusals: int) -> str | None:
    """Return what is wrong whatever the click-through is."""
    if refusals:
        return f"{refusals} processes of the API could not load it"
    failed = sum(group.visitors for group in arm.groups if group.failed)
    if failed >= LEAST_FAILED_VISITORS and _p_lower(_failures(baseline), _failures(arm)) < WORSE:
        return f"{arm.failed:,} requests of {failed:,} visitors failed, of {baseline.version} {baseline.failed:,}"
    simpler, expected = _simpler(arm), _simpler(baseline)
    least = min(simpler.independent, expected.independent)
    if least >= LEAST_SHOWN and _p_lower(expected, simpler, SIMPLER_RISE) < WORSE:
        shares = f"{_percent(arm.simpler, arm.shown)}, of {baseline.version} "
        return f"empty or simpler answers {shares}{_percent(baseline.simpler, baseline.shown)}"
    return None


@dataclass(frozen=True)
class _Share:
    """A share of answers, the variance of this estimate, and as many independent answers as would give the same."""

    value: float
    variance: float
    independent: int


def _p_lower(first: _Share, second: _Share, margin: float = 0.0) -> float:
    """Chance of a first share that is so much lower than the second one, if it is lower by the margin at most."""
    deviation = sqrt(first.variance + second.variance)
    return NormalDist().cdf((first.value - second.value + margin) / deviation) if deviation < inf else 1.0


def _clicks(arm: Arm) -> _Share:
    return _share(arm.groups, lambda group: group.clicked, lambda group: group.shown)


def _simpler(arm: Arm) -> _Share:
    return _share(arm.groups, lambda group: group.simpler, lambda group: group.shown)


def _failures(arm: Arm) -> _Share:
    return _share(arm.groups, lambda group: group.failed, lambda group: group.shown + group.failed)


def _share(
    groups: Sequence[Visitors], hits_of: Callable[[Visitors], int], total_of: Callable[[Visitors], int]
) -> _Share:
    """A share with the larger of two variances: between visitors, and of independent answers.

    One hit and one miss are added for the latter, so that a share of 0 or 1 is not taken for certain.
    """
    visitors = sum(group.visitors for group in groups)
    hits = sum(group.visitors * hits_of(group) for group in groups)
    total = sum(group.visitors * total_of(group) for group in groups)
    if total == 0 or visitors < 2:
        return _Share(0.0, inf, 0)
    value, careful = hits / total, (hits + 1) / (total + 2)
    squares = sum(group.visitors * (hits_of(group) - value * total_of(group)) ** 2 for group in groups)
    between = visitors / (visitors - 1) * squares / total**2
    spread = careful * (1 - careful)
    variance = max(between, spread / total)
    return _Share(value, variance, round(spread / variance))


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.2%} of {whole:,}" if whole else "of nothing"


def _hours(duration: timedelta) -> str:
    return f"{duration / timedelta(hours=1):.1f} h"
