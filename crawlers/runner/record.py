"""Recordings of pages with their items, so that spiders can be tested without the sources.

A recording is a folder: ``meta.json`` (source, URL, the instant the page was read, and its responses in the order of
their requests), a file with the body of each response, and ``items.json``. URLs are those of the real hosts, wherever
the pages came from; names of customers are masked.

A page that yields items is complete. One that yields none needs further responses: a schedule after its prices, a frame
after its page.
"""

import gzip
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scrapy import Request
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from crawlers.items import Item
from crawlers.job import DamagedFile, Job, read_file
from crawlers.parsing import kst_day
from crawlers.registry import sources
from crawlers.run_report import CrawlSummary
from crawlers.runner.crawl import CrawlFailed, check_settings
from crawlers.runner.subprocess import ProcessFailed, run_process
from crawlers.scrapy_process.recorder import RESPONSES, items_in, write_json
from crawlers.settings import CrawlSettings
from crawlers.spiders_base.source_spider import SourceSpider


def record(url: str, folder: Path, now: datetime, settings: CrawlSettings) -> list[dict[str, Any]]:
    """Fetch a page as a crawl would, record it in a new ``folder``, and return its items.

    ``url``: a URL under a base URL or on the real host. ``now`` (aware) is when the page counts as read. Raise
    :class:`CrawlFailed` if no spider reads such a page, or if it cannot be fetched.
    """
    source = _source_of(url, settings)
    check_settings(source, settings)
    if folder.exists():
        raise CrawlFailed(f"{folder} exists already: remove it, or choose another --name")
    with _spider(source, now, settings) as spider:
        _first_request(spider, url)
    with TemporaryDirectory(prefix="ukok-record-") as temporary:
        crawled, recorded = Path(temporary) / "crawl", Path(temporary) / "recorded"
        crawled.mkdir()
        job = _job(source, now, settings, crawled).model_copy(update={"record_url": url, "record_folder": recorded})
        try:
            run_process(job, lambda: None)
            failure = None if recorded.is_dir() else _failure(job)
        except (ProcessFailed, DamagedFile) as error:
            raise CrawlFailed(f"{url} could not be recorded: {error}") from error
        if failure is not None:
            raise CrawlFailed(f"{url} could not be recorded: {failure}")
        _finish(recorded, source, url, now, settings)
        items = replay(recorded)
        write_json(recorded / "items.json", items)
        shutil.copytree(recorded, folder)
    return items


def replay(folder: Path) -> list[dict[str, Any]]:
    """Return the items that the spider reads from a recording, each with its ``dataset``."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    responses = {response["url"]: response for response in meta["responses"]}
    with _spider(meta["source"], datetime.fromisoformat(meta["now"]), _real(CrawlSettings())) as spider:
        requests = [_first_request(spider, meta["url"])]
        items: list[Item] = []
        while requests and not items:
            request = requests.pop(0)
            if request.url not in responses:
                raise ValueError(f"{folder} has no response for {request.url}: record the page again")
            results = _call(request, _response(folder, responses[request.url], request))
            items = items_in(results)
            requests += [each for each in results if isinstance(each, Request)]
    return [{"dataset": item.dataset} | item.model_dump(mode="json") for item in items]


def _finish(folder: Path, source: str, url: str, now: datetime, settings: CrawlSettings) -> None:
    """Write ``meta.json``, with the URLs of the real hosts."""
    responses = json.loads((folder / RESPONSES).read_text(encoding="utf-8"))
    (folder / RESPONSES).unlink()
    for response in responses:
        response["url"] = _real_url(response["url"], source, settings)
    meta = {"source": source, "url": _real_url(url, source, settings), "now": now.isoformat(), "responses": responses}
    write_json(folder / "meta.json", meta)


def _response(folder: Path, recorded: dict[str, Any], request: Request) -> Response:
    body = (folder / recorded["body"]).read_bytes()
    if recorded["body"].endswith(".gz"):
        body = gzip.decompress(body)
    headers = Headers(recorded["headers"])
    kind = responsetypes.from_args(headers=headers, url=recorded["url"], body=body)
    return kind(recorded["url"], status=recorded["status"], headers=headers, body=body, request=request)


def _call(request: Request, response: Response) -> Sequence[object]:
    if not callable(request.callback):
        raise TypeError(f"the request for {request.url} has no callback")
    return list(request.callback(response, **request.cb_kwargs))


def _first_request(spider: SourceSpider, url: str) -> Request:
    try:
        return spider.request_for(url)
    except (KeyError, ValueError) as error:
        raise CrawlFailed(f"{url} is not a page that the spider of {spider.name} reads: {error}") from error


@contextmanager
def _spider(source: str, now: datetime, settings: CrawlSettings) -> Iterator[SourceSpider]:
    """Yield a spider of a source without a crawl."""
    loader = SpiderLoader(Settings({"SPIDER_MODULES": list(settings.spider_modules)}))
    with TemporaryDirectory(prefix="ukok-replay-") as folder:
        spider_class = loader.load(source)
        if not issubclass(spider_class, SourceSpider):
            raise TypeError(f"{spider_class.__name__} is not a SourceSpider")
        spider = spider_class(_job(source, now, settings, Path(folder)))
        try:
            yield spider
        finally:
            spider.page_state.close()
            spider.checkpoints.close()


def _job(source: str, now: datetime, settings: CrawlSettings, folder: Path) -> Job:
    return Job(
        source=source,
        day=kst_day(now),
        days=1,
        now=now,
        settings=settings,
        folder=folder,
        requests_left=settings.crawl_daily_requests,
    )


def _source_of(url: str, settings: CrawlSettings) -> str:
    for source in sources(settings):
        if any(_under(url, base) for bases in _bases(source, settings) for base in bases):
            return source
    known = [base for source in sources(settings) for base in settings.bases(source)]
    raise CrawlFailed(f"{url} belongs to no source: their base URLs are {', '.join(known)}")


def _real(settings: CrawlSettings) -> CrawlSettings:
    """Return the settings with the base URLs of the real hosts."""
    return CrawlSettings.model_construct(spider_modules=settings.spider_modules, more_urls=settings.more_urls)


def _bases(source: str, settings: CrawlSettings) -> list[tuple[str, str]]:
    """Return each base URL of a source with that of the real host."""
    return list(zip(settings.bases(source), _real(settings).bases(source), strict=True))


def _real_url(url: str, source: str, settings: CrawlSettings) -> str:
    for base, real in _bases(source, settings):
        if _under(url, base):
            return real + url.removeprefix(base)
    return url


def _under(url: str, base: str) -> bool:
    return url.startswith((f"{base}/", f"{base}?"))


def _failure(job: Job) -> str:
    """Return why the page was not received: the first fault of the crawl."""
    summary = read_file(job.summary_file, CrawlSummary)
    faults = [fault.reason for part in summary.datasets.values() for fault in part.faults]
    return faults[0] if faults else "no response"
