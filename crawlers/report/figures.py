"""All figures of a crawl report for people, gathered from the raw zone.

Only what was there when the crawl ended counts, so that a report never changes, but for what is held back now.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median

from artifacts.raw import ITEMS, RawRun, list_runs, read_items, read_typed_items
from artifacts.store import Store
from crawlers.gates.gate import LISTINGS
from crawlers.report.changes import Changes, NotComparable, PriceChange, compare
from crawlers.report.run_index import FinishedCrawl
from crawlers.run_report import CrawlRunReport, FieldFault, ScopeReport, TrafficReport, read_earlier_reports
from crawlers.state.page_state import PAGE_ROW
from crawlers.state.page_storage import PAGES

PRODUCTS = "products"
EARLIER_CRAWLS = 7  # whose median is the usual figure
MAX_SAVED_PAGES = 5  # listed for a field


@dataclass(frozen=True)
class LoadDecision:
    """Whether the crawl may be loaded, and why in one sentence."""

    loadable: bool
    sentence: str


@dataclass(frozen=True)
class Dataset:
    """Figures of one dataset; ``usual``: the median of its items in earlier crawls, ``size``: bytes of its file."""

    name: str
    items: int
    usual: float | None
    requests: int
    scopes: int
    complete: int
    size: int


@dataclass(frozen=True)
class HeldBack:
    """Why a dataset, or a scope of it, is held back."""

    dataset: str
    reason: str


@dataclass(frozen=True)
class DatasetScope:
    """A scope with its dataset."""

    dataset: str
    scope: ScopeReport


@dataclass(frozen=True)
class FieldFaults:
    """The faults of one field: the most frequent reason, and some pages with the keys of their saved copies."""

    dataset: str
    field: str
    count: int
    reason: str
    reasons: int
    saved_pages: list[tuple[str, str]]


@dataclass(frozen=True)
class Fill:
    """Share of the items of a dataset that have a field; ``usual``: the median of earlier crawls."""

    dataset: str
    field: str
    share: float
    usual: float | None

    @property
    def is_full(self) -> bool:
        """Whether every item has the field."""
        return self.share == 1

    @property
    def dropped(self) -> bool:
        """Whether the share is more than five points below the usual one."""
        return self.usual is not None and self.share < self.usual - 0.05


@dataclass(frozen=True)
class Pages:
    """Product pages of the listed products: read and changed, read and unchanged, due but left unread, or not due."""

    listed: int
    changed: int
    unchanged: int
    left: int

    @property
    def not_due(self) -> int:
        return self.listed - self.changed - self.unchanged - self.left


@dataclass(frozen=True)
class Budget:
    """Requests to the source on the day until the end of the crawl, and the daily limit."""

    used: int
    limit: int


@dataclass(frozen=True)
class CrawlReport:
    """A crawl of one source.

    ``changes`` is None for the first crawl, and where ``not_compared`` says why it could not be compared with the last
    one. ``pages`` is None without a page state of its own.
    """

    run_id: str
    source: str
    started_at: datetime
    finished_at: datetime
    decision: LoadDecision
    held: list[HeldBack]
    datasets: list[Dataset]
    scopes: list[DatasetScope]
    faults: list[FieldFaults]
    fill: list[Fill]
    traffic: TrafficReport
    budget: Budget
    pages: Pages | None
    changes: Changes | None
    not_compared: str | None

    @property
    def key(self) -> str:
        """Key of the HTML page in the store."""
        return page_key(self.source, self.run_id)

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def incomplete(self) -> list[DatasetScope]:
        """The scopes that were not read in full."""
        return [scope for scope in self.scopes if not scope.scope.complete]


def page_key(source: str, run_id: str) -> str:
    """Return the key of the HTML page of a crawl."""
    return f"reports/crawl/{source}/{run_id}.html"


def gather(store: Store, crawl: FinishedCrawl) -> CrawlReport:
    """Gather the figures of a crawl."""
    # State for the next crawl has a report without scopes.
    reports = {dataset: report for dataset, report in crawl.reports.items() if report.scopes}
    runs = {run.dataset: run for run in crawl.runs if run.dataset in reports}
    earlier = {dataset: _earlier(store, crawl, dataset) for dataset in reports}
    first = next(iter(reports.values()))
    scopes = [DatasetScope(dataset, scope) for dataset, report in reports.items() for scope in report.scopes]
    changes, not_compared = _changes(store, runs)
    held = [HeldBack(name, reason) for name, holds in crawl.holds.items() for reason in holds.sentences]
    return CrawlReport(
        run_id=crawl.run_id,
        source=crawl.source,
        started_at=first.started_at,
        finished_at=first.finished_at,
        decision=_decision(crawl, scopes, held),
        held=held,
        datasets=[_dataset(store, report, runs.get(name), earlier[name]) for name, report in reports.items()],
        scopes=scopes,
        faults=[line for dataset, report in reports.items() for line in _faults(dataset, report.faults)],
        fill=[line for dataset, report in reports.items() for line in _fill(dataset, report, earlier[dataset])],
        traffic=first.traffic,
        budget=Budget(first.budget.used_before + first.traffic.requests, first.budget.limit),
        pages=_pages(store, crawl, first.started_at),
        changes=changes,
        not_compared=not_compared,
    )


def _decision(crawl: FinishedCrawl, scopes: Sequence[DatasetScope], held: Sequence[HeldBack]) -> LoadDecision:
    if crawl.failed is not None:
        return LoadDecision(False, f"Failed: the crawl {crawl.failed}.")
    if held:
        first = held[0]
        more = f" (and {len(held) - 1} more)" if len(held) > 1 else ""
        whole = any(holds.reasons for holds in crawl.holds.values())
        parts = sum(len(holds.scopes) for holds in crawl.holds.values())
        what = "Held back" if whole else f"Loadable without {parts} of {len(scopes)} scopes, held back"
        return LoadDecision(False, f"{what}: {first.dataset}, {first.reason}{more}.")
    incomplete = sum(not scope.scope.complete for scope in scopes)
    if incomplete:
        what = f"{incomplete} of {len(scopes)} scopes {'is' if incomplete == 1 else 'are'} incomplete"
        return LoadDecision(True, f"Loadable, but {what}: nothing is concluded from what they lack.")
    checked = any(report.contract_check for report in crawl.reports.values())
    contracts = "every contract holds" if checked else "no contract was checked"
    return LoadDecision(True, f"Loadable: {contracts}, and all {len(scopes)} scopes are complete.")


def _earlier(store: Store, crawl: FinishedCrawl, dataset: str) -> list[CrawlRunReport]:
    """Return the readable reports of the last crawls before this one, newest last."""
    runs = _runs_before(store, crawl.source, dataset, crawl.run_id)[-EARLIER_CRAWLS:]
    return list(read_earlier_reports(store, runs).values())


def _runs_before(store: Store, source: str, dataset: str, run_id: str) -> list[RawRun]:
    return [run for run in list_runs(store, source, dataset) if run.run_id < run_id]


def _dataset(store: Store, report: CrawlRunReport, run: RawRun | None, earlier: Sequence[CrawlRunReport]) -> Dataset:
    return Dataset(
        name=report.dataset,
        items=report.items,
        usual=median(each.items for each in earlier) if earlier else None,
        requests=report.requests,
        scopes=len(report.scopes),
        complete=sum(scope.complete for scope in report.scopes),
        size=store.size(run.stem + ITEMS) if run else 0,
    )


def _faults(dataset: str, faults: Sequence[FieldFault]) -> Iterator[FieldFaults]:
    by_field = defaultdict(list)
    for fault in faults:
        by_field[fault.field].append(fault)
    for field, lines in sorted(by_field.items()):
        reasons: Counter[str] = Counter()
        for line in lines:
            reasons[line.reason] += line.count
        saved = {line.page: line.saved_page for line in lines if line.saved_page}
        reason = reasons.most_common(1)[0][0]
        yield FieldFaults(dataset, field, reasons.total(), reason, len(reasons), list(saved.items())[:MAX_SAVED_PAGES])


def _fill(dataset: str, report: CrawlRunReport, earlier: Sequence[CrawlRunReport]) -> Iterator[Fill]:
    if not report.items or report.contract_check is None:
        return
    checks = [each.contract_check for each in earlier if each.contract_check and each.items]
    for field, share in report.contract_check.fill.items():
        shares = [check.fill[field] for check in checks if field in check.fill]
        yield Fill(dataset, field, share, median(shares) if shares else None)


def _pages(store: Store, crawl: FinishedCrawl, started_at: datetime) -> Pages | None:
    run = next((run for run in crawl.runs if run.dataset == PAGES), None)
    counts: Counter[str] = Counter()
    for page in read_typed_items(store, run, PAGE_ROW) if run else ():
        if page.listed_at is None or datetime.fromisoformat(page.listed_at) != started_at:
            continue
        counts["listed"] += 1
        if page.read_at is not None and datetime.fromisoformat(page.read_at) == started_at:
            counts["unchanged" if page.unchanged_reads else "changed"] += 1
        elif page.read_listed != page.listed:
            counts["left"] += 1
    # A crawl that violates a contract leaves the page state of the crawl before.
    return Pages(*(counts[name] for name in ("listed", "changed", "unchanged", "left"))) if counts else None


def _changes(store: Store, runs: Mapping[str, RawRun]) -> tuple[Changes | None, str | None]:
    """Return the changes since the last crawl, or why there are none to be known; neither for the first crawl."""
    listing = next((runs[dataset] for dataset in LISTINGS if dataset in runs), None)
    before = _runs_before(store, listing.source, listing.dataset, listing.run_id) if listing else []
    if listing is None or not before:
        return None, None
    page_states = _runs_before(store, listing.source, PAGES, listing.run_id)
    known = (page.product_id for page in read_typed_items(store, page_states[-1], PAGE_ROW)) if page_states else ()
    try:
        changes = compare(store, before[-1], listing, known)
    except NotComparable as error:
        return None, str(error)
    if PRODUCTS in runs:
        changes = replace(changes, biggest=_named(store, changes.biggest, runs[PRODUCTS]))
    return changes, None


def _named(store: Store, prices: Sequence[PriceChange], products: RawRun) -> list[PriceChange]:
    """Add the names of products whose page was read; the mall's lists do not have them."""
    nameless = {price.product_id for price in prices if price.name is None}
    names = {}
    for item in read_items(store, products) if nameless else ():
        if item.get("kok_product_id") in nameless:
            names[item["kok_product_id"]] = item["product_name"]
    return [replace(price, name=price.name or names.get(price.product_id)) for price in prices]
