"""The part of recording a page that happens in the process of the crawl."""

import gzip
import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawlers.items import Item
from crawlers.spiders_base.source_spider import SourceSpider

ANSWERS = "answers.json"
HEADERS = ("Content-Type", "ETag", "Last-Modified")
LARGE = 64 * 1024  # bytes from which on a body is kept gzipped


class Recorder:
    """Scrapy spider middleware: asks for the job's page alone, and keeps what is answered until there are items."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._answers: list[dict[str, Any]] = []

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_start(self, start: AsyncIterator[Request]) -> AsyncIterator[Request]:
        spider = self._spider()
        self._crawler.signals.disconnect(spider.ask_due_pages, signals.spider_idle)
        yield spider.request_for(str(spider.job.page))

    def process_spider_input(self, response: Response) -> None:
        spider = self._spider()
        folder = spider.job.recorded
        if folder is None:
            raise RuntimeError("the job names no folder for a recording")
        folder.mkdir(exist_ok=True)
        self._answers.append(_keep(spider.without_names(response), len(self._answers) + 1, folder))
        write_json(folder / ANSWERS, self._answers)

    async def process_spider_output(self, response: Response, result: AsyncIterator[object]) -> AsyncIterator[object]:
        found = [each async for each in result]
        whole = bool(items_in(found))
        for each in found:
            if not (whole and isinstance(each, Request)):
                yield each

    def _spider(self) -> SourceSpider:
        spider = self._crawler.spider
        if not isinstance(spider, SourceSpider):
            raise TypeError(f"the recorder serves spiders of our sources, not {type(spider).__name__}")
        return spider


def items_in(found: Iterable[object]) -> list[Item]:
    """The items among what a spider has found on a page, of which it may hand over several at once."""
    several = (each if isinstance(each, list) else [each] for each in found)
    return [each for some in several for each in some if isinstance(each, Item)]


def _keep(response: Response, number: int, folder: Path) -> dict[str, Any]:
    """Keep the body of an answer; what else there is to say of it."""
    headers = {name: value.decode("latin-1") for name in HEADERS if (value := response.headers.get(name))}
    name = f"{number}.{'json' if 'json' in headers.get('Content-Type', '') else 'html'}"
    body = response.body
    if len(body) >= LARGE:
        name, body = f"{name}.gz", gzip.compress(body, mtime=0)
    (folder / name).write_bytes(body)
    return {"url": response.url, "status": response.status, "headers": headers, "body": name}


def write_json(path: Path, value: object) -> None:
    """Write a value for people to read."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
