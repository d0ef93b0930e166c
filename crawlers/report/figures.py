"""Everything that the report of a crawl tells, gathered from the raw zone.

A crawl leaves one report for each of its datasets; older ones lack some of the figures, which are then None or empty.
Only what was there when the crawl ended counts, so that a report never changes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median
from typing import Any

from artifacts.raw import ITEMS, RawRun, list_runs, read_items, read_report
from artifacts.store import Store
from crawlers.report.changes import Changes, PriceChange, compare
from crawlers.report.run_index import FinishedCrawl
from crawlers.state.request_budget import MEMORY

LISTINGS = ("prices", "schedule")  # the datasets that say what a source offers
PRODUCTS = "products"
EARLIER = 7  # crawls that the usual is taken from
KEPT_MOST = 5


@dataclass(frozen=True)
class Verdict:
    """Whether the crawl may be loaded, and why in one sentence."""

    loadable: bool
    sentence: str


@dataclass(frozen=True)
class Dataset:
    """What was filed under one dataset; ``usual``: the median of its items in the crawls before."""

    name: str
    items: int
    usual: float | None
    requests: int
    scopes: int
    complete: int
    size: int


@dataclass(frozen=True)
class Scope:
    """A part of the source that is taken in as a whole, and why it is not complete."""

    dataset: str
    key: dict[str, Any]
    items: int
    reason: str | None

    @property
    def label(self) -> str:
        """The scope in words."""
        return ", ".join(f"{name} {value}" for name, value in self.key.items())


@dataclass(frozen=True)
class FieldFaults:
    """The faults of one field: the most frequent reason, and some pages with the keys of their copies."""

    dataset: str
    field: str
    count: int
    reason: str
    reasons: int
    kept: list[tuple[str, str]]


@dataclass(frozen=True)
class Fill:
    """Share of the items of a dataset that have a field; ``usual``: the median of the crawls before."""

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
        """Whether clearly fewer items than usual have the field."""
        return self.usual is not None and self.share < self.usual - 0.05


@dataclass(frozen=True)
class Pages:
    """The product pages of all listed products: read with another content than before, or unchanged, or left although
    they are due; the others rest.
    """

    listed: int
    changed: int
    unchanged: int
    left: int

    @property
    def resting(self) -> int:
        """Pages that were not due."""
        return self.listed - self.changed - self.unchanged - self.left


@dataclass(frozen=True)
class Budget:
    """Requests to the source on the day until the end of the crawl, and the most that it may get."""

    used: int
    most: int


@dataclass(frozen=True)
class CrawlReport:
    """A crawl of one source. ``traffic`` is that of the run reports; ``changes`` is None for the first crawl."""

    run_id: str
    source: str
    started_at: datetime
    finished_at: datetime
    verdict: Verdict
    datasets: list[Dataset]
    scopes: list[Scope]
    faults: list[FieldFaults]
    fill: list[Fill]
    traffic: dict[str, Any] | None
    budget: Budget | None
    pages: Pages | None
    changes: Changes | None

    @property
    def key(self) -> str:
        """Where the page of this report lies in the store."""
        return f"reports/crawl/{self.source}/{self.run_id}.html"

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def incomplete(self) -> list[Scope]:
        """The scopes that were not read in full."""
        return [scope for scope in self.scopes if scope.reason is not None]


def gather(store: Store, crawl: FinishedCrawl) -> CrawlReport:
    """Gather the figures of a crawl."""
    # What is only remembered for the next crawl has a report without scopes.
    reports = {dataset: report for dataset, report in crawl.reports.items() if "scopes" in report}
    runs = {run.dataset: run for run in crawl.runs if run.dataset in reports}
    earlier = {dataset: _earlier(store, crawl, dataset) for dataset in reports}
    first = next(iter(reports.values()))
    scopes = [
        Scope(dataset, scope["scope"], scope["items"], None if scope["complete"] else scope["reason"])
        for dataset, report in reports.items()
        for scope in report["scopes"]
    ]
    started_at = datetime.fromisoformat(first["started_at"])
    return CrawlReport(
        run_id=crawl.run_id,
        source=crawl.source,
        started_at=started_at,
        finished_at=datetime.fromisoformat(first["finished_at"]),
        verdict=_verdict(crawl, scopes),
        datasets=[_dataset(store, report, runs.get(name), earlier[name]) for name, report in reports.items()],
        scopes=scopes,
        faults=[line for dataset, report in reports.items() for line in _faults(dataset, report["faults"])],
        fill=[line for dataset, report in reports.items() for line in _fill(dataset, report, earlier[dataset])],
        traffic=first.get("traffic"),
        budget=_budget(first),
        pages=_pages(store, crawl, started_at),
        changes=_changes(store, runs),
    )


def _verdict(crawl: FinishedCrawl, scopes: Sequence[Scope]) -> Verdict:
    if crawl.failed is not None:
        return Verdict(False, f"Failed: the crawl {crawl.failed}.")
    contracts = {dataset: report["contract"] for dataset, report in crawl.reports.items() if "contract" in report}
    broken = [(dataset, line) for dataset, contract in contracts.items() for line in contract["broken"]]
    if broken:
        dataset, line = broken[0]
        field = f"{dataset} {line['field']}".strip()
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        return Verdict(False, f"Held back: {field}: expected {line['expected']}, found {line['found']}{more}.")
    lacking = sum(scope.reason is not None for scope in scopes)
    if lacking:
        what = f"{lacking} of {len(scopes)} scopes {'is' if lacking == 1 else 'are'} incomplete"
        return Verdict(True, f"Loadable, but {what}: nothing is concluded from what they lack.")
    kept = "every contract is kept" if contracts else "no contract was checked"
    return Verdict(True, f"Loadable: {kept}, and all {len(scopes)} scopes are complete.")


def _earlier(store: Store, crawl: FinishedCrawl, dataset: str) -> list[dict[str, Any]]:
    """The reports of the crawls before, newest last."""
    return [read_report(store, run) for run in _runs_before(store, crawl.source, dataset, crawl.run_id)[-EARLIER:]]


def _runs_before(store: Store, source: str, dataset: str, run_id: str) -> list[RawRun]:
    return [run for run in list_runs(store, source, dataset) if run.run_id < run_id]


def _dataset(
    store: Store, report: Mapping[str, Any], run: RawRun | None, earlier: Sequence[Mapping[str, Any]]
) -> Dataset:
    scopes = report["scopes"]
    return Dataset(
        name=report["dataset"],
        items=report["items"],
        usual=median(each["items"] for each in earlier) if earlier else None,
        requests=report["requests"],
        scopes=len(scopes),
        complete=sum(scope["complete"] for scope in scopes),
        size=store.size(run.stem + ITEMS) if run else 0,
    )


def _faults(dataset: str, faults: Sequence[Mapping[str, Any]]) -> Iterator[FieldFaults]:
    by_field = defaultdict(list)
    for fault in faults:
        by_field[fault["field"]].append(fault)
    for field, lines in sorted(by_field.items()):
        reasons: Counter[str] = Counter()
        for line in lines:
            reasons[line["reason"]] += line["count"]
        kept = dict.fromkeys((line["page"], line["kept"]) for line in lines if line["kept"])
        yield FieldFaults(
            dataset, field, reasons.total(), reasons.most_common(1)[0][0], len(reasons), list(kept)[:KEPT_MOST]
        )


def _fill(dataset: str, report: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]]) -> Iterator[Fill]:
    if not report["items"]:
        return
    for field, share in report.get("contract", {}).get("fill", {}).items():
        before = (each["contract"]["fill"].get(field) for each in earlier if "contract" in each and each["items"])
        shares = [each for each in before if each is not None]
        yield Fill(dataset, field, share, median(shares) if shares else None)


def _budget(report: Mapping[str, Any]) -> Budget | None:
    if "budget" not in report:
        return None
    return Budget(report["budget"]["used_before"] + report["traffic"]["requests"], report["budget"]["most"])


def _pages(store: Store, crawl: FinishedCrawl, started_at: datetime) -> Pages | None:
    remembered = next((run for run in crawl.runs if run.dataset == MEMORY), None)
    counts: Counter[str] = Counter()
    for page in read_items(store, remembered) if remembered else ():
        if datetime.fromisoformat(page["listed_at"]) != started_at:
            continue
        counts["listed"] += 1
        if page["read_at"] is not None and datetime.fromisoformat(page["read_at"]) == started_at:
            counts["unchanged" if page["rested"] else "changed"] += 1
        elif page["read_listed"] != page["listed"]:
            counts["left"] += 1
    # A crawl whose product pages are held back remembers nothing of its own.
    return Pages(*(counts[name] for name in ("listed", "changed", "unchanged", "left"))) if counts else None


def _changes(store: Store, runs: Mapping[str, RawRun]) -> Changes | None:
    listing = next((runs[dataset] for dataset in LISTINGS if dataset in runs), None)
    before = _runs_before(store, listing.source, listing.dataset, listing.run_id) if listing else []
    if listing is None or not before:
        return None
    remembered = _runs_before(store, listing.source, MEMORY, listing.run_id)
    known = (page["product_id"] for page in read_items(store, remembered[-1])) if remembered else ()
    changes = compare(store, before[-1], listing, known)
    return replace(changes, biggest=_named(store, changes.biggest, runs[PRODUCTS])) if PRODUCTS in runs else changes


def _named(store: Store, prices: Sequence[PriceChange], products: RawRun) -> list[PriceChange]:
    """The price changes with the names of products whose page was read: a mall's list does not tell them."""
    nameless = {price.product_id for price in prices if price.name is None}
    names = {}
    for item in read_items(store, products) if nameless else ():
        if item.get("kok_product_id") in nameless:
            names[item["kok_product_id"]] = item["product_name"]
    return [replace(price, name=price.name or names.get(price.product_id)) for price in prices]
