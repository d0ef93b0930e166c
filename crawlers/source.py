"""What all spiders share: requests that are accounted for, and product pages that are read when they are due."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from json import loads
from typing import Any, ClassVar, Self

import scrapy
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Response

from crawlers.contracts import BadRow, Contract
from crawlers.coverage import Coverage, Scope
from crawlers.items import HomeShoppingProduct, Item, KokProduct
from crawlers.job import Job
from crawlers.memory import DuePage, PageMemory

Product = KokProduct | HomeShoppingProduct
AT_ONCE = 500  # product pages waiting in memory


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
        self.pages = self.coverage["products"].scope(may_rest=True, products="due")

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: object, **kwargs: object) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.ask_due_pages, signals.spider_idle)
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

    async def start(self) -> AsyncIterator[Request]:
        for request in self.listings():
            yield request

    def ask_due_pages(self) -> None:
        """When nothing is under way any more, every listing was read: go on with product pages, some at a time."""
        due = self.memory.due(AT_ONCE)
        if not due or self.crawler.engine is None:
            return
        for page in due:
            self.crawler.engine.crawl(self._page_request(page))
        raise DontCloseSpider

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
        for scope in scopes:
            scope.asked += 1
        return Request(
            url,
            callback,
            errback=lambda failure: self.coverage[dataset].unreachable(failure, scopes),
            cb_kwargs={"scopes": scopes, **callback_arguments},
            meta={"dataset": dataset},
            priority=priority,
            dont_filter=True,
        )

    def parse_page(self, response: Response, scopes: Sequence[Scope], product_id: int) -> Iterator[Product | Request]:
        """Read a product page, unless it is as it was."""
        coverage = self.coverage["products"]
        with coverage.reading(response, scopes):
            if response.status == 304:
                self.memory.rests(product_id)
                return
            try:
                for found in self.read_page(response, product_id):
                    yield self.found_page(found, response, product_id) if isinstance(found, Item) else found
            except BadRow as error:
                coverage.bad_row(error, response, scopes)

    def found_page(self, product: Product, response: Response, product_id: int) -> Product:
        """Count the item of a product page and remember the page; ``response`` is the page's own."""
        self.coverage["products"].found(product, self.pages, response)
        content = product.model_dump_json(exclude={"observed_at"}).encode()
        header = {name: response.headers.get(name) for name in ("ETag", "Last-Modified")}
        etag, last_modified = (value.decode("latin-1") if value else None for value in header.values())
        self.memory.read(product_id, blake2b(content, digest_size=8).hexdigest(), etag, last_modified)
        return product

    def ask_part(self, url: str, callback: Callable[..., Any], **callback_arguments: object) -> Request:
        """A request for a further part of a product page."""
        return self.ask(url, callback, "products", (self.pages,), 0, **callback_arguments)

    def _page_request(self, page: DuePage) -> Request:
        url = self.product_url(page.product_id)
        request = self.ask(url, self.parse_page, "products", (self.pages,), product_id=page.product_id)
        meta = {**request.meta, "handle_httpstatus_list": [304]}
        return request.replace(headers=page.headers, meta=meta)
