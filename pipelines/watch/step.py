"""The step ``watch_release``: decide about a canary or a new live release, record the decision, and carry it out.

The decision is recorded first. If the step is killed, the next one finds the pointers as they are and goes on from
there.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Literal

from sqlalchemy import Engine, insert, select

from artifacts import release as releases
from artifacts.canary import Canary, end_canary, read_canary
from artifacts.store import Store
from pipelines.release import publish
from pipelines.release.registry import align_registry
from pipelines.report import Report, record
from pipelines.step_locks import PROMOTION, waiting_lock
from pipelines.watch.figures import Arm, count_refusals, read_arm
from pipelines.watch.rules import Decision, Limits, Outcome, decide
from sql.warehouse.steps import ReleaseRecord, ReleaseWatch

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Comparison:
    """A release, what it is compared with, and from when on each is counted; ``share`` is None for a live release."""

    version: str
    baseline: str
    since: datetime
    baseline_since: datetime
    baseline_until: datetime
    share: float | None = None

    @property
    def kind(self) -> Literal["canary", "promotion"]:
        """Whether the release is served beside the live one, or is live itself."""
        return "promotion" if self.share is None else "canary"


@dataclass(frozen=True)
class Watched:
    """A decision with the figures that it rests on."""

    comparison: Comparison
    arm: Arm
    baseline: Arm
    decision: Decision

    def __str__(self) -> str:
        decision = self.decision
        return f"{self.comparison.kind} {self.comparison.version}: {decision.outcome}: {decision.reason}"


def watch_release(warehouse: Engine, store: Store, limits: Limits, now: datetime) -> Watched | None:
    """Decide about the canary, else about a live release that was promoted a short time ago; None if there is neither.

    Raises :class:`~artifacts.release.CorruptRelease` if ``CANARY`` or ``CURRENT`` cannot be read.
    """
    with waiting_lock(warehouse, PROMOTION), record(warehouse, store, "watch_release") as report:
        live = _finish_what_was_killed(warehouse, store, now)
        comparison = _comparison(warehouse, store, live, limits, now)
        if comparison is None:
            return None
        report.details["version"] = comparison.version
        watched = _look(warehouse, comparison, limits, now)
        report.read = watched.arm.shown + watched.baseline.shown
        report.details["decision"] = str(watched.decision.outcome)
        _record(warehouse, report, watched, now)
        _carry_out(warehouse, store, watched, now)
        return watched


def _finish_what_was_killed(warehouse: Engine, store: Store, now: datetime) -> str | None:
    """End a rollback, promotion or canary of which only the first pointer was written; return the live version."""
    if releases.is_rollback_unfinished(store):
        publish.go_back(warehouse, store, now)
    align_registry(warehouse, store, now)
    live, canary = releases.current(store), read_canary(store)
    if canary and live == canary.version:
        publish.make_live(warehouse, store, live, now)
    elif canary and live != canary.baseline:
        end_canary(store)
    return live


def _comparison(warehouse: Engine, store: Store, live: str | None, limits: Limits, now: datetime) -> Comparison | None:
    canary = read_canary(store)
    if canary:
        return _beside(canary, now)
    return _before_and_after(warehouse, store, live, limits, now) if live else None


def _beside(canary: Canary, now: datetime) -> Comparison:
    return Comparison(canary.version, canary.baseline, canary.since, canary.since, now, canary.share)


def _before_and_after(warehouse: Engine, store: Store, live: str, limits: Limits, now: datetime) -> Comparison | None:
    """Compare a live release with the one that it replaced, at the same hours of the days before.

    None if it was promoted too long ago, or if a rollback has made it live or would go back to another one.
    """
    columns = (ReleaseRecord.promoted_at, ReleaseRecord.replaced)
    with warehouse.connect() as conn:
        row = conn.execute(select(*columns).where(ReleaseRecord.version == live)).one_or_none()
    if row is None or row.promoted_at is None or row.replaced is None or row.replaced != releases.previous(store):
        return None
    elapsed = now - row.promoted_at
    if elapsed > limits.watched:
        return None
    before = max(1, ceil(elapsed / DAY)) * DAY
    return Comparison(live, row.replaced, row.promoted_at, row.promoted_at - before, now - before)


def _look(warehouse: Engine, comparison: Comparison, limits: Limits, now: datetime) -> Watched:
    with warehouse.connect() as conn:
        arm = read_arm(conn, comparison.version, comparison.since, now)
        baseline = read_arm(conn, comparison.baseline, comparison.baseline_since, comparison.baseline_until)
        refusals = count_refusals(conn, comparison.version, comparison.since, now)
    decision = decide(arm, baseline, refusals, limits, is_canary=comparison.kind == "canary")
    return Watched(comparison, arm, baseline, decision)


def _record(warehouse: Engine, report: Report, watched: Watched, now: datetime) -> None:
    comparison, decision = watched.comparison, watched.decision
    counts = {name: getattr(watched.arm, name) for name in ("shown", "clicked", "simpler", "failed")}
    counts |= {f"baseline_{name}": getattr(watched.baseline, name) for name in counts}
    row = {
        "run_id": report.run_id,
        "watched_at": now,
        "kind": comparison.kind,
        "version": comparison.version,
        "baseline": comparison.baseline,
        "share": comparison.share,
        "since": comparison.since,
        "baseline_since": comparison.baseline_since,
        "p_value": decision.p_value,
        "decision": decision.outcome,
        "reason": decision.reason,
    }
    with warehouse.begin() as conn:
        conn.execute(insert(ReleaseWatch).values(row | counts))


def _carry_out(warehouse: Engine, store: Store, watched: Watched, now: datetime) -> None:
    comparison = watched.comparison
    if watched.decision.outcome is Outcome.PROMOTE:
        publish.make_live(warehouse, store, comparison.version, now)
    elif watched.decision.outcome is Outcome.ROLL_BACK and comparison.kind == "canary":
        publish.stop_canary(warehouse, store, comparison.baseline)
    elif watched.decision.outcome is Outcome.ROLL_BACK:
        publish.go_back(warehouse, store, now)
