"""Files of crawls: which there are, their reports, what is held back of them, and which holds are overtaken."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from artifacts.raw import RawRun, list_runs
from artifacts.store import Store
from crawlers.gates import holds as stored
from crawlers.gates.gate import LISTINGS
from crawlers.gates.holds import Holds
from crawlers.run_report import CrawlRunReport, HeldScope, ScopeName, ScopeReport, read_crawl_report
from pipelines.load.gates import PendingHold


class CrawlFiles:
    """Lists files and reads their reports and holds, each once; accepts and rejects files.

    ``looks_again``: what an earlier load found does not count, because this one looks itself.
    """

    def __init__(self, store: Store, *, looks_again: bool = True) -> None:
        self.store = store
        self._looks_again = looks_again
        self._runs: dict[tuple[str, str], list[RawRun]] = {}
        self._reports: dict[RawRun, CrawlRunReport] = {}
        self._holds: dict[RawRun, Holds] = {}
        self._rejected: set[RawRun] = set()

    def runs(self, source: str, dataset: str) -> list[RawRun]:
        """Return the files of a dataset, oldest first, as of the first call: the next load takes newer ones."""
        if (source, dataset) not in self._runs:
            self._runs[source, dataset] = list_runs(self.store, source, dataset)
        return self._runs[source, dataset]

    def report(self, run: RawRun) -> CrawlRunReport:
        """Return the report of a file."""
        if run not in self._reports:
            self._reports[run] = read_crawl_report(self.store, run)
        return self._reports[run]

    def holds(self, run: RawRun) -> Holds:
        """Return what of a file is held back."""
        if run not in self._holds:
            by_load = not self._looks_again or run in self._rejected
            self._holds[run] = stored.read_holds(self.store, run, self.report(run), by_load=by_load)
        return self._holds[run]

    def complete_scopes(self, run: RawRun) -> list[ScopeReport]:
        """Return the scopes from whose lists absence can be concluded: read in full, and not held back.

        An empty scope is one of them if its emptiness was confirmed or accepted.
        """
        holds = self.holds(run)
        return [
            entry
            for entry in self.report(run).scopes
            if entry.name not in holds.names and (entry.complete or (entry.empty and entry.name in holds.conclusive))
        ]

    def accept(self, run: RawRun, scopes: Iterable[HeldScope], at: datetime) -> None:
        """Accept a file, and some of its scopes."""
        stored.accept(self.store, run, self.holds(run), scopes, at)
        self._holds.pop(run, None)

    def reject(self, run: RawRun, reason: str) -> None:
        """Hold back a file that loading has read."""
        self._rejected.add(run)
        self._holds.pop(run, None)
        stored.record_rejection(self.store, run, [reason])

    def is_accepted(self, run: RawRun) -> bool:
        """Return whether a person accepted the whole file."""
        return stored.is_accepted(self.store, run)

    def pending(self, run: RawRun, newer: Sequence[RawRun]) -> PendingHold | None:
        """Return what of a file is held back and not overtaken; ``newer``: all newer files of its dataset.

        A scope is overtaken by a newer crawl that read it in full, or that no longer reads it because its day is over.
        Product pages are read again after a hold, so a newer file of them overtakes the whole.
        """
        holds = self.holds(run)
        if not holds:
            return None
        scopes = self.report(run).scopes
        sound = [each for each in newer if not self.holds(each).reasons]
        if run.dataset not in LISTINGS:
            return None if sound else PendingHold(run, holds, len(scopes))
        covered = {entry.name for each in sound for entry in self.complete_scopes(each)}
        today = max((each.day for each in sound), default=date.min)
        held = tuple(scope for scope in holds.scopes if not _is_overtaken(scope.name, covered, today))
        if not holds.reasons:
            return PendingHold(run, Holds(scopes=held), len(scopes)) if held else None
        if all(_is_overtaken(entry.name, covered, today) for entry in scopes) and sound:
            return None
        return PendingHold(run, Holds(holds.reasons, held), len(scopes))


def _is_overtaken(name: ScopeName, covered: Collection[ScopeName], today: date) -> bool:
    day = dict(name).get("day")
    return name in covered or (day is not None and date.fromisoformat(day) < today)
