"""Request budget of a source: how many requests all of its runs made on a Korean day, killed runs included."""

from datetime import date

from artifacts.raw import list_runs
from artifacts.store import Store
from crawlers.run_report import read_crawl_report
from crawlers.state.checkpoints import TakenOver
from crawlers.state.page_storage import PAGES


def requests_of_day(store: Store, source: str, day: date, taken_over: TakenOver) -> int:
    """Count the requests to a source on a day. ``taken_over``: checkpoints of runs that are not in the raw zone.

    A run counts once, though its own report, the report of the run that took it over and its checkpoints may name it.
    """
    by_run = dict(taken_over.requests)
    for run in list_runs(store, source, PAGES, since=day):
        if run.day == day:
            report = read_crawl_report(store, run)
            for run_id, requests in (report.taken_over | {run.run_id: report.traffic.requests}).items():
                by_run[run_id] = max(by_run.get(run_id, 0), requests)
    return sum(by_run.values())
