"""Page state between the folder of a crawl and the artifact store: the raw dataset ``pages`` of a source."""

import json

import orjson

from artifacts.raw import RawRun, list_runs, read_typed_items, write_run
from artifacts.store import Store
from crawlers.job import Job
from crawlers.run_report import CrawlRunReport, read_crawl_report
from crawlers.state.page_state import PAGE_ROW

PAGES = "pages"


def load_page_state(store: Store, job: Job) -> None:
    """Write the page state that the last crawl left into the job's folder; an empty file at the first crawl.

    Raise ``UnreadableReport`` or ``UnreadableItems`` if it is damaged or of another schema version.
    """
    runs = list_runs(store, job.source, PAGES)
    with job.previous_pages_file.open("wb") as file:
        if runs:
            read_crawl_report(store, runs[-1])
            rows = read_typed_items(store, runs[-1], PAGE_ROW)
            file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def store_page_state(store: Store, job: Job, report: CrawlRunReport, *, held_back: bool) -> None:
    """Store the page state that a crawl leaves. Call it last: every page that counts as read is in the raw zone then.

    A file that is held back is not loaded, so the product pages of the run count as not read: the previous state stays.
    """
    path = job.previous_pages_file if held_back else job.pages_file
    with path.open(encoding="utf-8") as lines:
        write_run(store, RawRun(report.run_id, job.source, PAGES, job.today), map(json.loads, lines), report)
