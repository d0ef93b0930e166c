"""Items of a crawl on their way to the raw zone: a file for each dataset, and a summary when the crawl is over."""

import json
from collections import Counter
from typing import BinaryIO, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler

from crawlers.items import Item
from crawlers.source import SourceSpider


class Feed:
    """Scrapy item pipeline: writes each item as a line of its dataset's file, and the summary last."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._requests: Counter[str | None] = Counter()
        self._files: dict[str, BinaryIO] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        feed = cls(crawler)
        crawler.signals.connect(feed.count_request, signals.request_reached_downloader)
        return feed

    def open_spider(self) -> None:
        spider = self._spider()
        self._files = {dataset: spider.job.items_file(dataset).open("wb") for dataset in spider.coverage}

    def count_request(self, request: Request) -> None:
        self._requests[request.meta.get("dataset")] += 1

    def process_item(self, item: Item) -> Item:
        self._files[item.dataset].write(item.model_dump_json().encode() + b"\n")
        return item

    def close_spider(self) -> None:
        spider = self._spider()
        for file in self._files.values():
            file.close()
        spider.memory.dump(spider.job.remembered_file)
        spider.memory.close()
        summary = {
            dataset: coverage.report() | {"requests": self._requests[dataset]}
            for dataset, coverage in spider.coverage.items()
        }
        spider.job.summary_file.write_text(json.dumps(summary, ensure_ascii=False), encoding="utf-8")

    def _spider(self) -> SourceSpider:
        spider = self._crawler.spider
        if not isinstance(spider, SourceSpider):
            raise TypeError(f"the feed serves spiders of our sources, not {type(spider).__name__}")
        return spider
