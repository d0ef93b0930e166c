"""What the code says about a crawl: which of its scopes are incomplete, and which are held back."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine

from artifacts.raw import list_runs
from artifacts.store import Store
from crawlers.run_report import CrawlRunReport, ScopeReport, read_crawl_report
from pipelines.load.ledger import loaded_runs, table_of
from sql.service.catalog import LoadedFile
from tests.month.scopes import Scope

LISTINGS = {"kok": "prices", "hnsmall": "schedule", "hmall": "schedule", "nsmall": "schedule"}


@dataclass(frozen=True)
class Findings:
    """Scopes of a crawl that are incomplete, and those that are held back."""

    incomplete: frozenset[Scope] = frozenset()
    held: frozenset[Scope] = frozenset()


def findings(store: Store, service: Engine, source: str, run_id: str) -> Findings:
    """Return what was found in a crawl, after the load that followed it."""
    (run,) = [run for run in list_runs(store, source, LISTINGS[source]) if run.run_id == run_id]
    report = read_crawl_report(store, run)
    scopes = {_scope(report, entry): entry for entry in report.scopes}
    with service.connect() as conn:
        loaded = (run.dataset, run_id) in loaded_runs(conn, table_of(LoadedFile), source)
    return Findings(
        frozenset(scope for scope, entry in scopes.items() if not entry.complete),
        frozenset() if loaded else frozenset(scopes),
    )


def _scope(report: CrawlRunReport, entry: ScopeReport) -> Scope:
    if "category" in entry.key:
        return Scope(report.source, str(entry.key["category"]))
    return Scope(report.source, str(entry.key["channel_id"]), date.fromisoformat(str(entry.key["day"])))
