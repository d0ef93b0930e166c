"""What went wrong in a crawl, read back from the artifacts: faults, broken contracts, lost scopes, kept pages."""

import gzip
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from artifacts.store import Store
from crawlers.report.run_index import find_crawl


class NoSuchFault(ValueError):
    """There is no such kept page; the message names those that there are."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault of a field: how often it occurred, and the first page, which may be kept."""

    dataset: str
    field: str
    reason: str
    page: str
    kept: str | None
    count: int


@dataclass
class RunFaults:
    """All faults of one run. ``failed`` says why a crawl brought nothing; it has no raw run then."""

    source: str
    run_id: str
    failed: str | None = None
    faults: list[Fault] = field(default_factory=list)
    broken: list[dict[str, Any]] = field(default_factory=list)
    incomplete: list[dict[str, Any]] = field(default_factory=list)

    @property
    def kept(self) -> list[str]:
        """Keys of the kept pages, in the order of the faults; a page is known by its place here, from 1 on."""
        entries = [*(fault.kept for fault in self.faults), *(entry["kept"] for entry in self.broken)]
        return list(dict.fromkeys(filter(None, entries)))


def read_faults(store: Store, name: str, sources: Sequence[str]) -> RunFaults:
    """The faults of a crawl, which ``name`` stands for as :func:`~crawlers.report.run_index.find_crawl` takes it."""
    crawl = find_crawl(store, sources, name)
    found = RunFaults(crawl.source, crawl.run_id, crawl.failed)
    for dataset, report in crawl.reports.items():
        found.faults += _kinds(dataset, report.get("faults", ()))
        found.broken += [{"dataset": dataset, **entry} for entry in report.get("contract", {}).get("broken", ())]
        scopes = report.get("scopes", ())
        found.incomplete += [{"dataset": dataset, **scope} for scope in scopes if not scope["complete"]]
    return found


def kept_page(store: Store, faults: RunFaults, number: int) -> bytes:
    """The body of a kept page, as the source sent it."""
    if not 1 <= number <= len(faults.kept):
        there = f"pages 1 to {len(faults.kept)}" if faults.kept else "no page"
        raise NoSuchFault(f"run {faults.run_id} keeps {there}, not {number}")
    return gzip.decompress(store.get(faults.kept[number - 1]))


def _kinds(dataset: str, faults: Iterable[Mapping[str, Any]]) -> list[Fault]:
    """Faults of one field for one reason as one, with the first page that is kept, the most frequent first."""
    kinds: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for fault in faults:
        kinds.setdefault((fault["field"], fault["reason"]), []).append(fault)
    found = []
    for (name, reason), of_kind in kinds.items():
        first = next((fault for fault in of_kind if fault["kept"]), of_kind[0])
        count = sum(fault["count"] for fault in of_kind)
        found.append(Fault(dataset, name, reason, first["page"], first["kept"], count))
    return sorted(found, key=lambda fault: (-fault.count, fault.field, fault.reason))
