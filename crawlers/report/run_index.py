"""Crawls that are over, as their reports tell of them: those in the raw zone, and those that brought nothing."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from artifacts.raw import REPORT, RawRun
from artifacts.store import Store

NEWEST = 5  # crawls that are named when the one asked for is not there
FAILED = "/report.json"


class NoSuchCrawl(ValueError):
    """There is no such crawl, or more than one; the message names those that there are."""


@dataclass(frozen=True)
class FinishedCrawl:
    """A crawl of a source and the report of each of its datasets.

    ``failed`` says why a crawl brought nothing; ``runs`` are its raw runs, of which a failed crawl has none.
    """

    source: str
    run_id: str
    reports: dict[str, dict[str, Any]]
    runs: list[RawRun]
    failed: str | None = None


def find_crawl(store: Store, sources: Sequence[str], name: str | None = None) -> FinishedCrawl:
    """A crawl by its id, a unique beginning of it, or a source for its newest; None is the newest of all sources.

    Raises :class:`NoSuchCrawl` when that is not one.
    """
    asked = [source for source in sources if source == name] or sources
    crawls = _crawls(store, asked)
    newest_first = sorted(crawls, reverse=True)
    if name is None or name in sources:
        found = newest_first[:1]
    else:
        found = [crawl for crawl in newest_first if crawl[0].startswith(name)]
    if len(found) != 1:
        raise NoSuchCrawl(_not_one(name, found, newest_first))
    run_id, source = found[0]
    return _read(store, source, run_id, crawls[run_id, source])


def _crawls(store: Store, sources: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    """Keys of the reports of each crawl, by run id and source."""
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
    reports: dict[str, dict[str, Any]] = {}
    runs = []
    for key in keys:
        report: dict[str, Any] = json.loads(store.get(key))
        if "failed" in report:
            parts = report.pop("datasets")
            reports = {dataset: {**report, "dataset": dataset, "items": 0, **part} for dataset, part in parts.items()}
            return FinishedCrawl(source, run_id, reports, [], report["failed"])
        _, _, dataset, partition, _ = key.split("/")
        reports[dataset] = report
        runs.append(RawRun(run_id, source, dataset, date.fromisoformat(partition.removeprefix("dt="))))
    return FinishedCrawl(source, run_id, reports, sorted(runs))


def _not_one(name: str | None, found: list[tuple[str, str]], newest_first: list[tuple[str, str]]) -> str:
    if found:
        return f"{len(found)} runs begin with {name!r}: {_listed(found)}"
    known = f"the newest are {_listed(newest_first)}" if newest_first else "nothing has been crawled yet"
    return known if name is None else f"no run {name!r}; {known}"


def _listed(crawls: list[tuple[str, str]]) -> str:
    return ", ".join(f"{run_id} ({source})" for run_id, source in crawls[:NEWEST])
