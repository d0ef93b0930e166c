"""Coverage of a crawl: what was read and what was missed, counted while it runs.

A scope is a part of a source that is crawled as a whole, such as a channel's day. It is complete when every page
requested for it was read to the end and no row was lost; only then may loading conclude that what it does not list does
not exist.
"""

import gzip
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from crawlers.charset import REPAIRED, UNREADABLE
from crawlers.items import Item
from crawlers.quality.contract_check import ContractChecker
from crawlers.quality.contracts import BadRow, BrokenPage, Contract
from crawlers.run_report import DatasetSummary, FieldFault, ScopeKey, ScopeReport

MAX_SAVED_PAGES = 200
MAX_SAVED_PAGES_PER_FIELD = 10
MAX_FAULT_LINES = 1_000


@dataclass(slots=True)
class Scope:
    """A part of a source: pages requested and read for it, items found, and why it is not complete.

    ``may_be_empty``: the scope is complete even if no page was requested. ``empty``: its page is sound, but lists
    nothing. ``shifted``: it changed while its pages were read. ``read_at``: when the last of its pages was read.
    """

    key: ScopeKey
    may_be_empty: bool = False
    requested: int = 0
    read: int = 0
    items: int = 0
    failures: int = 0
    first_failure: str | None = None
    dropped: Counter[str] = field(default_factory=Counter)
    empty: bool = False
    shifted: bool = False
    read_at: datetime | None = None

    def report(self) -> ScopeReport:
        """Return the scope as it appears in the run report."""
        reason = self.first_failure
        if self.failures > 1:
            reason = f"{reason} (and {self.failures - 1} more)"
        elif not self.failures and (self.read < self.requested or not (self.requested or self.may_be_empty)):
            reason = f"{self.requested - self.read} of {self.requested} pages were not read"
        return ScopeReport(
            key=self.key,
            complete=reason is None,
            items=self.items,
            empty=self.empty,
            shifted=self.shifted,
            read_at=self.read_at,
            reason=reason,
            dropped=dict(self.dropped),
        )


