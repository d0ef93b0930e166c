"""What the code says about a crawl: which of its scopes are incomplete, and which are held back."""

from dataclasses import dataclass
from datetime import date

from artifacts.raw import list_runs
from artifacts.store import Store
from crawlers.gates.holds import read_holds
from crawlers.run_report import ScopeKey, read_crawl_report
from tests.month.scopes import Scope

LISTINGS = {"kok": "prices", "hnsmall": "schedule", "hmall": "schedule", "nsmall": "schedule"}


@dataclass(frozen=True)
class Findings:
    """Scopes of a crawl that are incomplete, those held back alone, and whether a whole file of it is held back."""

    incomplete: frozenset[Scope] = frozenset()
    held: frozenset[Scope] = frozenset()
    whole: bool = False
    reasons: tuple[str, ...] = ()


def findings(store: Store, source: str, run_id: str) -> Findings:
    """Return what was found in a crawl, after the load that followed it."""
    runs = [run for name in (LISTINGS[source], "products") for run in list_runs(store, source, name)]
    reports = {run: read_crawl_report(store, run) for run in runs if run.run_id == run_id}
    holds = [read_holds(store, run, report) for run, report in reports.items()]
    return Findings(
        frozenset(
            _scope(source, entry.key)
            for run, report in reports.items()
            if run.dataset == LISTINGS[source]
            for entry in report.scopes
            if not entry.complete
        ),
        frozenset(_scope(source, scope.key) for each in holds for scope in each.scopes),
        any(each.reasons for each in holds),
        tuple(sentence for each in holds for sentence in each.sentences),
    )


def _scope(source: str, key: ScopeKey) -> Scope:
    if "category" in key:
        return Scope(source, str(key["category"]))
    return Scope(source, str(key["channel_id"]), date.fromisoformat(str(key["day"])))
