"""Errors of files that are held back, and the gate of loading itself: too many rejected items.

The other gates decide when a crawl ends (:mod:`crawlers.gates`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from artifacts.raw import RawRun, instant_of
from crawlers.gates.holds import Holds
from pipelines.errors import PipelineError

MAX_REJECTED = 0.05
MAX_NAMED = 3  # reasons in a message


@dataclass(frozen=True)
class PendingHold:
    """A file of which something is held back, and not overtaken by a newer file; ``scopes``: number of its scopes."""

    run: RawRun
    holds: Holds
    scopes: int

    @property
    def summary(self) -> str:
        """What is held back and why, in one line."""
        what = "held back" if self.holds.reasons else f"{len(self.holds.scopes)} of {self.scopes} scopes held back"
        sentences = self.holds.sentences
        more = f" (and {len(sentences) - MAX_NAMED} more)" if len(sentences) > MAX_NAMED else ""
        return f"{what}: {'; '.join(sentences[:MAX_NAMED])}{more}"


class FileHeldBack(PipelineError):
    """Something is held back and not loaded; everything else is loaded.

    The message is about the newest file: what is held back, why, for how long by ``now``, and what to do.
    """

    def __init__(self, pending: Sequence[PendingHold], now: datetime) -> None:
        newest = max(pending, key=lambda each: (each.run.run_id, each.run.dataset in ("prices", "schedule")))
        run = newest.run
        older = len({each.run.run_id for each in pending}) - 1
        others = f"; so is something of {older} older crawl{'s' if older > 1 else ''}" if older else ""
        loaded = "" if newest.holds.reasons else ". Its other scopes are loaded"
        super().__init__(
            f"{run.source}/{run.dataset} {run.run_id} (crawled {age(now - instant_of(run))} ago): {newest.summary}"
            f"{others}{loaded}. Look at it with `ukok crawl show-fault {run.run_id}`; "
            f"`ukok load {run.source} --accept` loads it nevertheless"
        )
        self.pending = tuple(pending)


class TooManyRejected(PipelineError):
    """More than 5 % of the items of a batch were rejected; raised before anything is written."""


def check_rejects(read: int, rejected: Mapping[str, int]) -> None:
    """Raise :class:`TooManyRejected` when more than 5 % of the items were rejected."""
    bad = sum(rejected.values())
    if bad > MAX_REJECTED * read:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(rejected.items()))
        raise TooManyRejected(f"{bad} of {read} items rejected ({reasons})")


def age(span: timedelta) -> str:
    """Return a time span in its largest unit, e.g. ``3 h``."""
    minutes = max(0, span // timedelta(minutes=1))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
