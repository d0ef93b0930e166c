"""Gates: hold back a file that looks broken until a person accepts it.

A file is checked against the contract of its source, by its own report, and compared with the last loaded files. Where
an accepted file was below the usual level, the history before it no longer counts: it sets the new level.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import NamedTuple

from artifacts.raw import RawRun, read_items
from artifacts.store import Store
from crawlers.run_report import (
    ContractCheck,
    ContractViolation,
    CrawlRunReport,
    ScopeReport,
    read_crawl_report,
    read_earlier_reports,
)
from pipelines.errors import PipelineError

MAX_REJECTED = 0.05
MIN_HISTORY = 3
HISTORY = 7  # loaded files to compare with
MIN_SHARE_OF_USUAL = 0.5
MIN_SHARE_OF_SCOPE = {"items": MIN_SHARE_OF_USUAL, "hours": 2 / 3}  # smallest share of the usual size of a scope
MIN_SHARE_OF_SHORTER_DAY = 0.6  # a day that became shorter must retain this share of its shows
MIN_SCOPE_ITEMS = 8  # scopes with fewer items are not checked for it
LOST_HOURS = 6  # hours by which a truncated day is shorter than before
MIN_ITEMS_FOR_SHARE = 20  # smallest number of items that shares are computed of

# A crawl chooses how many product pages to fetch, so their number is not checked.
UNSIZED = frozenset({"products"})
LISTING = "prices"  # lists the same products day by day, unlike a schedule

Scope = tuple[tuple[str, str], ...]


class FileHeldBack(PipelineError):
    """Files were held back and not loaded; the message says which, why, and what to do.

    The first of ``runs`` is the ``culprit``, the others depend on it.
    """

    def __init__(self, runs: Sequence[RawRun], reasons: Sequence[str]) -> None:
        names = " and ".join(f"{run.source}/{run.dataset} {run.run_id}" for run in runs)
        more = f" (and {len(reasons) - 3} more)" if len(reasons) > 3 else ""
        look = f"Look at it with `ukok crawl show-fault {runs[0].run_id}`"
        accept = f"`ukok load {runs[0].source} --accept` loads it nevertheless"
        super().__init__(f"{names} held back: {'; '.join(reasons[:3])}{more}. {look}; {accept}")
        self.runs = tuple(runs)
        self.culprit = runs[0]


class Figure(NamedTuple):
    """A count, or a share ``of`` so many items."""

    value: float
    of: float = math.inf


@dataclass(frozen=True)
class Continuity:
    """Comparison of a listing with the previous one: its products, and the shares still listed and with a new price.

    ``lost_categories``: for each category that lost more than half of its products, their number and the share still
    listed.
    """

    products: int
    still_listed: float
    changed_price: float
    lost_categories: dict[str, tuple[int, float]]


@dataclass(frozen=True)
class Findings:
    """Findings on a file that passed: reasons that a person accepted, and for a listing its continuity."""

    accepted: list[str]
    continuity: Continuity | None


@dataclass(frozen=True)
class Gate:
    """The gates of one load; with ``accept`` every file passes."""

    store: Store
    accept: bool = False

    def check_rejects(self, runs: Sequence[RawRun], read: int, rejected: Mapping[str, int]) -> None:
        """Raise :class:`FileHeldBack` when more than 5 % of the items were rejected."""
        bad = sum(rejected.values())
        if not self.accept and bad > MAX_REJECTED * read:
            reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(rejected.items()))
            raise FileHeldBack(runs, [f"{bad} of {read} items rejected ({reasons})"])

    def check(self, run: RawRun, earlier: Sequence[RawRun], dependents: Sequence[RawRun] = ()) -> Findings:
        """Raise :class:`FileHeldBack` when a file violates its contract or is below the level of earlier files.

        ``earlier``: loaded runs of the same dataset, oldest first. Compared with the last one, no day or category may
        be empty, a day of a channel must not be truncated, and a category must keep half of its products. With at least
        three of them, a complete scope (the same category, or channel and number of days ahead) must have half of the
        usual items and two thirds of the usual hours with shows, and a field must be filled half as often as usual.
        ``dependents``: files that are held back with this one. Earlier files whose report cannot be read do not count.
        """
        report = read_crawl_report(self.store, run)
        history = read_earlier_reports(self.store, earlier[-HISTORY:])
        past = list(history.values())
        reasons = [_contract_reason(entry) for entry in _contract(report).violations]
        if run.dataset not in UNSIZED:
            reasons += _short_scopes(report, past)
            reasons += _emptied(report, past)
            reasons += _truncated_days(report, past)
        reasons += [self._with_page(run, field, reason) for field, reason in _sparse_fields(report, past)]
        continuity = None
        if run.dataset == LISTING and history:
            continuity = self._continuity(run, report, *list(history.items())[-1])
            reasons += _lost_listing(continuity)
        if reasons and not self.accept:
            raise FileHeldBack([run, *dependents], reasons)
        return Findings(reasons, continuity)

    def _continuity(
        self, run: RawRun, report: CrawlRunReport, before: RawRun, report_before: CrawlRunReport
    ) -> Continuity:
        """Compare two listings, as far as both are complete."""
        whole = dict(_complete_scopes(report)).keys() & dict(_complete_scopes(report_before)).keys()
        categories = {value for scope in whole for name, value in scope if name == "category"}
        old = {number: listed for number, listed in self._listed(before).items() if listed[0] in categories}
        new = self._listed(run)
        still = old.keys() & new.keys()
        changed = sum(old[number][1] != new[number][1] for number in still)
        sizes = Counter(category for category, _ in old.values())
        kept = Counter(old[number][0] for number in still)
        shares = {category: (size, _share(kept[category], size)) for category, size in sizes.items()}
        lost = {
            category: found
            for category, found in shares.items()
            if found[0] >= MIN_ITEMS_FOR_SHARE and found[1] < MIN_SHARE_OF_USUAL
        }
        return Continuity(len(old), _share(len(still), len(old)), _share(changed, len(still)), lost)

    def _listed(self, run: RawRun) -> dict[int, tuple[str, tuple[int | None, int]]]:
        return {
            item["kok_product_id"]: (item["category"], (item["price"], item["discount_rate"]))
            for item in read_items(self.store, run)
        }

    def _with_page(self, run: RawRun, field: str, reason: str) -> str:
        """Return the reason with the first page whose item lacks the field."""
        pages = (item["page_url"] for item in read_items(self.store, run) if field in item and not item[field])
        return f"{reason}, first on {next(pages, 'no page')}"


def _contract(report: CrawlRunReport) -> ContractCheck:
    """Return the contract check of a file; an empty one if no contract was checked."""
    return report.contract_check or ContractCheck(violations=[], fill={}, items=0)


def _contract_reason(violation: ContractViolation) -> str:
    page = f", first on {violation.page}" if violation.page else ""
    of = f" of {violation.field}" if violation.field else ""
    return f"contract violated: {violation.rule}{of} is {violation.found}, expected {violation.expected}{page}"


def _short_scopes(report: CrawlRunReport, past: Sequence[CrawlRunReport]) -> Iterator[str]:
    for what, least in MIN_SHARE_OF_SCOPE.items():
        sizes: dict[Scope, list[Figure]] = defaultdict(list)
        for one in past:
            for scope, entry in _complete_scopes(one):
                sizes[scope].append(Figure(getattr(entry, what)))
        for scope, entry in _complete_scopes(report):
            size = Figure(getattr(entry, what))
            usual = _usual(sizes[scope], least)
            if _is_short(size, usual, least):
                where = ", ".join(f"{name} {value}" for name, value in scope)
                yield f"{size.value} {what} for {where}, usually {usual:g}"


def _sparse_fields(report: CrawlRunReport, past: Sequence[CrawlRunReport]) -> Iterator[tuple[str, str]]:
    """Fields that are filled less than half as often as usual."""
    items = _contract(report).items
    fills: dict[str, list[Figure]] = defaultdict(list)
    for check in map(_contract, past):
        if check.items >= MIN_ITEMS_FOR_SHARE:
            for field, share in check.fill.items():
                fills[field].append(Figure(share, check.items))
    for field, share in _contract(report).fill.items():
        usual = _usual(fills[field], MIN_SHARE_OF_USUAL)
        if _is_short(Figure(share, items), usual, MIN_SHARE_OF_USUAL):
            yield field, f"{field} is filled in {share:.1%} of {items} items, usually {usual:.1%}"


def _lost_listing(continuity: Continuity) -> Iterator[str]:
    lost = {f"category {category}": found for category, found in continuity.lost_categories.items()}
    if continuity.products >= MIN_ITEMS_FOR_SHARE and continuity.still_listed < MIN_SHARE_OF_USUAL:
        lost = {"all categories": (continuity.products, continuity.still_listed)}
    for where, (products, share) in sorted(lost.items()):
        yield f"kok_product_id: only {share:.1%} of the {products} products listed before in {where} are still listed"


def _emptied(report: CrawlRunReport, past: Sequence[CrawlRunReport]) -> Iterator[str]:
    """Yield scopes whose pages are valid but empty, although the last complete file had items."""
    before = _last_complete(past)
    for entry in report.scopes:
        old = before.get(_scope(entry))
        if old and entry.empty and old.items >= MIN_SCOPE_ITEMS:
            yield f"no items for {_where(entry)}, {old.items} in the file before; {entry.reason}"


def _truncated_days(report: CrawlRunReport, past: Sequence[CrawlRunReport]) -> Iterator[str]:
    """Yield days of a channel that begin or end hours inside the day of the last file, and have lost many of its shows.

    Single cancelled shows do not shorten a day.
    """
    before = _last_complete(past)
    for entry in report.scopes:
        old = before.get(_scope(entry))
        if not (old and old.span and entry.complete and entry.span):
            continue
        (first, last), (old_first, old_last) = entry.span, old.span
        lost_hours = max(first - old_first, 0) + max(old_last - last, 0)
        shows = old.items
        if lost_hours >= LOST_HOURS and shows >= MIN_SCOPE_ITEMS and entry.items < shows * MIN_SHARE_OF_SHORTER_DAY:
            yield (
                f"{entry.items} items for {_where(entry)}, between {first} and {last} o'clock; "
                f"{shows} between {old_first} and {old_last} in the file before"
            )


def _last_complete(past: Sequence[CrawlRunReport]) -> dict[Scope, ScopeReport]:
    """Return the report of each scope from the last file in which it is complete."""
    return {_scope(entry): entry for one in past for entry in one.scopes if entry.complete}


def _scope(entry: ScopeReport) -> Scope:
    return tuple(sorted((name, str(value)) for name, value in entry.key.items()))


def _where(entry: ScopeReport) -> str:
    return ", ".join(f"{name} {value}" for name, value in _scope(entry))


def _usual(figures: Sequence[Figure], least: float) -> float | None:
    """Return the median of figures, given oldest first; None without enough of them.

    A figure below the level of those before it was accepted by a person; those before it no longer count.
    """
    recent: list[float] = []
    for figure in figures:
        recent = [] if _is_short(figure, _median(recent), least) else recent
        recent.append(figure.value)
    return _median(recent)


def _median(values: Sequence[float]) -> float | None:
    return median(values) if len(values) >= MIN_HISTORY else None


def _is_short(figure: Figure, usual: float | None, least: float) -> bool:
    """Return whether a figure of enough items is below the share ``least`` of the usual one."""
    return usual is not None and usual * figure.of >= MIN_ITEMS_FOR_SHARE and figure.value < usual * least


def _complete_scopes(report: CrawlRunReport) -> list[tuple[Scope, ScopeReport]]:
    """Return the comparison key and the report of each complete scope."""
    found = []
    for entry in report.scopes:
        if entry.complete:
            scope = dict(entry.key)
            if "day" in scope:
                scope["days ahead"] = (date.fromisoformat(str(scope.pop("day"))) - report.day).days
            found.append((tuple(sorted((name, str(value)) for name, value in scope.items())), entry))
    return found


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0
