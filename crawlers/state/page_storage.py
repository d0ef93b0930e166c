"""Page state between the folder of a crawl and the artifact store: the raw dataset ``pages`` of a source."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

import orjson

from artifacts.raw import RawRun, instant_of, list_runs, read_items, read_typed_items, write_run
from artifacts.store import Store
from crawlers.job import Job
from crawlers.run_report import CrawlRunReport, read_crawl_report
from crawlers.state.page_state import PAGE_ROW, PageRow

PAGES = "pages"


def load_page_state(store: Store, job: Job, rejected: Iterable[RawRun] = ()) -> None:
    """Write the page state that the last crawl left into the job's folder; an empty file at the first crawl.

    Pages whose items are in the ``rejected`` files, which a load held back, count as not read. Raise
    ``UnreadableReport`` or ``UnreadableItems`` if the state is damaged or of another schema version.
    """
    runs = list_runs(store, job.source, PAGES)
    with job.previous_pages_file.open("wb") as file:
        if runs:
            read_crawl_report(store, runs[-1])
            pages = _pages_of(store, rejected)
            rows = (_unless_rejected(row, pages) for row in read_typed_items(store, runs[-1], PAGE_ROW))
            file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _pages_of(store: Store, runs: Iterable[RawRun]) -> dict[int, datetime]:
    """Return the products of files, oldest first, each with the instant of the newest file."""
    return {
        int(product_id): instant_of(run)
        for run in runs
        for item in read_items(store, run)
        if (product_id := item.get("kok_product_id") or item.get("source_product_id"))
    }


def _unless_rejected(row: PageRow, rejected: Mapping[int, datetime]) -> PageRow:
    """Return the row of a page, as never read if what was read was rejected."""
    at = rejected.get(row.product_id)
    if at is None or row.read_at is None or datetime.fromisoformat(row.read_at) > at:
        return row
    return replace(row, read_at=None, read_listed=None, version=None, etag=None, last_modified=None, digest=None)


def store_page_state(store: Store, job: Job, report: CrawlRunReport, *, held_back: bool) -> None:
    """Store the page state that a crawl leaves. Call it last: every page that counts as read is in the raw zone then.

    A file that is held back is not loaded, so the product pages of the run count as not read: the previous state stays.
    """
    path = job.previous_pages_file if held_back else job.pages_file
    with path.open(encoding="utf-8") as lines:
        write_run(store, RawRun(report.run_id, job.source, PAGES, job.today), map(json.loads, lines), report)
