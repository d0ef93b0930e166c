"""Pages of the sources kept with the items they hold, so that reading them can be tested without the source.

A recording is a folder: ``meta.json`` (source, address, the instant the page was read, and the answers that belong
together in the order in which they were asked for), a file with the body of each answer, and ``items.json``. Addresses
are those of the real hosts, wherever the pages came from; names of customers are masked.

A page that yields items is whole. One that yields none is read on: prices before a schedule, a page before its frame.
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
from crawlers.job import Job
from crawlers.parsing import kst_day
from crawlers.registry import sources
from crawlers.runner.crawl import CrawlFailed, check_manners
from crawlers.runner.subprocess import ProcessFailed, run_process
from crawlers.scrapy_process.recorder import ANSWERS, items_in, write_json
from crawlers.settings import CrawlSettings
from crawlers.spiders_base.source_spider import SourceSpider


def record(url: str, folder: Path, now: datetime, settings: CrawlSettings) -> list[dict[str, Any]]:
    """Fetch a page as a crawl would, keep it in a new ``folder`` as a recording, and return its items.

    ``url``: an address under a base URL or on the real host. ``now`` (aware) is when the page counts as read. Raises
    :class:`CrawlFailed` when no spider reads such a page, or when it does not come.
    """
    source = _source_of(url, settings)
    check_manners(source, settings)
    if folder.exists():
        raise CrawlFailed(f"{folder} is there already: remove it, or choose another --name")
    with _spider(source, now, settings) as spider:
        _first_request(spider, url)
    with TemporaryDirectory(prefix="ukok-record-") as temporary:
        crawled, recorded = Path(temporary) / "crawl", Path(temporary) / "recorded"
        crawled.mkdir()
        job = _job(source, now, settings, crawled).model_copy(update={"page": url, "recorded": recorded})
        try:
            run_process(job, lambda: None)
        except ProcessFailed as error:
            raise CrawlFailed(f"{url} could not be recorded: {error}") from error
        if not recorded.is_dir():
            raise CrawlFailed(f"{url} could not be recorded: {_reason(job)}")
        _finish(recorded, source, url, now, settings)
        items = replay(recorded)
        write_json(recorded / "items.json", items)
        shutil.copytree(recorded, folder)
    return items


def replay(folder: Path) -> list[dict[str, Any]]:
    """Read a recording again: the items of its page, each with its ``dataset``."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    answers = {answer["url"]: answer for answer in meta["answers"]}
    with _spider(meta["source"], datetime.fromisoformat(meta["now"]), _real(CrawlSettings())) as spider:
        requests = [_first_request(spider, meta["url"])]
        items: list[Item] = []
        while requests and not items:
            request = requests.pop(0)
            if request.url not in answers:
                raise ValueError(f"{folder} has no answer for {request.url}: record the page again")
            found = _call(request, _response(folder, answers[request.url], request))
            items = items_in(found)
            requests += [each for each in found if isinstance(each, Request)]
    return [{"dataset": item.dataset} | item.model_dump(mode="json") for item in items]


def _finish(folder: Path, source: str, url: str, now: datetime, settings: CrawlSettings) -> None:
    """Write what a recording says of itself, with the addresses of the real hosts."""
    answers = json.loads((folder / ANSWERS).read_text(encoding="utf-8"))
    (folder / ANSWERS).unlink()
    for answer in answers:
        answer["url"] = _real_url(answer["url"], source, settings)
    meta = {"source": source, "url": _real_url(url, source, settings), "now": now.isoformat(), "answers": answers}
    write_json(folder / "meta.json", meta)


def _response(folder: Path, answer: dict[str, Any], request: Request) -> Response:
    body = (folder / answer["body"]).read_bytes()
    if answer["body"].endswith(".gz"):
        body = gzip.decompress(body)
    headers = Headers(answer["headers"])
    kind = responsetypes.from_args(headers=headers, url=answer["url"], body=body)
    return kind(answer["url"], status=answer["status"], headers=headers, body=body, request=request)


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
    """A spider of a source without a crawl around it."""
    loader = SpiderLoader(Settings({"SPIDER_MODULES": list(settings.spider_modules)}))
    with TemporaryDirectory(prefix="ukok-replay-") as folder:
        spider_class = loader.load(source)
        if not issubclass(spider_class, SourceSpider):
            raise TypeError(f"{spider_class.__name__} is no SourceSpider")
        spider = spider_class(_job(source, now, settings, Path(folder)))
        try:
            yield spider
        finally:
            spider.memory.close()
            spider.parts.close()


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
    raise CrawlFailed(f"{url} is of no source: their base URLs are {', '.join(known)}")


def _real(settings: CrawlSettings) -> CrawlSettings:
    """The settings with the base URLs of the real hosts."""
    return CrawlSettings.model_construct(spider_modules=settings.spider_modules, more_urls=settings.more_urls)


def _bases(source: str, settings: CrawlSettings) -> list[tuple[str, str]]:
    """Each base URL of a source, and the real host that it stands for."""
    return list(zip(settings.bases(source), _real(settings).bases(source), strict=True))


def _real_url(url: str, source: str, settings: CrawlSettings) -> str:
    for base, real in _bases(source, settings):
        if _under(url, base):
            return real + url.removeprefix(base)
    return url


def _under(url: str, base: str) -> bool:
    return url.startswith((f"{base}/", f"{base}?"))


def _reason(job: Job) -> str:
    """Why the page did not come: the first fault of the crawl."""
    summary = json.loads(job.summary_file.read_text(encoding="utf-8"))
    faults = [fault["reason"] for part in summary.values() for fault in part["faults"]]
    return faults[0] if faults else "nothing was answered"
