"""Fetch the category lists of the mall once, and print the pages per second.

``python -m tests.bench.crawl_lists ours|plain|tuned PAGES < settings``. ``ours``: our spider, without product pages.
``plain``: a spider that fetches the first PAGES pages of each list and extracts nothing, with the same concurrency,
delay, and robots.txt obeyed, but otherwise Scrapy's own settings, middlewares and extensions. ``tuned``: the same, with
our ``CONCURRENT_ITEMS``, which saves Scrapy 99 tasks for each page. The settings are JSON on standard input.
"""

import json
import logging
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from time import process_time
from typing import Any

import scrapy
from scrapy import Request, signals
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response

from crawlers.items import CATEGORIES
from crawlers.job import Job
from crawlers.scrapy_process.politeness import scrapy_settings
from crawlers.settings import CrawlSettings
from crawlers.spiders.kok import KokSpider
from tests.builders.small_crawl import DAY, NOON

OURS = ("DOWNLOADER_MIDDLEWARES", "SPIDER_MIDDLEWARES", "ITEM_PIPELINES", "EXTENSIONS")


class Lists(KokSpider):
    """Our spider without product pages."""

    def request_due_pages(self) -> None:
        """Request no product pages."""


class Plain(scrapy.Spider):
    """Requests pages and does nothing with them."""

    name = "plain"

    def __init__(self, urls: list[str]) -> None:
        super().__init__()
        self._urls = urls

    async def start(self) -> AsyncIterator[Request]:
        for url in self._urls:
            yield Request(url, dont_filter=True)

    def parse(self, response: Response) -> None:
        """Extract nothing."""


def main() -> None:
    """Crawl, and print pages and pages per second as JSON."""
    kind, pages = sys.argv[1], int(sys.argv[2])
    settings = CrawlSettings.model_validate_json(sys.stdin.read())
    with tempfile.TemporaryDirectory() as folder:
        job = Job(source="kok", day=DAY, days=1, now=NOON, settings=settings, folder=Path(folder), requests_left=10**9)
        options: dict[str, Any] = scrapy_settings(settings, "kok")
        spider: type[scrapy.Spider] = Lists
        arguments: dict[str, Any] = {"job": job}
        if kind != "ours":
            urls = Lists(job).list_url
            spider = Plain
            arguments = {"urls": [urls(category, page + 1) for page in range(pages) for category in CATEGORIES]}
            options = {name: value for name, value in options.items() if name not in OURS}
            if kind == "plain":
                del options["CONCURRENT_ITEMS"]
        process = AsyncCrawlerProcess(options)
        logging.getLogger("scrapy").setLevel(options["LOG_LEVEL"])
        crawler = process.create_crawler(spider)
        process.crawl(crawler, **arguments)
        began: list[float] = []
        crawler.signals.connect(lambda: began.append(process_time()), signals.spider_opened, weak=False)
        process.start()
        stats = crawler.stats
        assert stats is not None
        seconds = stats.get_value("elapsed_time_seconds")
        received = stats.get_value("response_received_count") - 1  # robots.txt
        cpu_ms = 1000 * (process_time() - began[0]) / received
        figures = {"pages": received, "per_second": received / seconds, "cpu_ms": cpu_ms}
        print(json.dumps(figures))  # noqa: T201


if __name__ == "__main__":
    main()
