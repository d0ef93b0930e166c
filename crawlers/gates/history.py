"""What earlier crawls in the raw zone say about the scopes of a crawl."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, Self

import structlog

from artifacts.raw import DAMAGED_ITEMS, RawRun, UnreadableReport, list_runs, read_items
from artifacts.store import Store
from crawlers.gates.holds import read_holds
from crawlers.run_report import ContractCheck, CrawlRunReport, ScopeName, read_earlier_reports

log = structlog.get_logger(__name__)

MAX_RUNS = 24  # earlier crawls that are read: three days of them
MAX_CHECKS = 7  # files with contract checks to compare the filled fields with

Item = Mapping[str, Any]  # as it is in the raw zone


class Row(NamedTuple):
    """What the gates compare of an item of a listing; a card has no times. The start of a show on air may be unknown.

    ``filled``: the fields among ``COMPARED`` that have a value.
    """

    product_id: int
    start: datetime | None
    end: datetime | None
    filled: tuple[str, ...]

    @classmethod
    def of(cls, item: Item) -> Self:
        filled = _FILLED.setdefault(names := tuple(filter(partial(_is_filled, item), COMPARED)), names)
        if "kok_product_id" in item:
            return cls(item["kok_product_id"], None, None, filled)
        start = item["starts_at"]
        ends_at = datetime.fromisoformat(item["ends_at"])
        return cls(item["source_product_id"], datetime.fromisoformat(start) if start else None, ends_at, filled)


COMPARED = ("price", "title", "thumbnail_url")
_FILLED: dict[tuple[str, ...], tuple[str, ...]] = {}  # so that equal ones are one object


def _is_filled(item: Item, name: str) -> bool:
    return item.get(name) is not None or (name == "price" and item["price_kind"] == "consult")


@dataclass
class ScopeHistory:
    """What is known of a scope: the last sound crawl of it, and the crawls since in which it was held back.

    ``sound`` is None if no crawl in reach read the scope in full. ``held`` begins with the newest.
    """

    sound: RawRun | None = None
    held: list[RawRun] = field(default_factory=list)


@dataclass(frozen=True)
class History:
    """Histories of scopes, and the contract checks of the last sound files, newest first."""

    scopes: Mapping[ScopeName, ScopeHistory]
    checks: list[ContractCheck]


def read_history(store: Store, run: RawRun, names: Iterable[ScopeName]) -> History:
    """Read the histories of scopes from the runs before ``run``, at most ``MAX_RUNS`` of them."""
    scopes = {name: ScopeHistory() for name in names}
    checks: list[ContractCheck] = []
    earlier = [each for each in list_runs(store, run.source, run.dataset) if each.run_id < run.run_id]
    for before in reversed(earlier[-MAX_RUNS:]):
        unknown = any(known.sound is None for known in scopes.values())
        if len(checks) == MAX_CHECKS and not unknown:
            break
        report = read_earlier_reports(store, [before]).get(before)
        if report is None:
            continue
        try:
            _add(store, before, report, scopes, checks)
        except UnreadableReport as error:  # what a person accepted, or a load rejected
            log.warning("earlier crawl left out of the comparison", reason=str(error))
    return History(scopes, checks)


def _add(
    store: Store,
    run: RawRun,
    report: CrawlRunReport,
    scopes: Mapping[ScopeName, ScopeHistory],
    checks: list[ContractCheck],
) -> None:
    holds = read_holds(store, run, report)
    if holds.reasons:  # a broken file proves nothing
        return
    if report.contract_check and len(checks) < MAX_CHECKS:
        checks.append(report.contract_check)
    for entry in report.scopes:
        known = scopes.get(entry.name)
        if known is None or known.sound is not None:
            continue
        if entry.name in holds.names:
            known.held.append(run)
        elif entry.complete or (entry.empty and entry.name in holds.conclusive):
            known.sound = run


def rows_by_scope(items: Iterable[Item]) -> dict[ScopeName, list[Row]]:
    """Group the rows of a listing by scope."""
    grouped: dict[ScopeName, list[Row]] = defaultdict(list)
    for item in items:
        grouped[scope_of(item)].append(Row.of(item))
    return grouped


def read_rows(store: Store, runs: Iterable[RawRun]) -> dict[RawRun, dict[ScopeName, list[Row]]]:
    """Read the rows of listings; log and leave out those that are damaged."""
    rows = {}
    for run in runs:
        try:
            rows[run] = rows_by_scope(read_items(store, run))
        except DAMAGED_ITEMS as error:
            log.warning("earlier crawl left out of the comparison", reason=f"the items of {run.stem}: {error}")
    return rows


def scope_of(item: Item) -> ScopeName:
    """Return the scope of an item of a listing: a category, or a channel's day."""
    if "category" in item:
        return (("category", item["category"]),)
    return (("channel_id", str(item["channel_id"])), ("day", item["requested_day"]))
