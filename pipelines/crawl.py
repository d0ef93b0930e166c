"""Crawl step: crawls a source and records the step's Report."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine

from artifacts.raw import RawRun
from artifacts.store import Store
from crawlers.gates.holds import held_sentences
from crawlers.job import Progress
from crawlers.registry import sources
from crawlers.report.figures import CrawlReport, gather
from crawlers.report.run_index import FinishedCrawl, find_crawl, read_crawl
from crawlers.run_report import CrawlRunReport, read_crawl_report
from crawlers.runner.crawl import crawl
from crawlers.settings import CrawlSettings
from pipelines.errors import PartlyDone
from pipelines.report import Report, record
from pipelines.step_locks import CRAWLED_IMAGES, shared_lock

CRAWL_ID = "run_id"
"""Name of the crawl's run id in the details of a crawl step, which `ukok status` selects by it."""


MIN_SHARE, MIN_PAGES = 0.9, 20
"""Share of the product pages that a crawl must receive, and the number of pages from which it is required."""


class PagesNotReceived(PartlyDone):
    """A crawl received too few of the product pages that were due; what it read is in the raw zone."""


class CrawledSource(NamedTuple):
    """Report of a crawl step, and the crawl report that was published."""

    report: Report
    published: CrawlReport


def crawl_source(
    source: str,
    warehouse: Engine,
    store: Store,
    day: date,
    days: int,
    *,
    now: datetime,
    settings: CrawlSettings,
    watch: Callable[[Progress], None] | None = None,
) -> CrawledSource:
    """Crawl a source into the raw zone: the mall's lists and pages, or ``days`` days of a broadcaster from ``day`` on.

    ``now`` is the present. Scopes that could not be read in full are in the Report with the reason; loading concludes
    nothing from what they lack. Raise ``CrawlFailed`` if the crawl read no item, and, once everything is filed,
    :class:`PagesNotReceived` if too few product pages came.
    """
    images = shared_lock(warehouse, CRAWLED_IMAGES) if settings.crawl_images else nullcontext()
    with record(warehouse, store, f"crawl_{source}") as report, images:
        runs = crawl(source, day, days, now, store, settings, watch)
        run_id = runs[0].run_id
        report.details[CRAWL_ID] = run_id
        crawled = {run: read_crawl_report(store, run) for run in runs}
        report.details["datasets"] = {run.dataset: _figures(run, found, report) for run, found in crawled.items()}
        published = publish_crawl(store, runs[0])
        for found in crawled.values():
            _check_pages(found)
    return CrawledSource(report, published)


def report_crawl(store: Store, name: str | None) -> CrawlReport:
    """Publish the crawl that :func:`~crawlers.report.run_index.find_crawl` finds by ``name``."""
    return _publish(store, find_crawl(store, sources(), name))


def publish_crawl(store: Store, run: RawRun) -> CrawlReport:
    """Publish the crawl that has filed ``run``."""
    return _publish(store, read_crawl(store, run))


def _publish(store: Store, crawl: FinishedCrawl) -> CrawlReport:
    """Write the HTML report of a crawl under the report's ``key``, and return the report."""
    from crawlers.report.page import publish

    report = gather(store, crawl)
    publish(store, report)
    return report


def _check_pages(crawled: CrawlRunReport) -> None:
    """Raise :class:`PagesNotReceived` if too few of many product pages came."""
    pages = crawled.pages
    if pages is None or pages.requested < MIN_PAGES or pages.received >= MIN_SHARE * pages.requested:
        return
    reasons = (f"{fault.reason} [{fault.page}]" for fault in crawled.faults if fault.field == "page")
    raise PagesNotReceived(
        f"crawl of {crawled.source} received only {pages.received:,} of {pages.requested:,} product pages; "
        f"{next(reasons, 'no reason known')}. What was read is kept and can be loaded; the rest stays due: crawl again "
        f"once the source answers, and see `ukok crawl show-fault {crawled.run_id}`"
    )


def _figures(run: RawRun, crawled: CrawlRunReport, report: Report) -> dict[str, Any]:
    report.read += crawled.items
    report.written += crawled.items
    return {
        "file": run.stem,
        "items": crawled.items,
        "requests": crawled.requests,
        "scopes": len(crawled.scopes),
        "incomplete": [f"{scope.label}: {scope.reason}" for scope in crawled.scopes if not scope.complete],
        "faults": sum(fault.count for fault in crawled.faults),
        "held_back": held_sentences(crawled),
    }
