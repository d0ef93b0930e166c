"""What a crawl has read and what it has missed, counted while it runs.

A scope is a part of a source that a crawl takes in as a whole, such as a channel's day. It is complete when every page
asked for it was read to the end and no row of it was lost; only then may the loader conclude that what is not in it
does not exist.
"""

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from crawlers.items import Item
from crawlers.quality.contract_check import Verdict
from crawlers.quality.contracts import BadRow, BrokenPage, Contract

KEPT_PAGES = 200
KEPT_OF_A_FIELD = 10
FAULT_LINES = 1_000


@dataclass(slots=True)
class Scope:
    """A part of a source, the pages asked and read for it, the items found, and why it is not complete.

    ``may_rest``: having nothing to read is as good as having read it all. ``hours``: those of a day's schedule in which
    shows start, since half a day is no less than half of its shows. ``empty``: its page is sound, but holds nothing.
    """

    key: dict[str, Any]
    may_rest: bool = False
    asked: int = 0
    read: int = 0
    items: int = 0
    failures: int = 0
    first_failure: str | None = None
    dropped: Counter[str] = field(default_factory=Counter)
    hours: set[int] = field(default_factory=set)
    empty: bool = False

    def report(self) -> dict[str, Any]:
        """The scope as the run report tells it; ``dropped`` counts rows left out on purpose, by reason."""
        reason = self.first_failure
        if self.failures > 1:
            reason = f"{reason} (and {self.failures - 1} more)"
        elif not self.failures and (self.read < self.asked or not (self.asked or self.may_rest)):
            reason = f"{self.asked - self.read} of {self.asked} pages were not read"
        return {
            "scope": self.key,
            "complete": reason is None,
            "items": self.items,
            "empty": self.empty,
            "hours": len(self.hours),
            "span": [min(self.hours), max(self.hours)] if self.hours else None,
            "reason": reason,
            "dropped": dict(self.dropped),
        }


class Coverage:
    """The scopes and faults of one dataset in one crawl, and the verdict on its contract.

    Pages with faults are kept in ``folder``, the first ones for each field.
    """

    def __init__(self, folder: Path, contract: Contract) -> None:
        self._folder = folder
        self._verdict = Verdict(contract)
        self._scopes: list[Scope] = []
        self._faults: Counter[tuple[str, str, str]] = Counter()
        self._kept: dict[str, str] = {}
        self._kept_of: Counter[str] = Counter()

    def scope(self, *, may_rest: bool = False, **key: str | int) -> Scope:
        """Open a scope."""
        scope = Scope(key, may_rest)
        self._scopes.append(scope)
        return scope

    @contextmanager
    def reading(self, response: Response, scopes: Iterable[Scope]) -> Iterator[None]:
        """Count the page as read for its scopes, or as broken if the block finds it so."""
        try:
            yield
        except BrokenPage as error:
            self._verdict.page_unread(error.field, response.url, str(error))
            self.fail(scopes, error.field, response.url, str(error), response.body)
        else:
            self._verdict.page_read()
            for scope in scopes:
                scope.read += 1

    def unreachable(self, failure: Failure, scopes: Iterable[Scope]) -> None:
        """Count a page that did not come at all."""
        request: Request = failure.request  # type: ignore[attr-defined]
        reason, body = explain(failure), None
        if isinstance(failure.value, HttpError):
            body = failure.value.response.body
            self._verdict.page_unread("page", request.url, reason)
        self.fail(scopes, "page", request.url, reason, body)

    def gone(self, response: Response, scopes: Iterable[Scope]) -> None:
        """Count a page that is not there although a listing leads to it: a fault, yet nothing is left to be read."""
        reason = f"HTTP {response.status}, though the product is listed"
        self._verdict.page_unread("page", response.url, reason)
        self._fault("page", response.url, reason, response.body)
        for scope in scopes:
            scope.read += 1

    def bad_row(self, error: BadRow, response: Response, scopes: Iterable[Scope]) -> None:
        """Count a row that could not become an item."""
        self._verdict.lost_row(error.field, response.url, str(error))
        self.fail(scopes, error.field, response.url, f"row unreadable, {error.field}: {error}", response.body)

    def fail(self, scopes: Iterable[Scope], name: str, page: str, reason: str, body: bytes | None) -> None:
        """Mark scopes incomplete for a fault of a page, and keep the page's body as evidence."""
        self._fault(name, page, reason, body)
        for scope in scopes:
            scope.failures += 1
            scope.first_failure = scope.first_failure or f"{reason} [{page}]"

    def fault(self, name: str, response: Response, reason: str) -> None:
        """Count a fault of a field that costs no item."""
        self._fault(name, response.url, reason, response.body)

    def found(self, item: Item, scope: Scope, response: Response | None) -> None:
        """Count an item of a scope, and the fields in which it is not as its source owes it.

        Without a ``response`` its page was read by an earlier crawl.
        """
        scope.items += 1
        for name, reason in self._verdict.item(item):
            self._fault(name, item.page_url, reason, response.body if response else None)

    def report(self) -> dict[str, Any]:
        """Scopes, faults and the verdict as the run report tells them."""
        faults = [
            {"field": name, "page": page, "reason": reason, "count": count, "kept": self._kept.get(page)}
            for (name, page, reason), count in sorted(self._faults.items())
        ]
        scopes = [scope.report() for scope in self._scopes]
        return {"scopes": scopes, "faults": faults, "contract": self._verdict.report(scopes, self._kept)}

    def _fault(self, name: str, page: str, reason: str, body: bytes | None) -> None:
        if body:
            self._keep(name, page, body)
        line = (name, page, reason)
        if line not in self._faults and len(self._faults) >= FAULT_LINES:
            line = (name, "(further pages)", "too many faults to list each")
        self._faults[line] += 1

    def _keep(self, name: str, page: str, body: bytes) -> None:
        if page in self._kept or self._kept_of[name] >= KEPT_OF_A_FIELD or len(self._kept) >= KEPT_PAGES:
            return
        self._kept_of[name] += 1
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{len(list(self._folder.iterdir())) + 1:04}.gz"
        (self._folder / name).write_bytes(gzip.compress(body, mtime=0))
        self._kept[page] = name


def explain(failure: Failure) -> str:
    """Why a request got no page, in one line."""
    error = failure.value
    if isinstance(error, HttpError):
        status = f"HTTP {error.response.status}"
        header = error.response.headers.get("Retry-After")
        return f"{status}, Retry-After: {header.decode('latin-1')}" if header else status
    if isinstance(error, IgnoreRequest):
        return str(error)
    text = " ".join(str(error).split()).replace("twisted.python.failure.Failure ", "").strip("[<>]")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
