"""How many requests a source had on a Korean day, over all of its runs, the killed ones included."""

from datetime import date

from artifacts.raw import list_runs, read_report
from artifacts.store import Store
from crawlers.state.checkpoints import Left

MEMORY = "pages"  # the dataset of what is remembered of product pages; each run writes it last


def requests_of_day(store: Store, source: str, day: date, left: Left) -> int:
    """Requests to a source on a day; ``left``: what runs left that are not in the raw zone.

    A run counts once, though it may be told of in its own report, in that of the run that took it over, and in parts.
    """
    by_run = dict(left.requests)
    for run in list_runs(store, source, MEMORY, since=day):
        if run.day == day:
            report = read_report(store, run)
            for run_id, requests in (report["taken_over"] | {run.run_id: report["traffic"]["requests"]}).items():
                by_run[run_id] = max(by_run.get(run_id, 0), requests)
    return sum(by_run.values())
