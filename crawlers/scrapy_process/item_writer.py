"""Items of a crawl on their way to the raw zone: a file for each dataset, and a summary when the crawl is over."""

import json
from collections import Counter
from time import monotonic
from typing import BinaryIO, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.utils.asyncio import create_looping_call

from crawlers.items import Found
from crawlers.job import Progress
from crawlers.scrapy_process.crawl_stats import Traffic
from crawlers.spiders_base.source_spider import SourceSpider


class Feed:
    """Scrapy item pipeline: writes each item as a line of its dataset's file, and the summary last.

    A product page is remembered when its item is written, and not before. Every second the feed says how far it is.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._requests: Counter[str | None] = Counter()
        self._files: dict[str, BinaryIO] = {}
        self._items = 0
        self._started = monotonic()
        self._ticking = create_looping_call(self._tick)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        feed = cls(crawler)
        crawler.signals.connect(feed.count_request, signals.request_reached_downloader)
        return feed

    def open_spider(self) -> None:
        self._traffic = self._measured()
        spider = self._spider()
        self._files = {dataset: spider.job.items_file(dataset).open("wb") for dataset in spider.coverage}
        self._ticking.start(1)

    def count_request(self, request: Request) -> None:
        self._requests[request.meta.get("dataset")] += 1

    def process_item(self, found: Found) -> Found:
        for item in found if isinstance(found, list) else [found]:
            line = item.model_dump_json()
            self._write(item.dataset, line)
            self._spider().remember(item, line)
        self._spider().parts.turn(self._traffic.requests)
        return found

    def close_spider(self) -> None:
        spider = self._spider()
        self._ticking.stop()
        for item in spider.taken_over():
            self._write(item.dataset, item.model_dump_json())
        for file in self._files.values():
            file.close()
        spider.memory.dump(spider.job.remembered_file)
        spider.memory.close()
        spider.parts.finish(self._traffic.requests)
        traffic = self._traffic.report()
        summary = {
            dataset: coverage.report() | {"requests": self._requests[dataset], "traffic": traffic}
            for dataset, coverage in spider.coverage.items()
        }
        spider.job.summary_file.write_text(json.dumps(summary, ensure_ascii=False), encoding="utf-8")

    def _write(self, dataset: str, line: str) -> None:
        self._files[dataset].write(line.encode() + b"\n")
        self._items += 1

    def _tick(self) -> None:
        spider = self._spider()
        spider.parts.turn(self._traffic.requests)
        progress = Progress(
            requests=self._traffic.requests,
            known=max(self._traffic.requests, spider.asked) + spider.memory.waiting(),
            items=self._items,
            seconds=monotonic() - self._started,
        )
        new = spider.job.progress_file.with_suffix(".new")
        new.write_text(progress.model_dump_json(), encoding="utf-8")
        new.replace(spider.job.progress_file)

    def _measured(self) -> Traffic:
        traffic = self._crawler.get_downloader_middleware(Traffic)
        if traffic is None:
            raise RuntimeError("the traffic of this crawl is not measured: its settings lack the middleware")
        return traffic

    def _spider(self) -> SourceSpider:
        spider = self._crawler.spider
        if not isinstance(spider, SourceSpider):
            raise TypeError(f"the feed serves spiders of our sources, not {type(spider).__name__}")
        return spider
