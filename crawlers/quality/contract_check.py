"""Contract check of one dataset, item by item, in memory whose size does not depend on the number of items."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from crawlers.items import Item, Part
from crawlers.parsing import MAX_ID, kst_day
from crawlers.quality.contracts import Contract, FieldRule
from crawlers.run_report import ContractCheck, ContractViolation, ScopeReport

MIN_ITEMS_FOR_SHARE = 20  # below this number of items a share of them is not judged
MIN_ITEMS_FOR_ONE_ID = 10  # below this number of items one id for all of them may be chance
MAX_OUTSIDE = 0.01  # tolerated share of values outside their range
MAX_UNREADABLE_PAGES = 0.5  # tolerated share of responses that cannot be read
MIN_PAGES = 3  # below this number of pages the share is not judged
CLAMPED_IDS = frozenset({2**31 - 1, 2**31, 2**32 - 1, 2**53, MAX_ID})  # what a number too large is clamped to

NO_RULE = FieldRule()


class ContractChecker:
    """Counts the violations of a contract, and stores the first page of each kind."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._items = 0
        self._rules: dict[type[Item], list[tuple[str, FieldRule]]] = {}
        self._filled: Counter[str] = Counter()
        self._unread: Counter[str] = Counter()  # items whose field could not be read, and is not judged for that
        self._outside: Counter[str] = Counter()
        self._members: dict[str, set[Any]] = {name: set() for name, rule in contract.fields.items() if rule.one_of}
        self._clamped: Counter[int] = Counter()
        self._one_id: int | None = None
        self._many_ids = False
        self._unreadable_rows: Counter[str] = Counter()
        self._pages: Counter[str] = Counter()
        self._first: dict[tuple[str, str], tuple[str, str]] = {}

    def check_item(self, item: Item) -> list[tuple[str, str]]:
        """Count an item and return its faults as (field, reason)."""
        self._items += 1
        rules = self._rules.get(type(item))
        if rules is None:
            names = dict.fromkeys((*_names(type(item)), *self._contract.fields))
            rules = self._rules[type(item)] = [(name, self._contract.fields.get(name, NO_RULE)) for name in names]
        faults: list[tuple[str, str]] = []
        for name, rule in rules:
            if name in item.unread and (rule.own_page or not rule.fill):
                self._unread[name] += 1
            else:
                self._check_field(item, name, rule, faults)
        self._check_id(item, faults)
        return faults

    def count_unreadable_row(self, field: str, page: str, reason: str) -> None:
        """Count a row that could not become an item."""
        self._unreadable_rows[field] += 1
        self._first.setdefault(("rows", field), (page, reason))

    def count_page(self) -> None:
        """Count a page that was read."""
        self._pages["read"] += 1

    def count_unreadable_page(self, field: str, page: str, reason: str) -> None:
        """Count a page that was received but could not be read."""
        self._pages["unreadable"] += 1
        self._first.setdefault(("pages", ""), (page, f"{field}: {reason}"))

    def result(self, scopes: Iterable[ScopeReport], saved_pages: Mapping[str, str]) -> ContractCheck:
        """Return the result for the run report. ``saved_pages``: file of the saved copy by URL."""
        rules: tuple[Callable[[], Iterator[ContractViolation]], ...]
        rules = (
            self._too_few_items,
            self._too_many_unreadable_pages,
            self._too_many_unreadable_rows,
            self._too_seldom_filled,
            self._outside_range,
            self._wrong_ids,
        )
        violations = [*(each for rule in rules for each in rule()), *self._missing_members(list(scopes))]
        return ContractCheck(
            violations=[
                each.model_copy(update={"saved_page": saved_pages.get(each.page or "")}) for each in violations
            ],
            fill={
                name: round(count / read, 4)
                for name, count in sorted(self._filled.items())
                if (read := self._items - self._unread[name])
            },
            items=self._items,
        )

    def _check_field(self, item: Item, name: str, rule: FieldRule, faults: list[tuple[str, str]]) -> None:
        values = list(_values(item, name.split("."))) if "." in name else [getattr(item, name)]
        filled = any(map(_is_filled, values)) or (name == "price" and getattr(item, "price_kind", None) == "consult")
        self._filled[name] += filled
        if rule.fill and not filled:
            self._first.setdefault(("fill", name), (item.page_url, "missing or 0"))
            faults.append((name, "missing or 0"))
        if rule is NO_RULE:
            return
        for value in values:
            reason = None if value is None else _violation(value, item, rule)
            if reason is not None:
                self._outside[name] += 1
                self._first.setdefault(("range", name), (item.page_url, reason))
                faults.append((name, reason))
        if rule.one_of:
            self._members[name].update(rule.one_of.intersection(values))

    def _check_id(self, item: Item, faults: list[tuple[str, str]]) -> None:
        product_id = getattr(item, self._contract.product_id)
        self._many_ids = self._many_ids or product_id != (self._one_id or product_id)
        if self._one_id is None:
            self._one_id = product_id
            self._first["id", ""] = (item.page_url, "")
        if product_id in CLAMPED_IDS:
            self._clamped[product_id] += 1
            self._first.setdefault(("clamped", str(product_id)), (item.page_url, ""))
            faults.append((self._contract.product_id, f"{product_id} is the largest number of some width, not an id"))

    def _too_few_items(self) -> Iterator[ContractViolation]:
        if self._items < self._contract.min_items:
            yield _contract_violation("items", "", f"at least {self._contract.min_items}", str(self._items), None)

    def _too_many_unreadable_pages(self) -> Iterator[ContractViolation]:
        unreadable, received = self._pages["unreadable"], self._pages.total()
        if received >= MIN_PAGES and unreadable > MAX_UNREADABLE_PAGES * received:
            page, reason = self._first["pages", ""]
            found = f"{unreadable} of {received} pages unreadable, the first: {reason}"
            yield _contract_violation("pages", "", f"at most {MAX_UNREADABLE_PAGES:.0%} unreadable", found, page)

    def _too_many_unreadable_rows(self) -> Iterator[ContractViolation]:
        unreadable = self._unreadable_rows.total()
        rows = unreadable + self._items
        if rows >= MIN_ITEMS_FOR_SHARE and unreadable > self._contract.max_unreadable * rows:
            field, count = self._unreadable_rows.most_common(1)[0]
            page, reason = self._first["rows", field]
            found = f"{unreadable} of {rows} rows unreadable, {count} for this field: {reason}"
            expected = f"at most {self._contract.max_unreadable:.0%} unreadable"
            yield _contract_violation("rows", field, expected, found, page)

    def _too_seldom_filled(self) -> Iterator[ContractViolation]:
        for name, rule in self._contract.fields.items():
            read = self._items - self._unread[name]
            if read >= MIN_ITEMS_FOR_SHARE and self._filled[name] < rule.fill * read:
                page, _ = self._first["fill", name]
                found = f"{self._filled[name] / read:.1%} of {read} items"
                yield _contract_violation("fill", name, f"at least {rule.fill:.0%}", found, page)

    def _outside_range(self) -> Iterator[ContractViolation]:
        for name, count in self._outside.items():
            rule = self._contract.fields[name]
            if rule.one_of or count > MAX_OUTSIDE * self._items:
                page, reason = self._first["range", name]
                yield _contract_violation("range", name, _expected(rule), f"{count} outside, the first: {reason}", page)

    def _wrong_ids(self) -> Iterator[ContractViolation]:
        name = self._contract.product_id
        for product_id, count in self._clamped.items():
            if count > 1:
                page, _ = self._first["clamped", str(product_id)]
                yield _contract_violation(
                    "ids", name, "ids as the source has them", f"{product_id} in {count} rows", page
                )
        if self._items >= MIN_ITEMS_FOR_ONE_ID and not self._many_ids:
            page, _ = self._first["id", ""]
            yield _contract_violation("ids", name, "different ids", f"{self._one_id} in all {self._items} rows", page)

    def _missing_members(self, scopes: list[ScopeReport]) -> Iterator[ContractViolation]:
        """Yield the values of a set that do not occur although no scope of theirs is incomplete."""
        for name, members in self._members.items():
            one_of = self._contract.fields[name].one_of
            incomplete = {scope.key.get(name) for scope in scopes if not scope.complete}
            missing = sorted(one_of - members - incomplete, key=str)
            if missing:
                yield _contract_violation("set", name, _listed(one_of), f"nothing of {_listed(missing)}", None)


