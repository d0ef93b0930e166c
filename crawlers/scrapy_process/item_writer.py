"""Item pipeline that writes the items of a crawl to files, and the summary when the crawl is over."""

from collections import Counter
from time import monotonic
from typing import BinaryIO, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.utils.asyncio import create_looping_call

from crawlers.items import ItemOrItems
from crawlers.job import Progress
from crawlers.run_report import CrawlSummary
from crawlers.scrapy_process.crawl_stats import CrawlStats, requests_sent
from crawlers.spiders_base.source_spider import SourceSpider, source_spider_of

PROGRESS_SECONDS = 1


class ItemWriter:
    """Scrapy item pipeline: writes each item as a line of its dataset's file, and the progress every second.

    A product page counts as read only once its item is written.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._requests: Counter[str | None] = Counter()
        self._files: dict[str, BinaryIO] = {}
        self._items = 0
        self._started = monotonic()
        self._progress = create_looping_call(self._write_progress)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        writer = cls(crawler)
        crawler.signals.connect(writer.count_request, signals.request_reached_downloader)
        return writer

    def open_spider(self) -> None:
        spider = self._spider
        self._files = {dataset: spider.job.items_file(dataset).open("wb") for dataset in spider.coverage}
        self._progress.start(PROGRESS_SECONDS)

    def count_request(self, request: Request) -> None:
        """Count a request of a dataset; Scrapy counts those of the whole crawl."""
        self._requests[request.meta.get("dataset")] += 1

    def process_item(self, item: ItemOrItems) -> ItemOrItems:
        spider = self._spider
        for each in item if isinstance(item, list) else [item]:
            line = each.model_dump_json()
            self._write(each.dataset, line)
            spider.mark_filed(each, line)
        spider.checkpoints.rotate(requests_sent(self._crawler))
        return item

    def close_spider(self) -> None:
        spider = self._spider
        self._progress.stop()
        for item in spider.taken_over_items():
            self._write(item.dataset, item.model_dump_json())
        for file in self._files.values():
            file.close()
        spider.correct_items()
        spider.page_state.dump(spider.job.pages_file)
        spider.page_state.close()
        spider.checkpoints.finish(requests_sent(self._crawler))
        stats = self._crawler.get_extension(CrawlStats)
        if stats is None:
            raise RuntimeError("the settings of this crawl lack the extension CrawlStats")
        datasets = {name: coverage.summary(self._requests[name]) for name, coverage in spider.coverage.items()}
        datasets["products"] = datasets["products"].model_copy(update={"pages": spider.pages_report})
        summary = CrawlSummary(datasets=datasets, traffic=stats.report())
        spider.job.summary_file.write_text(summary.model_dump_json(), encoding="utf-8")

    def _write(self, dataset: str, line: str) -> None:
        self._files[dataset].write(line.encode() + b"\n")
        self._items += 1

    def _write_progress(self) -> None:
        spider, requests = self._spider, requests_sent(self._crawler)
        spider.checkpoints.rotate(requests)
        progress = Progress(
            requests=requests,
            known=max(requests, spider.requests_built) + spider.page_state.count_unclaimed(),
            items=self._items,
            seconds=monotonic() - self._started,
        )
        new = spider.job.progress_file.with_suffix(".new")
        new.write_text(progress.model_dump_json(), encoding="utf-8")
        new.replace(spider.job.progress_file)

    @property
    def _spider(self) -> SourceSpider:
        return source_spider_of(self._crawler)
