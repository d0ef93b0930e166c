"""Gates: a file that looks broken is held back until a person accepts it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from artifacts.raw import RawRun, read_report
from artifacts.store import Store

MAX_REJECTED = 0.05
MIN_HISTORY = 3
HISTORY = 8  # files looked back on: a day of crawls every three hours


class GateBroken(RuntimeError):
    """A file was held back; nothing of it was loaded. The message says which, why, and what to do."""


@dataclass(frozen=True)
class Gate:
    """What to compare a file with; ``accept`` lets everything pass."""

    store: Store
    accept: bool = False

    def check_rejects(self, runs: Sequence[RawRun], read: int, rejected: Mapping[str, int]) -> None:
        """Raise :class:`GateBroken` when more than 5 % of the items were rejected."""
        bad = sum(rejected.values())
        if not self.accept and bad > MAX_REJECTED * read:
            reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(rejected.items()))
            raise GateBroken(_message(runs, f"{bad} of {read} items rejected ({reasons})"))

    def check_sizes(self, run: RawRun, report: Mapping[str, Any], earlier: Sequence[RawRun]) -> None:
        """Raise :class:`GateBroken` when a complete scope holds fewer than half the items that it used to.

        ``earlier``: loaded runs of the same dataset, oldest first. A scope is compared with the same category, or the
        same channel and number of days ahead, once three of them exist; a first run has no history and passes.
        """
        if self.accept:
            return
        usual = self._sizes(earlier[-HISTORY:])
        for scope, items in _complete_scopes(run, report):
            sizes = usual[scope]
            if len(sizes) >= MIN_HISTORY and items < median(sizes) / 2:
                where = ", ".join(f"{name} {value}" for name, value in scope)
                raise GateBroken(_message([run], f"{items} items for {where}, usually {median(sizes):g}"))

    def _sizes(self, runs: Sequence[RawRun]) -> dict[tuple[tuple[str, str], ...], list[int]]:
        sizes = defaultdict(list)
        for run in runs:
            for scope, items in _complete_scopes(run, read_report(self.store, run)):
                sizes[scope].append(items)
        return sizes


def _complete_scopes(run: RawRun, report: Mapping[str, Any]) -> list[tuple[tuple[tuple[str, str], ...], int]]:
    """What each complete scope is compared by, and its number of items."""
    found = []
    for entry in report["scopes"]:
        if entry["complete"]:
            scope = dict(entry["scope"])
            if "day" in scope:
                scope["days ahead"] = (date.fromisoformat(scope.pop("day")) - run.day).days
            found.append((tuple(sorted((name, str(value)) for name, value in scope.items())), int(entry["items"])))
    return found


def _message(runs: Sequence[RawRun], reason: str) -> str:
    names = " and ".join(f"{run.source}/{run.dataset} {run.run_id}" for run in runs)
    return f"{names} held back: {reason}. Look at it; `ukok load {runs[0].source} --accept` loads it all the same"