@cache
def _names(kind: type[Item]) -> tuple[str, ...]:
    """Return the fields of a kind of item without those that state its origin."""
    return tuple(name for name in kind.model_fields if name not in Item.model_fields)


def _values(value: object, path: list[str]) -> Iterator[Any]:
    """Yield the values at a path of names, one for each of several parts; None where a part is missing."""
    if isinstance(value, tuple) and path:
        for part in value:
            yield from _values(part, path)
    elif path and value is not None:
        yield from _values(getattr(value, path[0]), path[1:])
    else:
        yield value


def _is_filled(value: object) -> bool:
    """Return whether a value is not empty; a part is filled if one of its fields is."""
    if isinstance(value, Part):
        return any(_is_filled(each) for _, each in value)
    return isinstance(value, bool) or bool(value)


def _violation(value: Any, item: Item, rule: FieldRule) -> str | None:  # noqa: ANN401 (numbers, dates and lengths)
    """Return why a value violates its rule, or None."""
    if isinstance(value, tuple):
        return next(filter(None, (_violation(part, item, rule) for part in value)), None)
    if rule.past and value > kst_day(item.observed_at):
        return f"{value} is later than the crawl"
    below = rule.minimum is not None and value < rule.minimum
    above = rule.maximum is not None and value > rule.maximum
    unknown = rule.one_of and value not in rule.one_of
    return f"{value} is not {_expected(rule)}" if below or above or unknown else None


def _expected(rule: FieldRule) -> str:
    if rule.one_of:
        return f"one of {_listed(rule.one_of)}"
    if rule.past:
        return "a date not later than the crawl"
    return f"{_limit(rule.minimum)} … {_limit(rule.maximum)}"


def _limit(limit: object) -> str:
    return f"{limit:,}" if isinstance(limit, int) else str(limit)


def _listed(values: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, values)))


def _contract_violation(rule: str, field: str, expected: str, found: str, page: str | None) -> ContractViolation:
    return ContractViolation(rule=rule, field=field, expected=expected, found=found, page=page)
