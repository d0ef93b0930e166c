"""Spider middleware that records one page with its responses; :mod:`crawlers.runner.record` starts it."""

import gzip
import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawlers.items import Item
from crawlers.spiders_base.source_spider import source_spider_of

RESPONSES = "responses.json"
HEADERS = ("Content-Type", "ETag", "Last-Modified")
GZIP_FROM = 64 * 1024  # bytes from which a body is stored gzipped


class Recorder:
    """Scrapy spider middleware: requests only the job's page, and records responses until the spider yields items."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._responses: list[dict[str, Any]] = []

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_start(self, start: AsyncIterator[Request]) -> AsyncIterator[Request]:
        spider = source_spider_of(self._crawler)
        self._crawler.signals.disconnect(spider.request_due_pages, signals.spider_idle)
        yield spider.request_for(str(spider.job.record_url))

    def process_spider_input(self, response: Response) -> None:
        spider = source_spider_of(self._crawler)
        folder = spider.job.record_folder
        if folder is None:
            raise RuntimeError("the job has no folder for the recording")
        folder.mkdir(exist_ok=True)
        self._responses.append(_record(spider.mask_names(response), len(self._responses) + 1, folder))
        write_json(folder / RESPONSES, self._responses)

    async def process_spider_output(self, response: Response, result: AsyncIterator[object]) -> AsyncIterator[object]:
        results = [each async for each in result]
        complete = bool(items_in(results))
        for each in results:
            if not (complete and isinstance(each, Request)):
                yield each


def items_in(results: Iterable[object]) -> list[Item]:
    """Return the items among the results of a spider callback, which may contain lists of items."""
    lists = (each if isinstance(each, list) else [each] for each in results)
    return [each for results in lists for each in results if isinstance(each, Item)]


def _record(response: Response, number: int, folder: Path) -> dict[str, Any]:
    """Write the body of a response into the folder. Return its metadata."""
    headers = {name: value.decode("latin-1") for name in HEADERS if (value := response.headers.get(name))}
    name = f"{number}.{'json' if 'json' in headers.get('Content-Type', '') else 'html'}"
    body = response.body
    if len(body) >= GZIP_FROM:
        name, body = f"{name}.gz", gzip.compress(body, mtime=0)
    (folder / name).write_bytes(body)
    return {"url": response.url, "status": response.status, "headers": headers, "body": name}


def write_json(path: Path, value: object) -> None:
    """Write a value as indented JSON."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
