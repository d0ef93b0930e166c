"""Base of all spiders: requests counted by scope, and product pages that are read when they are due."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, ClassVar, NamedTuple, Self

import scrapy
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider, IgnoreRequest
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from crawlers.items import Item, Product
from crawlers.job import Job
from crawlers.quality.contracts import BadRow, Contract
from crawlers.quality.coverage import Coverage, Scope
from crawlers.run_report import PagesReport
from crawlers.state.checkpoints import CheckpointPage, Checkpoints, read_taken_over
from crawlers.state.http_validators import validators_of
from crawlers.state.page_state import PAGE_ROW, DuePage, PageState

GONE = (404, 410)
MAX_CLAIMED = 500  # product pages waiting in memory


class BudgetSpent(IgnoreRequest):
    """The daily request budget of the source is used up, so the request was not sent."""


def source_spider_of(crawler: Crawler) -> "SourceSpider":
    """Return the spider of a crawler as a :class:`SourceSpider`, which the parts of our Scrapy process require."""
    if not isinstance(crawler.spider, SourceSpider):
        raise TypeError(f"the crawler runs a {type(crawler.spider).__name__}, not a SourceSpider")
    return crawler.spider


class ReadPage(NamedTuple):
    """What the page state records of a product page once its item is filed."""

    product_id: int
    digest: str
    etag: str | None
    last_modified: str | None


class SourceSpider(scrapy.Spider):
    """Spider of one source: reads its listings first, then the product pages that are due.

    Delay, concurrency and robots.txt come from the settings alone. ``contracts``: the contract of each dataset; one of
    them is ``products``. ``page_version``: raise it when the spider extracts more from a product page than before, so
    that every page is read again. ``ready``: CSS selector to wait for where a browser renders the page, by the name of
    the callback.
    """

    contracts: ClassVar[Mapping[str, Contract]]
    page_version: ClassVar[int] = 1
    ready: ClassVar[Mapping[str, str]] = {}

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job
        self.coverage = {
            dataset: Coverage(job.saved_pages_folder, contract, job.now) for dataset, contract in self.contracts.items()
        }
        self.page_state = PageState(job.folder / "pages.sqlite", job.now, job.settings.page_age, self.page_version)
        if job.previous_pages_file.is_file():
            with job.previous_pages_file.open("rb") as lines:
                self.page_state.load(map(PAGE_ROW.validate_json, lines))
        for read in self._taken_over():
            self.page_state.take_over(read.page, with_item=read.item is not None)
        self.checkpoints = Checkpoints(job.checkpoints_folder, job.today)
        self.requests_built = 0
        self._pages_requested = 0
        self._pages_received = 0
        self.pages = self.coverage["products"].scope(may_be_empty=True, products="due")
        self._first: list[Request] = []
        self._read_pages: dict[int, ReadPage] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: object, **kwargs: object) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        # Here, so that a listing whose request cannot be built fails the crawl; from `start` it would only be logged.
        spider._first = list(spider.listings())  # noqa: SLF001 (its own)
        crawler.signals.connect(spider.request_due_pages, signals.spider_idle)
        crawler.signals.connect(spider.count_crash, signals.spider_error)
        crawler.signals.connect(spider.count_crash, signals.item_error)
        return spider

    def listings(self) -> Iterable[Request]:
        """Return the first requests of the listings."""
        raise NotImplementedError

    def product_url(self, product_id: int) -> str:
        """Return the URL of a product page."""
        raise NotImplementedError

    def read_page(self, response: Response, product_id: int) -> Iterator[Product | Request]:
        """Yield the item of a product page, or a further request whose callback ends with :meth:`count_product`.

        Raise ``BrokenPage`` if the page is not a product page, ``BadRow`` if it makes no item.
        """
        raise NotImplementedError

    def request_for(self, url: str) -> Request:
        """Return the request for a page of the source, whatever the base URL; its callback may yield further requests.

        Raise ``ValueError`` or ``KeyError`` if the spider reads no such page.
        """
        raise NotImplementedError

    def mask_names(self, response: Response) -> Response:
        """Return the response without names of customers. Override it where the source shows names."""
        return response

    async def start(self) -> AsyncIterator[Request]:
        for request in self._first:
            yield request

    def request_due_pages(self) -> None:
        """Request the next due product pages. An idle spider has read every listing."""
        try:
            due = self.page_state.claim_due(MAX_CLAIMED)
            for page in due:
                self.crawler.engine.crawl(self._page_request(page))
        except Exception as error:
            self._count_crash("products", self.name, error, (self.pages,))
            raise
        if due:
            raise DontCloseSpider

    def count_crash(self, failure: Failure, response: Response | Failure | None) -> None:
        """Mark the scopes of a page incomplete if our own code failed on it; Scrapy only logs that."""
        request: Request | None = getattr(response, "request", None)
        if request is None or "dataset" not in request.meta:
            self._count_crash("products", self.name, failure.value, (self.pages,))
        else:
            self._count_crash(request.meta["dataset"], request.url, failure.value, request.cb_kwargs["scopes"])

    def build_request(
        self,
        url: str,
        callback: Callable[..., Any],
        dataset: str,
        scopes: Sequence[Scope],
        priority: int = 0,
        **callback_arguments: object,
    ) -> Request:
        """Build the request for a page of the scopes, which stay incomplete until the callback has read it."""
        self.requests_built += 1
        for scope in scopes:
            scope.requested += 1
        return Request(
            url,
            callback,
            errback=lambda failure: self.unreachable(failure, dataset, scopes),
            cb_kwargs={"scopes": scopes, **callback_arguments},
            meta={"dataset": dataset},
            priority=priority,
            dont_filter=True,
        )

    @property
    def pages_report(self) -> PagesReport:
        """How many product pages were requested and received so far."""
        return PagesReport(requested=self._pages_requested, received=self._pages_received)

    def unreachable(self, failure: Failure, dataset: str, scopes: Sequence[Scope]) -> None:
        """Count a page that was not received; the error page is saved without names."""
        if isinstance(failure.value, HttpError):
            failure.value.response = self.mask_names(failure.value.response)
        self.coverage[dataset].unreachable(failure, scopes)

    def parse_page(self, response: Response, scopes: Sequence[Scope], product_id: int) -> Iterator[Product | Request]:
        """Read a product page, unless it is gone or unchanged."""
        self._pages_received += 1
        response = self.mask_names(response)
        coverage = self.coverage["products"]
        if response.status in GONE:
            coverage.gone(response, scopes)
            self.checkpoints.add(self.page_state.mark_gone(product_id), None)
            return
        with coverage.reading(response, scopes):
            if response.status == 304:
                self.checkpoints.add(self.page_state.mark_unchanged(product_id), None)
                return
            try:
                for found in self.read_page(response, product_id):
                    yield self.count_product(found, response, product_id) if isinstance(found, Item) else found
            except BadRow as error:
                coverage.bad_row(error, response, scopes)

    def count_product(self, product: Product, response: Response, product_id: int) -> Product:
        """Count the item of a product page, whose ``response`` it is. :meth:`mark_filed` marks the page as read.

        Return it with the fields that could not be read.
        """
        if unread := self.coverage["products"].take_unread(response):
            product = product.model_copy(update={"unread": (*product.unread, *sorted(unread))})
        self.coverage["products"].count_item(product, self.pages, response)
        content = product.model_dump_json(exclude={"observed_at"}).encode()
        digest = blake2b(content, digest_size=8).hexdigest()
        self._read_pages[self._product_id(product)] = ReadPage(product_id, digest, *validators_of(response))
        return product

    def mark_filed(self, item: Item, line: str) -> None:
        """Mark the page of an item as read, now that the item is filed as ``line``. An incomplete page stays due."""
        if item.dataset == "products" and (page := self._read_pages.pop(self._product_id(item), None)):
            self.checkpoints.add(self.page_state.mark_read(*page), line)

    def correct_items(self) -> None:
        """Correct the files of items at the end of the crawl by what later pages have shown."""

    def taken_over_items(self) -> Iterator[Product]:
        """Yield the items that killed crawls left and this crawl did not read anew."""
        for read in self._taken_over():
            if read.item is not None and self.page_state.claim_taken_over_item(read.page.product_id):
                self.coverage["products"].count_item(read.item, self.pages, None)
                yield read.item

    def part_request(self, url: str, callback: Callable[..., Any], **callback_arguments: object) -> Request:
        """Build the request for a further part of a product page."""
        return self.build_request(url, callback, "products", (self.pages,), 0, **callback_arguments)

    def page_request(self, product_id: int) -> Request:
        """Build the request for the page of a product, listed or not."""
        self.page_state.mark_listed(product_id, None)
        return self._page_request(DuePage(product_id, None, None))

    def _taken_over(self) -> Iterator[CheckpointPage]:
        """Yield what killed crawls read, the newest first; other page versions are left out."""
        for read in read_taken_over(self.job.taken_over_file):
            if read.page.version == self.page_version:
                yield read

    def _count_crash(self, dataset: str, page: str, error: BaseException | None, scopes: Sequence[Scope]) -> None:
        reason = f"the spider failed: {type(error).__name__}: {' '.join(str(error).split())}"
        self.coverage[dataset].fail(scopes, "page", page, reason, None)

    def _product_id(self, product: Item) -> int:
        product_id: int = getattr(product, self.contracts["products"].product_id)
        return product_id

    def _page_request(self, page: DuePage) -> Request:
        self._pages_requested += 1
        url = self.product_url(page.product_id)
        request = self.build_request(url, self.parse_page, "products", (self.pages,), product_id=page.product_id)
        meta = {**request.meta, "handle_httpstatus_list": [304, *GONE]}
        return request.replace(headers=page.headers, meta=meta, errback=self._page_unreachable)

    def _page_unreachable(self, failure: Failure) -> None:
        if isinstance(failure.value, BudgetSpent):
            self._pages_requested -= 1
        self.unreachable(failure, "products", (self.pages,))
