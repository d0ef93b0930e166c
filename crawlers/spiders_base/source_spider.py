"""What all spiders share: requests that are accounted for, and product pages that are read when they are due."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from json import loads
from typing import Any, ClassVar, NamedTuple, Self

import scrapy
from pydantic import TypeAdapter, ValidationError
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from crawlers.items import HomeShoppingProduct, Item, KokProduct
from crawlers.job import Job
from crawlers.quality.contracts import BadRow, Contract
from crawlers.quality.coverage import Coverage, Scope
from crawlers.state.checkpoints import Parts
from crawlers.state.http_validators import validators_of
from crawlers.state.page_state import DuePage, PageMemory

Product = KokProduct | HomeShoppingProduct
PRODUCT: TypeAdapter[Product] = TypeAdapter(Product)
GONE = (404, 410)
AT_ONCE = 500  # product pages waiting in memory


class Answer(NamedTuple):
    """What is remembered of a product page once its item is filed."""

    product_id: int
    digest: str
    etag: str | None
    last_modified: str | None


class SourceSpider(scrapy.Spider):
    """A spider of one source: first its listings, then the product pages that are due.

    Its manners (delay, concurrency, robots.txt) come from the settings alone. ``page_version`` grows whenever the
    spider reads more from a product page than before, so that every page is read again. ``ready`` names, by the
    callback that reads them, the pages that a browser can render, each with the CSS selector of what must be there.
    ``contracts`` say what the source owes in each dataset; one of them is ``products``.
    """

    contracts: ClassVar[Mapping[str, Contract]]
    page_version: ClassVar[int] = 1
    ready: ClassVar[Mapping[str, str]] = {}

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job
        self.coverage = {dataset: Coverage(job.pages_folder, contract) for dataset, contract in self.contracts.items()}
        self.memory = PageMemory(job.folder / "memory.sqlite", job.now, job.settings.page_age, self.page_version)
        if job.recalled_file.is_file():
            with job.recalled_file.open(encoding="utf-8") as lines:
                self.memory.recall(map(loads, lines))
        for page, product in self._left():
            self.memory.take_over(page, with_item=product is not None)
        self.parts = Parts(job.parts_folder, job.day)
        self.asked = 0
        self.pages = self.coverage["products"].scope(may_rest=True, products="due")
        self._first: list[Request] = []
        self._answers: dict[int, Answer] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: object, **kwargs: object) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        # Now, so that a listing that cannot even be asked for fails the crawl; from `start` it would only be logged.
        spider._first = list(spider.listings())  # noqa: SLF001 (its own)
        crawler.signals.connect(spider.ask_due_pages, signals.spider_idle)
        crawler.signals.connect(spider.count_crash, signals.spider_error)
        crawler.signals.connect(spider.count_crash, signals.item_error)
        return spider

    def listings(self) -> Iterable[Request]:
        """The first requests of the listings."""
        raise NotImplementedError

    def product_url(self, product_id: int) -> str:
        """Address of a product page."""
        raise NotImplementedError

    def read_page(self, response: Response, product_id: int) -> Iterator[Product | Request]:
        """Read a product page: its item, or a further request whose callback ends with :meth:`found_page`.

        Raises ``BrokenPage`` when the page is not one of a product, ``BadRow`` when it makes no item.
        """
        raise NotImplementedError

    def request_for(self, url: str) -> Request:
        """The request for the page at an address of the source, whatever the base URL; further ones may follow from it.

        Raises ``ValueError`` or ``KeyError`` when the spider reads no such page.
        """
        raise NotImplementedError

    def without_names(self, response: Response) -> Response:
        """An answer without the names of customers, if it has any: nothing of them is to leave the spider."""
        return response

    async def start(self) -> AsyncIterator[Request]:
        for request in self._first:
            yield request

    def ask_due_pages(self) -> None:
        """When nothing is under way any more, every listing was read: go on with product pages, some at a time."""
        try:
            due = self.memory.due(AT_ONCE)
            for page in due:
                self.crawler.engine.crawl(self._page_request(page))
        except Exception as error:
            self._crashed("products", self.name, error, (self.pages,))
            raise
        if due:
            raise DontCloseSpider

    def count_crash(self, failure: Failure, response: Response | Failure | None) -> None:
        """Count a page at which our own code failed, which Scrapy only logs: what hangs on it is not complete."""
        request: Request | None = getattr(response, "request", None)
        if request is None or "dataset" not in request.meta:
            self._crashed("products", self.name, failure.value, (self.pages,))
        else:
            self._crashed(request.meta["dataset"], request.url, failure.value, request.cb_kwargs["scopes"])

    def ask(
        self,
        url: str,
        callback: Callable[..., Any],
        dataset: str,
        scopes: Sequence[Scope],
        priority: int = 0,
        **callback_arguments: object,
    ) -> Request:
        """A request for a page of the scopes, which stay incomplete until the callback has read it."""
        self.asked += 1
        for scope in scopes:
            scope.asked += 1
        return Request(
            url,
            callback,
            errback=lambda failure: self.unreachable(failure, dataset, scopes),
            cb_kwargs={"scopes": scopes, **callback_arguments},
            meta={"dataset": dataset},
            priority=priority,
            dont_filter=True,
        )

    def unreachable(self, failure: Failure, dataset: str, scopes: Sequence[Scope]) -> None:
        """Count a page that did not come; what came in its place is kept without names."""
        if isinstance(failure.value, HttpError):
            failure.value.response = self.without_names(failure.value.response)
        self.coverage[dataset].unreachable(failure, scopes)

    def parse_page(self, response: Response, scopes: Sequence[Scope], product_id: int) -> Iterator[Product | Request]:
        """Read a product page, unless it is as it was."""
        response = self.without_names(response)
        coverage = self.coverage["products"]
        if response.status in GONE:
            coverage.gone(response, scopes)
            self.parts.add(self.memory.gone(product_id), None)
            return
        with coverage.reading(response, scopes):
            if response.status == 304:
                self.parts.add(self.memory.rests(product_id), None)
                return
            try:
                for found in self.read_page(response, product_id):
                    yield self.found_page(found, response, product_id) if isinstance(found, Item) else found
            except BadRow as error:
                coverage.bad_row(error, response, scopes)

    def found_page(self, product: Product, response: Response, product_id: int) -> Product:
        """Count the item of a product page, which is remembered when it is filed; ``response`` is the page's own."""
        self.coverage["products"].found(product, self.pages, response)
        content = product.model_dump_json(exclude={"observed_at"}).encode()
        digest = blake2b(content, digest_size=8).hexdigest()
        self._answers[self._product_id(product)] = Answer(product_id, digest, *validators_of(response))
        return product

    def remember(self, item: Item, line: str) -> None:
        """Remember the page of an item that was filed, as ``line``. One that was not read in full stays due."""
        if item.dataset == "products" and (answer := self._answers.pop(self._product_id(item), None)):
            self.parts.add(self.memory.read(*answer), line)

    def taken_over(self) -> Iterator[Product]:
        """Items that killed crawls left and this one did not read anew; they are this crawl's now."""
        for page, product in self._left():
            if product is not None and self.memory.file_taken_over(page["product_id"]):
                self.coverage["products"].found(product, self.pages, None)
                yield product

    def ask_part(self, url: str, callback: Callable[..., Any], **callback_arguments: object) -> Request:
        """A request for a further part of a product page."""
        return self.ask(url, callback, "products", (self.pages,), 0, **callback_arguments)

    def page_request(self, product_id: int) -> Request:
        """A request for the page of a product, listed or not."""
        self.memory.see(product_id, None)
        return self._page_request(DuePage(product_id, None, None))

    def _left(self) -> Iterator[tuple[dict[str, Any], Product | None]]:
        """What killed crawls read, the newest first: page and item. What is read otherwise today is left out."""
        if not self.job.left_file.is_file():
            return
        with self.job.left_file.open(encoding="utf-8") as lines:
            for line in map(loads, lines):
                try:
                    product = None if line["item"] is None else PRODUCT.validate_python(line["item"])
                except ValidationError:  # of an older form; its page is due again
                    continue
                if line["page"]["version"] == self.page_version:
                    yield line["page"], product

    def _crashed(self, dataset: str, page: str, error: BaseException | None, scopes: Sequence[Scope]) -> None:
        reason = f"the spider failed: {type(error).__name__}: {' '.join(str(error).split())}"
        self.coverage[dataset].fail(scopes, "page", page, reason, None)

    def _product_id(self, product: Item) -> int:
        number: int = getattr(product, self.contracts["products"].product_id)
        return number

    def _page_request(self, page: DuePage) -> Request:
        url = self.product_url(page.product_id)
        request = self.ask(url, self.parse_page, "products", (self.pages,), product_id=page.product_id)
        meta = {**request.meta, "handle_httpstatus_list": [304, *GONE]}
        return request.replace(headers=page.headers, meta=meta)
