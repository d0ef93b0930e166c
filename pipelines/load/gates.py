"""Gates: a file that looks broken is held back until a person accepts it.

A file is compared with what its source owes, which its own report tells, and with the last files that were loaded. One
that a person accepted is among these, and where it fell short of what was usual it is the new beginning: what it has in
common with its followers is usual from then on.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any, NamedTuple

from artifacts.raw import RawRun, read_items, read_report
from artifacts.store import Store

MAX_REJECTED = 0.05
MIN_HISTORY = 3
HISTORY = 7  # loaded files looked back on
HALF = 0.5
SHORT = {"items": HALF, "hours": 2 / 3}  # smallest share of what a scope usually holds
ENOUGH = 20  # items from which on a share of them means something

# How many product pages a crawl reads is the crawl's choice, so their number says nothing.
UNSIZED = frozenset({"products"})
LISTING = "prices"  # lists the same products day by day, unlike a schedule

Report = Mapping[str, Any]
Scope = tuple[tuple[str, str], ...]


class GateBroken(RuntimeError):
    """Files were held back; nothing of them was loaded. The message says which, why, and what to do."""

    def __init__(self, runs: Sequence[RawRun], reasons: Sequence[str]) -> None:
        names = " and ".join(f"{run.source}/{run.dataset} {run.run_id}" for run in runs)
        more = f" (and {len(reasons) - 3} more)" if len(reasons) > 3 else ""
        look = f"Look at it with `ukok crawl show-fault {runs[0].run_id}`"
        accept = f"`ukok load {runs[0].source} --accept` loads it all the same"
        super().__init__(f"{names} held back: {'; '.join(reasons[:3])}{more}. {look}; {accept}")
        self.runs = tuple(runs)


class Figure(NamedTuple):
    """A count, or a share ``of`` so many items."""

    value: float
    of: float = math.inf


@dataclass(frozen=True)
class Continuity:
    """How a listing goes on from the one before: products, and the shares still listed and with another price."""

    products: int
    still_listed: float
    changed_price: float


@dataclass(frozen=True)
class Findings:
    """What is wrong with a file that was let pass all the same, and how its listing goes on, if it is one."""

    accepted: list[str]
    continuity: Continuity | None


@dataclass(frozen=True)
class Gate:
    """What to compare a file with; ``accept`` lets everything pass."""

    store: Store
    accept: bool = False

    def check_rejects(self, runs: Sequence[RawRun], read: int, rejected: Mapping[str, int]) -> None:
        """Raise :class:`GateBroken` when more than 5 % of the items were rejected."""
        bad = sum(rejected.values())
        if not self.accept and bad > MAX_REJECTED * read:
            reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(rejected.items()))
            raise GateBroken(runs, [f"{bad} of {read} items rejected ({reasons})"])

    def check(self, run: RawRun, earlier: Sequence[RawRun]) -> Findings:
        """Raise :class:`GateBroken` when a file breaks its contract, or falls short of what was usual.

        ``earlier``: loaded runs of the same dataset, oldest first; without three of them nothing is usual yet. Short is
        fewer than half the items of a complete scope (the same category, or channel and number of days ahead), fewer
        than two thirds of the hours of a day with shows, a field filled less than half as often, and a listing that
        lost more than half of the products of the one before.
        """
        report = read_report(self.store, run)
        past = [read_report(self.store, other) for other in earlier[-HISTORY:]]
        reasons = [_contract_reason(entry) for entry in _contract(report)["broken"]]
        if run.dataset not in UNSIZED:
            reasons += _short_scopes(report, past)
        reasons += [self._with_page(run, field, reason) for field, reason in _sparse_fields(report, past)]
        continuity = None
        if run.dataset == LISTING and earlier:
            continuity = self._continuity(run, report, earlier[-1], past[-1])
            reasons += _lost_listing(continuity)
        if reasons and not self.accept:
            raise GateBroken([run], reasons)
        return Findings(reasons, continuity)

    def _continuity(self, run: RawRun, report: Report, before: RawRun, report_before: Report) -> Continuity:
        """Compare two listings, as far as both are complete."""
        whole = dict(_complete_scopes(report)).keys() & dict(_complete_scopes(report_before)).keys()
        categories = {value for scope in whole for name, value in scope if name == "category"}
        old = {number: price for number, (category, price) in self._listed(before).items() if category in categories}
        new = {number: price for number, (_, price) in self._listed(run).items()}
        still = old.keys() & new.keys()
        changed = sum(old[number] != new[number] for number in still)
        return Continuity(len(old), _share(len(still), len(old)), _share(changed, len(still)))

    def _listed(self, run: RawRun) -> dict[int, tuple[str, tuple[int | None, int]]]:
        return {
            item["kok_product_id"]: (item["category"], (item["price"], item["discount_rate"]))
            for item in read_items(self.store, run)
        }

    def _with_page(self, run: RawRun, field: str, reason: str) -> str:
        """The reason with the first page of which an item lacks the field."""
        pages = (item["page_url"] for item in read_items(self.store, run) if field in item and not item[field])
        return f"{reason}, first on {next(pages, 'no page')}"


def _contract(report: Report) -> Mapping[str, Any]:
    """The verdict on a contract; files that no contract covers owe nothing."""
    empty: dict[str, Any] = {"broken": [], "fill": {}, "items": 0}
    verdict: Mapping[str, Any] = report.get("contract", empty)
    return verdict


def _contract_reason(entry: Mapping[str, Any]) -> str:
    page = f", first on {entry['page']}" if entry["page"] else ""
    of = f" of {entry['field']}" if entry["field"] else ""
    return f"contract broken: {entry['rule']}{of} is {entry['found']}, owed is {entry['expected']}{page}"


def _short_scopes(report: Report, past: Sequence[Report]) -> Iterator[str]:
    for what, least in SHORT.items():
        sizes: dict[Scope, list[Figure]] = defaultdict(list)
        for one in past:
            for scope, entry in _complete_scopes(one):
                sizes[scope].append(Figure(entry.get(what, 0)))
        for scope, entry in _complete_scopes(report):
            size = Figure(entry.get(what, 0))
            usual = _usual(sizes[scope], least)
            if _is_short(size, usual, least):
                where = ", ".join(f"{name} {value}" for name, value in scope)
                yield f"{size.value} {what} for {where}, usually {usual:g}"


def _sparse_fields(report: Report, past: Sequence[Report]) -> Iterator[tuple[str, str]]:
    """Fields that are filled less than half as often as usual."""
    items = _contract(report)["items"]
    fills: dict[str, list[Figure]] = defaultdict(list)
    for verdict in map(_contract, past):
        if verdict["items"] >= ENOUGH:
            for field, share in verdict["fill"].items():
                fills[field].append(Figure(share, verdict["items"]))
    for field, share in _contract(report)["fill"].items():
        usual = _usual(fills[field], HALF)
        if _is_short(Figure(share, items), usual, HALF):
            yield field, f"{field} is filled in {share:.1%} of {items} items, usually {usual:.1%}"


def _lost_listing(continuity: Continuity) -> Iterator[str]:
    if continuity.products >= ENOUGH and continuity.still_listed < HALF:
        yield (
            f"kok_product_id: only {continuity.still_listed:.1%} of the {continuity.products} products listed before "
            f"are still listed"
        )


def _usual(figures: Sequence[Figure], least: float) -> float | None:
    """The median of figures, oldest first; None without enough of them.

    One that fell short of those before it was accepted by a person, so that they count no longer.
    """
    recent: list[float] = []
    for figure in figures:
        recent = [] if _is_short(figure, _median(recent), least) else recent
        recent.append(figure.value)
    return _median(recent)


def _median(values: Sequence[float]) -> float | None:
    return median(values) if len(values) >= MIN_HISTORY else None


def _is_short(figure: Figure, usual: float | None, least: float) -> bool:
    """Whether a figure is less than the share ``least`` of what is usual, and of so many items that it tells."""
    return usual is not None and usual * figure.of >= ENOUGH and figure.value < usual * least


def _complete_scopes(report: Report) -> list[tuple[Scope, Mapping[str, Any]]]:
    """What each complete scope is compared by, and what the report tells of it."""
    crawled = date.fromisoformat(report["day"])
    found = []
    for entry in report["scopes"]:
        if entry["complete"]:
            scope = dict(entry["scope"])
            if "day" in scope:
                scope["days ahead"] = (date.fromisoformat(scope.pop("day")) - crawled).days
            found.append((tuple(sorted((name, str(value)) for name, value in scope.items())), entry))
    return found


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0
