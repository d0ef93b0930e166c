"""Decide when a crawl ends what of it is held back, from the raw zone alone.

A scope is compared with the same scope in the last crawl that read it in full and was not held back. A loss that the
third crawl in a row shows, six hours after the first, is believed: a fault of some responses does not last, a real
cancellation does.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from artifacts.raw import RawRun, instant_of, list_runs
from artifacts.store import Store
from crawlers.gates.fields import sparse_fields
from crawlers.gates.history import Item, Row, ScopeHistory, read_history, read_rows, rows_by_scope
from crawlers.gates.holds import contract_reasons
from crawlers.gates.listing import lost_products
from crawlers.gates.schedule import lost_shows
from crawlers.registry import MALL
from crawlers.run_report import (
    CrawlRunReport,
    GateResult,
    HeldScope,
    ScopeKey,
    ScopeName,
    ScopeReport,
)

LISTINGS = ("prices", "schedule")  # the datasets that list what a source offers; the other one is of product pages
CONFIRMING_CRAWLS = 2  # crawls before this one that must show the same loss
CONFIRMING_TIME = timedelta(hours=6)  # and how long before, the first of them

Rows = Mapping[ScopeName, Sequence[Row]]
Compare = Callable[[ScopeReport, Sequence[Row], Sequence[Row]], list[str]]


def check_listing(store: Store, run: RawRun, report: CrawlRunReport, items: Iterable[Item]) -> GateResult:
    """Check a listing: the category lists of the mall, or the schedule of a broadcaster."""
    judged = [entry for entry in report.scopes if entry.complete or entry.empty]
    scopes = read_history(store, run, [entry.name for entry in judged]).scopes
    earlier = read_rows(store, {run for known in scopes.values() for run in _compared(known)})
    listed = rows_by_scope(items)
    compare = _compare_days(listed, instant_of(run)) if run.dataset == "schedule" else _compare_categories(listed)
    held: list[HeldScope] = []
    confirmed: list[ScopeKey] = []
    for entry in judged:
        known = scopes[entry.name]
        if known.sound is None or known.sound not in earlier:
            continue
        losses = [
            compare(entry, earlier[each].get(entry.name, ()), listed.get(entry.name, ()))
            for each in _compared(known)
            if each in earlier
        ]
        if not losses[0]:
            if entry.empty and not earlier[known.sound].get(entry.name):  # its emptiness was believed before
                confirmed.append(entry.key)
            continue
        if len(losses) > CONFIRMING_CRAWLS and not any(losses[1:]) and _lasted(run, known.held):
            confirmed.append(entry.key)
        else:
            held.append(HeldScope(key=entry.key, reasons=losses[0]))
    return GateResult(reasons=contract_reasons(report), held=held, confirmed=confirmed)


def check_products(
    store: Store, run: RawRun, report: CrawlRunReport, items: Iterable[Item], listing: GateResult | None
) -> GateResult:
    """Check the product pages of a crawl; they are held back with its ``listing``.

    The mall's new products do not count where filled fields are compared: nobody has reviewed them yet.
    """
    reasons = contract_reasons(report)
    if listing is not None and listing.reasons:
        reasons.append("the listing of the same crawl is held back")
    checks = read_history(store, run, ()).checks
    judged = _listed_before(store, run) if run.source == MALL and checks else None
    return GateResult(reasons=[*reasons, *sparse_fields(items, checks, judged)])


def _listed_before(store: Store, run: RawRun) -> set[int]:
    """Return the products that the mall listed in the crawl before; none if its file is damaged."""
    earlier = [each for each in list_runs(store, run.source, "prices") if each.run_id < run.run_id]
    categories = read_rows(store, earlier[-1:]).values()
    return {row.product_id for category in categories for rows in category.values() for row in rows}


def _compared(known: ScopeHistory) -> list[RawRun]:
    """Return the crawls with which a scope is compared: the last sound one, then the last ones that were held back."""
    return [known.sound, *known.held[:CONFIRMING_CRAWLS]] if known.sound else []


def _compare_days(listed: Rows, crawled_at: datetime) -> Compare:
    channels: dict[str, set[int]] = defaultdict(set)
    for name, rows in listed.items():
        channels[dict(name)["channel_id"]].update(row.product_id for row in rows)

    def compare(entry: ScopeReport, known: Sequence[Row], now: Sequence[Row]) -> list[str]:
        at = max(entry.read_at or crawled_at, crawled_at)
        return lost_shows(known, now, channels[str(entry.key["channel_id"])], at)

    return compare


def _compare_categories(listed: Rows) -> Compare:
    everywhere = {row.product_id for rows in listed.values() for row in rows}
    return lambda entry, known, now: lost_products(known, now, everywhere, len(now) + sum(entry.dropped.values()))


def _lasted(run: RawRun, held: Sequence[RawRun]) -> bool:
    return instant_of(run) - instant_of(held[-1]) >= CONFIRMING_TIME
