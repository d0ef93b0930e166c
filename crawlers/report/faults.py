"""Faults of a crawl, read back from the artifacts: what is held back, contract violations, faults, saved pages."""

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from artifacts.store import Store
from crawlers.report.run_index import find_crawl
from crawlers.run_report import ContractViolation, FieldFault, ScopeReport


class NoSuchFault(ValueError):
    """No saved page has this number; the message names the numbers that exist."""


@dataclass(frozen=True)
class Fault:
    """Faults of one field for one reason: how many, and the first page, which may be saved."""

    dataset: str
    field: str
    reason: str
    page: str
    saved_page: str | None
    count: int


@dataclass
class RunFaults:
    """All faults of one run; violations, incomplete scopes and reasons of holds with their dataset.

    ``failed``: why a crawl read no item; it has no raw run then. ``held``: why what is held back.
    """

    source: str
    run_id: str
    failed: str | None = None
    held: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    violations: list[tuple[str, ContractViolation]] = field(default_factory=list)
    incomplete: list[tuple[str, ScopeReport]] = field(default_factory=list)

    @property
    def saved_pages(self) -> list[str]:
        """Keys of the saved pages, in the order of the faults. A page's number is its place here, from 1 on."""
        keys = [*(fault.saved_page for fault in self.faults), *(each.saved_page for _, each in self.violations)]
        return list(dict.fromkeys(filter(None, keys)))


def read_faults(store: Store, name: str, sources: Sequence[str]) -> RunFaults:
    """Read the faults of the crawl that :func:`~crawlers.report.run_index.find_crawl` finds by ``name``."""
    crawl = find_crawl(store, sources, name)
    found = RunFaults(crawl.source, crawl.run_id, crawl.failed)
    found.held = [(dataset, reason) for dataset, holds in crawl.holds.items() for reason in holds.sentences]
    for dataset, report in crawl.reports.items():
        found.faults += _by_reason(dataset, report.faults)
        if report.contract_check:
            found.violations += [(dataset, each) for each in report.contract_check.violations]
        found.incomplete += [(dataset, scope) for scope in report.scopes if not scope.complete]
    return found


def saved_page(store: Store, faults: RunFaults, number: int) -> bytes:
    """Return the body of a saved page, as the source sent it."""
    saved_pages = faults.saved_pages
    if not 1 <= number <= len(saved_pages):
        existing = f"pages 1 to {len(saved_pages)}" if saved_pages else "no page"
        raise NoSuchFault(f"run {faults.run_id} has saved {existing}, not {number}")
    return gzip.decompress(store.get(saved_pages[number - 1]))


def _by_reason(dataset: str, faults: Iterable[FieldFault]) -> list[Fault]:
    """Group faults by field and reason, with the first page that is saved; the most frequent come first."""
    groups: dict[tuple[str, str], list[FieldFault]] = {}
    for fault in faults:
        groups.setdefault((fault.field, fault.reason), []).append(fault)
    found = []
    for (name, reason), group in groups.items():
        first = next((fault for fault in group if fault.saved_page), group[0])
        count = sum(fault.count for fault in group)
        found.append(Fault(dataset, name, reason, first.page, first.saved_page, count))
    return sorted(found, key=lambda fault: (-fault.count, fault.field, fault.reason))