class Coverage:
    """Scopes, faults and contract check of one dataset in one crawl.

    The first pages with a fault of each field are saved in ``folder``. ``now``: the instant the crawl counts as; pages
    count as read so much later as time has passed since.
    """

    def __init__(self, folder: Path, contract: Contract, now: datetime) -> None:
        self._folder = folder
        self._now, self._started = now, monotonic()
        self._checker = ContractChecker(contract)
        self._scopes: list[Scope] = []
        self._faults: Counter[tuple[str, str, str]] = Counter()
        self._saved_pages: dict[str, str] = {}
        self._saved_by_field: Counter[str] = Counter()
        self._unread: dict[str, set[str]] = defaultdict(set)

    def scope(self, *, may_be_empty: bool = False, **key: str | int) -> Scope:
        """Open a scope."""
        scope = Scope(key, may_be_empty)
        self._scopes.append(scope)
        return scope

    @contextmanager
    def reading(self, response: Response, scopes: Iterable[Scope]) -> Iterator[None]:
        """Count the page as read for its scopes, or as broken if the block raises ``BrokenPage``.

        ``flags`` of the response say what was wrong with its charset.
        """
        try:
            if UNREADABLE in response.flags:
                raise BrokenPage("charset", UNREADABLE)
            for flag in response.flags:
                if flag.startswith(REPAIRED):
                    self.fault("charset", response, flag)
            yield
        except BrokenPage as error:
            self._checker.count_unreadable_page(error.field, response.url, str(error))
            self.fail(scopes, error.field, response.url, str(error), response.body)
        else:
            self._checker.count_page()
            for scope in scopes:
                scope.read += 1
                scope.read_at = self._now + timedelta(seconds=monotonic() - self._started)

    def unreachable(self, failure: Failure, scopes: Iterable[Scope]) -> None:
        """Count a page that was not received."""
        request: Request = failure.request  # type: ignore[attr-defined]
        reason, body = failure_reason(failure), None
        if isinstance(failure.value, HttpError):
            body = failure.value.response.body
            if failure.value.response.status < 500:  # else the source is away, and the others of its pages are sound
                self._checker.count_unreadable_page("page", request.url, reason)
        self.fail(scopes, "page", request.url, reason, body)

    def gone(self, response: Response, scopes: Iterable[Scope]) -> None:
        """Count a listed page that does not exist: a fault, but nothing is left unread."""
        reason = f"HTTP {response.status}, though the product is listed"
        self._checker.count_unreadable_page("page", response.url, reason)
        self._count_fault("page", response.url, reason, response.body)
        for scope in scopes:
            scope.read += 1

    def bad_row(self, error: BadRow, response: Response, scopes: Iterable[Scope]) -> None:
        """Count a row that could not become an item."""
        self._checker.count_unreadable_row(error.field, response.url, str(error))
        self.fail(scopes, error.field, response.url, f"row unreadable, {error.field}: {error}", response.body)

    def fail(self, scopes: Iterable[Scope], name: str, page: str, reason: str, body: bytes | None) -> None:
        """Mark scopes incomplete because of a fault of a page, and save the page's body as evidence."""
        self._count_fault(name, page, reason, body)
        for scope in scopes:
            scope.failures += 1
            scope.first_failure = scope.first_failure or f"{reason} [{page}]"

    def fault(self, name: str, response: Response, reason: str) -> None:
        """Count a fault of a field that costs no item."""
        self._count_fault(name, response.url, reason, response.body)

    def mark_unread(self, name: str, response: Response) -> None:
        """Remember that a field of a page could not be read, until the item of the page takes it over."""
        self._unread[response.url].add(name)

    def take_unread(self, response: Response) -> set[str]:
        """Return the fields of a page that could not be read, and forget them."""
        return self._unread.pop(response.url, set())

    def count_item(self, item: Item, scope: Scope, response: Response | None) -> None:
        """Count an item of a scope, and its faults against the contract.

        ``response`` is None if an earlier crawl read the page.
        """
        scope.items += 1
        for name, reason in self._checker.check_item(item):
            self._count_fault(name, item.page_url, reason, response.body if response else None)

    def summary(self, requests: int) -> DatasetSummary:
        """Return scopes, faults and contract check; ``requests``: how many were made for the dataset."""
        faults = [
            FieldFault(field=name, page=page, reason=reason, count=count, saved_page=self._saved_pages.get(page))
            for (name, page, reason), count in sorted(self._faults.items())
        ]
        scopes = [scope.report() for scope in self._scopes]
        contract_check = self._checker.result(scopes, self._saved_pages)
        return DatasetSummary(scopes=scopes, faults=faults, contract_check=contract_check, requests=requests)

    def _count_fault(self, name: str, page: str, reason: str, body: bytes | None) -> None:
        if body:
            self._save_page(name, page, body)
        line = (name, page, reason)
        if line not in self._faults and len(self._faults) >= MAX_FAULT_LINES:
            line = (name, "(further pages)", "too many faults to list each")
        self._faults[line] += 1

    def _save_page(self, name: str, page: str, body: bytes) -> None:
        full = self._saved_by_field[name] >= MAX_SAVED_PAGES_PER_FIELD or len(self._saved_pages) >= MAX_SAVED_PAGES
        if page in self._saved_pages or full:
            return
        self._saved_by_field[name] += 1
        self._folder.mkdir(parents=True, exist_ok=True)
        file = f"{len(list(self._folder.iterdir())) + 1:04}.gz"
        (self._folder / file).write_bytes(gzip.compress(body, mtime=0))
        self._saved_pages[page] = file


def failure_reason(failure: Failure) -> str:
    """Return in one line why a request got no page."""
    error = failure.value
    if isinstance(error, HttpError):
        status = f"HTTP {error.response.status}"
        header = error.response.headers.get("Retry-After")
        return f"{status}, Retry-After: {header.decode('latin-1')}" if header else status
    if isinstance(error, IgnoreRequest):
        return str(error)
    text = " ".join(str(error).split()).replace("twisted.python.failure.Failure ", "").strip("[<>]")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
