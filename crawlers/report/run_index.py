"""Index of finished crawls: those in the raw zone, and those that failed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from artifacts.raw import REPORT, RawRun, load_report
from artifacts.store import Store
from crawlers.gates.gate import LISTINGS
from crawlers.gates.holds import Holds, read_holds
from crawlers.run_report import CrawlRunReport, FailedCrawlReport, read_crawl_report
from crawlers.state.image_storage import IMAGES
from crawlers.state.page_storage import PAGES

DATASETS = (*LISTINGS, "products", PAGES, IMAGES)  # all that a crawl may file
MAX_NAMED = 5  # newest crawls that an error message names
FAILED = "/report.json"


class NoSuchCrawl(ValueError):
    """No crawl, or more than one, has this name; the message names existing ones."""


@dataclass(frozen=True)
class FinishedCrawl:
    """A crawl of a source and the report of each of its datasets.

    ``failed``: why the crawl read no item. ``runs``: its raw runs; a failed crawl has none. ``holds``: what of each
    dataset is held back.
    """

    source: str
    run_id: str
    reports: dict[str, CrawlRunReport]
    runs: list[RawRun]
    failed: str | None = None
    holds: dict[str, Holds] = field(default_factory=dict)


def find_crawl(store: Store, sources: Sequence[str], name: str | None = None) -> FinishedCrawl:
    """Find a crawl by its id, a unique prefix of it, or a source for its newest; None is the newest of all sources.

    Raise :class:`NoSuchCrawl` if that is not exactly one.
    """
    searched = [source for source in sources if source == name] or sources
    crawls = _crawls(store, searched)
    newest_first = sorted(crawls, reverse=True)
    if name is None or name in sources:
        found = newest_first[:1]
    else:
        found = [crawl for crawl in newest_first if crawl[0].startswith(name)]
    if len(found) != 1:
        raise NoSuchCrawl(_not_one(name, found, newest_first))
    run_id, source = found[0]
    return _read(store, source, run_id, crawls[run_id, source])


def read_crawl(store: Store, run: RawRun) -> FinishedCrawl:
    """Read the crawl that has filed ``run``, without a search among all crawls."""
    names = (f"raw/{run.source}/{dataset}/dt={run.day}/{run.run_id}" for dataset in DATASETS)
    keys = [key for name in names for key in store.list(name) if key.endswith(REPORT)]
    return _read(store, run.source, run.run_id, sorted(keys))


def _crawls(store: Store, sources: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    """Return the keys of the reports of each crawl, by run id and source."""
    crawls: dict[tuple[str, str], list[str]] = {}
    for source in sources:
        for key in store.list(f"raw/{source}/"):
            if key.endswith(REPORT):
                crawls.setdefault((key.split("/")[-1].removesuffix(REPORT), source), []).append(key)
        for key in store.list(f"faults/{source}/"):
            if key.endswith(FAILED):
                crawls.setdefault((key.split("/")[-2], source), []).append(key)
    return crawls


def _read(store: Store, source: str, run_id: str, keys: Iterable[str]) -> FinishedCrawl:
    runs = []
    for key in keys:
        if key.startswith("faults/"):
            failed = load_report(store, key, FailedCrawlReport)
            return FinishedCrawl(source, run_id, failed.datasets, [], failed.failed)
        _, _, dataset, partition, _ = key.split("/")
        runs.append(RawRun(run_id, source, dataset, date.fromisoformat(partition.removeprefix("dt="))))
    reports = {run.dataset: read_crawl_report(store, run) for run in runs}
    holds = {run.dataset: read_holds(store, run, reports[run.dataset]) for run in runs}
    return FinishedCrawl(source, run_id, reports, sorted(runs), holds=holds)


def _not_one(name: str | None, found: list[tuple[str, str]], newest_first: list[tuple[str, str]]) -> str:
    if found:
        return f"{len(found)} runs begin with {name!r}: {_listed(found)}"
    known = f"the newest are {_listed(newest_first)}" if newest_first else "nothing has been crawled yet"
    return known if name is None else f"no run {name!r}; {known}"


def _listed(crawls: list[tuple[str, str]]) -> str:
    return ", ".join(f"{run_id} ({source})" for run_id, source in crawls[:MAX_NAMED])
