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

from crawlers.contracts import BadRow, BrokenPage, missing
from crawlers.items import Item

KEPT_PAGES = 50
FAULT_LINES = 1_000


@dataclass(slots=True)
class Scope:
    """A part of a source, the pages asked and read for it, the items found, and why it is not complete.

    ``may_rest``: having nothing to read is as good as having read it all.
    """

    key: dict[str, Any]
    may_rest: bool = False
    asked: int = 0
    read: int = 0
    items: int = 0
    failures: list[str] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)

    def report(self) -> dict[str, Any]:
        """The scope as the run report tells it; ``dropped`` counts rows left out on purpose, by reason."""
        reason = None
        if self.failures:
            reason = self.failures[0] + (f" (and {len(self.failures) - 1} more)" if len(self.failures) > 1 else "")
        elif self.read < self.asked or not (self.asked or self.may_rest):
            reason = f"{self.asked - self.read} of {self.asked} pages were not read"
        return {
            "scope": self.key,
            "complete": reason is None,
            "items": self.items,
            "reason": reason,
            "dropped": dict(self.dropped),
        }


class Coverage:
    """The scopes and faults of one dataset in one crawl. Pages with faults are kept in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._scopes: list[Scope] = []
        self._faults: Counter[tuple[str, str, str]] = Counter()
        self._kept: dict[str, str] = {}

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
            self.fail(scopes, error.field, response.url, str(error), response.body)
        else:
            for scope in scopes:
                scope.read += 1

    def unreachable(self, failure: Failure, scopes: Iterable[Scope]) -> None:
        """Count a page that did not come at all."""
        request: Request = failure.request  # type: ignore[attr-defined]
        body = failure.value.response.body if isinstance(failure.value, HttpError) else None
        self.fail(scopes, "page", request.url, explain(failure), body)

    def bad_row(self, error: BadRow, response: Response, scopes: Iterable[Scope]) -> None:
        """Count a row that could not become an item."""
        self.fail(scopes, error.field, response.url, f"row unreadable, {error.field}: {error}", response.body)

    def fail(self, scopes: Iterable[Scope], name: str, page: str, reason: str, body: bytes | None) -> None:
        """Mark scopes incomplete for a fault of a page, and keep the page's body as evidence."""
        self.fault(name, page, reason)
        if body:
            self._keep(page, body)
        for scope in scopes:
            scope.failures.append(f"{reason} [{page}]")

    def fault(self, name: str, page: str, reason: str) -> None:
        """Count a fault of a field on a page."""
        line = (name, page, reason)
        if line not in self._faults and len(self._faults) >= FAULT_LINES:
            line = (name, "(further pages)", "too many faults to list each")
        self._faults[line] += 1

    def found(self, item: Item, scope: Scope) -> None:
        """Count an item of a scope, and the fields that it lacks."""
        scope.items += 1
        for name in missing(item):
            self.fault(name, item.page_url, "missing or 0")

    def report(self) -> dict[str, Any]:
        """Scopes and faults as the run report tells them."""
        faults = [
            {"field": name, "page": page, "reason": reason, "count": count, "kept": self._kept.get(page)}
            for (name, page, reason), count in sorted(self._faults.items())
        ]
        return {"scopes": [scope.report() for scope in self._scopes], "faults": faults}

    def _keep(self, page: str, body: bytes) -> None:
        if page in self._kept or len(self._kept) >= KEPT_PAGES:
            return
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
