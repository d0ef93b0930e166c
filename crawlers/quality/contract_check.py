"""Whether a crawl brought what its source owes, decided item by item in memory that does not grow."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from crawlers.items import Item, Part
from crawlers.parsing import MAX_ID, kst_day
from crawlers.quality.contracts import Contract, Owed

ENOUGH = 20  # items from which on a share of them means something
ALIKE = 10  # items from which on one id for all of them is no accident
OUTSIDE = 0.01  # share of values outside their range that is put up with
UNREAD = 0.5  # share of pages that came, but could not be read
FEW_PAGES = 3
LIMITS = frozenset({2**31 - 1, 2**31, 2**32 - 1, 2**53, MAX_ID})  # what a number too large is clamped to

Broken = dict[str, Any]
NOTHING = Owed()


class Verdict:
    """Counts what a dataset owes and lacks. Every first page of a kind of fault is remembered."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._items = 0
        self._names: dict[type[Item], tuple[str, ...]] = {}
        self._filled: Counter[str] = Counter()
        self._outside: Counter[str] = Counter()
        self._members: dict[str, set[Any]] = {name: set() for name, owed in contract.fields.items() if owed.one_of}
        self._clamped: Counter[int] = Counter()
        self._one_id: int | None = None
        self._many_ids = False
        self._lost: Counter[str] = Counter()
        self._pages: Counter[str] = Counter()
        self._first: dict[tuple[str, str], tuple[str, str]] = {}

    def item(self, item: Item) -> Iterator[tuple[str, str]]:
        """Count an item; its faults, each as field and reason."""
        self._items += 1
        names = self._names.get(type(item))
        if names is None:
            names = self._names[type(item)] = tuple(dict.fromkeys((*_names(type(item)), *self._contract.fields)))
        for name in names:
            yield from self._field(item, name, self._contract.fields.get(name, NOTHING))
        yield from self._id(item)

    def lost_row(self, field: str, page: str, reason: str) -> None:
        """Count a row that could not become an item."""
        self._lost[field] += 1
        self._first.setdefault(("rows", field), (page, reason))

    def page_read(self) -> None:
        """Count a page that was read."""
        self._pages["read"] += 1

    def page_unread(self, field: str, page: str, reason: str) -> None:
        """Count a page that came but could not be read."""
        self._pages["unread"] += 1
        self._first.setdefault(("pages", ""), (page, f"{field}: {reason}"))

    def report(self, scopes: Iterable[Mapping[str, Any]], kept: Mapping[str, str]) -> dict[str, Any]:
        """The verdict as the run report tells it. ``scopes``: those of the report; ``kept``: file by page."""
        rules: tuple[Callable[[], Iterator[Broken]], ...]
        rules = (self._count, self._unread_pages, self._lost_rows, self._fill, self._ranges, self._ids)
        broken = [*(each for rule in rules for each in rule()), *self._sets(list(scopes))]
        return {
            "broken": [{**each, "kept": kept.get(each["page"] or "")} for each in broken],
            "fill": {name: round(count / self._items, 4) for name, count in sorted(self._filled.items())},
            "items": self._items,
        }

    def _field(self, item: Item, name: str, owed: Owed) -> Iterator[tuple[str, str]]:
        values = list(_values(item, name.split("."))) if "." in name else [getattr(item, name)]
        filled = any(map(_is_filled, values)) or (name == "price" and getattr(item, "price_kind", None) == "consult")
        self._filled[name] += filled
        if owed.fill and not filled:
            self._first.setdefault(("fill", name), (item.page_url, "missing or 0"))
            yield name, "missing or 0"
        if owed is NOTHING:
            return
        for value in values:
            reason = None if value is None else _outside(value, item, owed)
            if reason is not None:
                self._outside[name] += 1
                self._first.setdefault(("range", name), (item.page_url, reason))
                yield name, reason
        if owed.one_of:
            self._members[name].update(owed.one_of.intersection(values))

    def _id(self, item: Item) -> Iterator[tuple[str, str]]:
        number = getattr(item, self._contract.product_id)
        self._many_ids = self._many_ids or number != (self._one_id or number)
        if self._one_id is None:
            self._one_id = number
            self._first["id", ""] = (item.page_url, "")
        if number in LIMITS:
            self._clamped[number] += 1
            self._first.setdefault(("clamped", str(number)), (item.page_url, ""))
            yield self._contract.product_id, f"{number} is the largest number of some width, rather than an id"

    def _count(self) -> Iterator[Broken]:
        if self._items < self._contract.items:
            yield _broken("items", "", f"at least {self._contract.items}", str(self._items), None)

    def _unread_pages(self) -> Iterator[Broken]:
        unread, came = self._pages["unread"], self._pages.total()
        if came >= FEW_PAGES and unread > UNREAD * came:
            page, reason = self._first["pages", ""]
            found = f"{unread} of {came} pages unreadable, the first: {reason}"
            yield _broken("pages", "", f"at most {UNREAD:.0%} unreadable", found, page)

    def _lost_rows(self) -> Iterator[Broken]:
        lost = self._lost.total()
        rows = lost + self._items
        if rows >= ENOUGH and lost > self._contract.unreadable * rows:
            field, count = self._lost.most_common(1)[0]
            page, reason = self._first["rows", field]
            found = f"{lost} of {rows} rows unreadable, {count} for this field: {reason}"
            yield _broken("rows", field, f"at most {self._contract.unreadable:.0%} unreadable", found, page)

    def _fill(self) -> Iterator[Broken]:
        for name, owed in self._contract.fields.items():
            if self._items >= ENOUGH and self._filled[name] < owed.fill * self._items:
                page, _ = self._first["fill", name]
                found = f"{self._filled[name] / self._items:.1%} of {self._items} items"
                yield _broken("fill", name, f"at least {owed.fill:.0%}", found, page)

    def _ranges(self) -> Iterator[Broken]:
        for name, count in self._outside.items():
            owed = self._contract.fields[name]
            if owed.one_of or count > OUTSIDE * self._items:
                page, reason = self._first["range", name]
                yield _broken("range", name, _expected(owed), f"{count} outside, the first: {reason}", page)

    def _ids(self) -> Iterator[Broken]:
        name = self._contract.product_id
        for number, count in self._clamped.items():
            if count > 1:
                page, _ = self._first["clamped", str(number)]
                yield _broken("ids", name, "ids as the source has them", f"{number} in {count} rows", page)
        if self._items >= ALIKE and not self._many_ids:
            page, _ = self._first["id", ""]
            yield _broken("ids", name, "different ids", f"{self._one_id} in all {self._items} rows", page)

    def _sets(self, scopes: list[Mapping[str, Any]]) -> Iterator[Broken]:
        """A value of a set that did not turn up, although nothing of it was missed."""
        for name, members in self._members.items():
            owed = self._contract.fields[name].one_of
            missed = {scope["scope"].get(name) for scope in scopes if not scope["complete"]}
            lacking = sorted(owed - members - missed, key=str)
            if lacking:
                yield _broken("set", name, _listed(owed), f"nothing of {_listed(lacking)}", None)


@cache
def _names(kind: type[Item]) -> tuple[str, ...]:
    """The fields of a kind of item, less what every item says of its origin."""
    return tuple(name for name in kind.model_fields if name not in Item.model_fields)


def _values(value: object, path: list[str]) -> Iterator[Any]:
    """The values at a path of names, one for each of several parts; None where a part is missing."""
    if isinstance(value, tuple) and path:
        for part in value:
            yield from _values(part, path)
    elif path and value is not None:
        yield from _values(getattr(value, path[0]), path[1:])
    else:
        yield value


def _is_filled(value: object) -> bool:
    """Whether a value says something; a part does if one of its fields does."""
    if isinstance(value, Part):
        return any(_is_filled(each) for _, each in value)
    return isinstance(value, bool) or bool(value)


def _outside(value: Any, item: Item, owed: Owed) -> str | None:  # noqa: ANN401 (numbers, dates and lengths)
    """Why a value is not one of those owed."""
    if isinstance(value, tuple):
        return next(filter(None, (_outside(part, item, owed) for part in value)), None)
    if owed.past and value > kst_day(item.observed_at):
        return f"{value} is later than the crawl"
    below = owed.least is not None and value < owed.least
    above = owed.most is not None and value > owed.most
    unknown = owed.one_of and value not in owed.one_of
    return f"{value} is not {_expected(owed)}" if below or above or unknown else None


def _expected(owed: Owed) -> str:
    if owed.one_of:
        return f"one of {_listed(owed.one_of)}"
    if owed.past:
        return "a date not later than the crawl"
    return f"{_shown(owed.least)} … {_shown(owed.most)}"


def _shown(limit: object) -> str:
    return f"{limit:,}" if isinstance(limit, int) else str(limit)


def _listed(values: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, values)))


def _broken(rule: str, field: str, expected: str, found: str, page: str | None) -> Broken:
    return {"rule": rule, "field": field, "expected": expected, "found": found, "page": page}
