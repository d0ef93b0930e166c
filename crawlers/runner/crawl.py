"""One crawl from start to raw zone.

:func:`crawl` writes a :class:`~crawlers.job.Job` and the state that earlier crawls left into a folder, runs the spider
process on it (`subprocess` starts it, :mod:`crawlers.scrapy_process.main` is its entry point), and files what the
process wrote into the folder. In the process, a spider of :mod:`crawlers.spiders` requests listings, then the product
pages that are due; :mod:`crawlers.scrapy_process.item_writer` writes the items into the folder. Scrapy is imported only
in that process.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import structlog

from artifacts.raw import RawRun, dump_report, new_run_id, write_run
from artifacts.store import Store
from crawlers.gates.gate import LISTINGS, check_listing, check_products
from crawlers.gates.holds import held_sentences, rejected_runs
from crawlers.job import DamagedFile, Job, Progress, read_file
from crawlers.registry import sources
from crawlers.run_report import (
    BudgetReport,
    ContractViolation,
    CrawlRunReport,
    CrawlSummary,
    DatasetSummary,
    FailedCrawlReport,
    FieldFault,
    TrafficReport,
)
from crawlers.runner.days import why_not_served
from crawlers.runner.subprocess import ProcessFailed, read_progress, run_process
from crawlers.settings import CrawlSettings
from crawlers.state.checkpoints import TakenOver, delete_checkpoints, store_checkpoints, take_over_checkpoints
from crawlers.state.image_storage import IMAGES, load_image_state, store_images
from crawlers.state.page_storage import PAGES, load_page_state, store_page_state
from crawlers.state.request_budget import requests_of_day
from ukok.errors import PermanentError

log = structlog.get_logger(__name__)
Entry = TypeVar("Entry", FieldFault, ContractViolation)


class CrawlFailed(RuntimeError):
    """A crawl read no item; the message gives the reason in one line. Nothing of it is in the raw zone."""


class CrawlRefused(PermanentError, CrawlFailed):
    """A crawl was not started: a setting is missing or wrong, or the requests of the day are used up."""


@dataclass(frozen=True)
class _Crawl:
    """A crawl and what it took over: the checkpoints of killed crawls, and the requests of the day so far."""

    job: Job
    run_id: str
    taken_over: TakenOver
    used_before: int

    @property
    def saved_pages_prefix(self) -> str:
        """Prefix of the keys of saved pages, and of the report of a failed crawl."""
        return f"faults/{self.job.source}/{self.run_id}"

    def report(self, dataset: str, summary: CrawlSummary, finished_at: datetime) -> CrawlRunReport:
        """Return the report of a dataset; that of state for the next crawl has no items of its own."""
        part = summary.datasets.get(dataset)
        return CrawlRunReport(
            run_id=self.run_id,
            source=self.job.source,
            dataset=dataset,
            day=self.job.today,
            items=part.items if part else 0,
            started_at=self.job.now.astimezone(UTC),
            finished_at=finished_at,
            taken_over=self.taken_over.requests,
            budget=BudgetReport(limit=self.job.settings.crawl_daily_requests, used_before=self.used_before),
            traffic=summary.traffic,
            requests=part.requests if part else 0,
            scopes=part.scopes if part else [],
            faults=part.faults if part else [],
            contract_check=part.contract_check if part else None,
            pages=part.pages if part else None,
        )


def crawl(
    source: str,
    day: date,
    days: int,
    now: datetime,
    store: Store,
    settings: CrawlSettings,
    watch: Callable[[Progress], None] | None = None,
) -> list[RawRun]:
    """Crawl a source and write one raw run for each dataset; the listing comes first.

    ``source`` is one of :func:`~crawlers.registry.sources`; schedules are read for the KST days from ``day`` on.
    ``now`` (aware) is the present: it stamps the run and its items, whichever days are read. Scopes that could not be
    read in full are marked incomplete in the run report; bodies of pages with faults are saved under
    ``faults/<source>/<run_id>/``. Raise :class:`CrawlFailed` if the source does not serve these days, or if the crawl
    reads no item.

    Product pages that a killed crawl of the source had read are filed with the next crawl; listings are always read
    anew. ``watch`` is called about every half second with the progress.
    """
    check_settings(source, settings)
    if refused := why_not_served(source, day, days, now, settings):
        raise CrawlRefused(refused)
    with TemporaryDirectory(prefix=f"ukok-crawl-{source}-", ignore_cleanup_errors=True) as folder:
        path = Path(folder)
        job = Job(source=source, day=day, days=days, now=now, settings=settings, folder=path, requests_left=0)
        taken_over = take_over_checkpoints(store, source, job.today, job.taken_over_file)
        used = requests_of_day(store, source, job.today, taken_over)
        job.requests_left = max(0, settings.crawl_daily_requests - used)
        load_page_state(store, job, rejected_runs(store, source, "products"))
        load_image_state(store, job)
        run = _Crawl(job, new_run_id(now), taken_over, used)
        started = monotonic()
        try:
            _run(store, run, watch)
            summary = read_file(job.summary_file, CrawlSummary)
            runs = _file(store, run, summary, now.astimezone(UTC) + timedelta(seconds=monotonic() - started))
        except DamagedFile as error:
            raise CrawlFailed(f"crawl of {source} failed: {error}") from error
        delete_checkpoints(store, source, run.run_id, taken_over)
        return runs


def check_settings(source: str, settings: CrawlSettings) -> None:
    """Refuse an unknown source, and a real host without a contact and a pause between requests."""
    known = sources(settings)
    if source not in known:
        raise CrawlRefused(f"unknown source {source!r}: one of {', '.join(known)}")
    if unknown := settings.crawl_browser.difference(known):
        raise CrawlRefused(f"UKOK_CRAWL_BROWSER names unknown sources {sorted(unknown)}: they are {', '.join(known)}")
    if source in settings.crawl_browser and settings.chromium_path is None:
        raise CrawlRefused(
            "no Chromium to render pages: `apt-get install chromium`, or name its program in UKOK_CHROMIUM"
        )
    hosts = settings.bases(source)
    if settings.crawl_images:
        hosts.append(settings.image_url or "https://(the hosts of its images)")
    for base in hosts:
        if urlsplit(base).scheme != "https":
            continue
        if not settings.contact:
            raise CrawlRefused(f"set UKOK_CONTACT to a mail address or page of yours before crawling {base}")
        if settings.crawl_delay_seconds < 1:
            raise CrawlRefused(f"set UKOK_CRAWL_DELAY_SECONDS to 1 or more before crawling {base}")


def _run(store: Store, run: _Crawl, watch: Callable[[Progress], None] | None) -> None:
    """Run the spider process. Meanwhile its checkpoints are moved into the store."""
    job = run.job
    if not job.requests_left:
        raise CrawlRefused(f"crawl of {job.source} refused: {job.budget_error}")

    def on_poll() -> None:
        store_checkpoints(store, job.source, run.run_id, job.checkpoints_folder)
        if watch is not None and (progress := read_progress(job)) is not None:
            watch(progress)

    try:
        run_process(job, on_poll)
    except ProcessFailed as error:
        raise CrawlFailed(f"crawl of {job.source} failed: {error}") from error
    finally:
        store_checkpoints(store, job.source, run.run_id, job.checkpoints_folder, unfinished=True)


def _file(store: Store, run: _Crawl, summary: CrawlSummary, finished_at: datetime) -> list[RawRun]:
    """File what the crawl read; return its raw runs.

    The page state comes last: if the crawl is killed before, the next one reads the pages again.
    """
    job = run.job
    summary = _save_pages(store, run, summary)
    reports = [run.report(dataset, summary, finished_at) for dataset in summary.datasets]
    if not any(report.items for report in reports):
        _fail(store, run, reports)
    gated = _gated(store, job, reports)
    runs = [_write(store, job, report) for report in gated]
    store_images(store, job, run.report(IMAGES, summary, finished_at))
    held_back = any(report.gate and report.gate.reasons for report in gated)
    store_page_state(store, job, run.report(PAGES, summary, finished_at), held_back=held_back)
    return runs


def _gated(store: Store, job: Job, reports: Sequence[CrawlRunReport]) -> list[CrawlRunReport]:
    """Return the reports with the results of the gates."""
    gated: list[CrawlRunReport] = []
    for report in reports:
        items = _items(job.items_file(report.dataset))
        if report.dataset in LISTINGS:
            gate = check_listing(store, _raw_run(job, report), report, items)
        else:
            listing = next((each.gate for each in gated if each.dataset in LISTINGS), None)
            gate = check_products(store, _raw_run(job, report), report, items, listing)
        gated.append(report.model_copy(update={"gate": gate}))
    return gated


def _save_pages(store: Store, run: _Crawl, summary: CrawlSummary) -> CrawlSummary:
    """Store the bodies of pages with faults; return the summary with their keys instead of their file names."""
    for path in sorted(run.job.saved_pages_folder.glob("*")):
        store.put_file(f"{run.saved_pages_prefix}/{path.name}", path)
    datasets = {dataset: _with_keys(part, run.saved_pages_prefix) for dataset, part in summary.datasets.items()}
    return summary.model_copy(update={"datasets": datasets})


def _with_keys(part: DatasetSummary, prefix: str) -> DatasetSummary:
    """Return the summary of a dataset with the keys of its saved pages."""
    violations = [_with_key(violation, prefix) for violation in part.contract_check.violations]
    check = part.contract_check.model_copy(update={"violations": violations})
    faults = [_with_key(fault, prefix) for fault in part.faults]
    return part.model_copy(update={"faults": faults, "contract_check": check})


def _with_key(entry: Entry, prefix: str) -> Entry:
    return entry.model_copy(update={"saved_page": entry.saved_page and f"{prefix}/{entry.saved_page}"})


def _fail(store: Store, run: _Crawl, reports: list[CrawlRunReport]) -> NoReturn:
    """Store the report of a crawl that read no item, and raise :class:`CrawlFailed`."""
    scopes = [scope for report in reports for scope in report.scopes]
    first = next((scope for scope in scopes if scope.reason), scopes[0])
    reason = f"read no item from {len(scopes)} scopes; {first.label}: {first.reason}"
    failed = FailedCrawlReport(failed=reason, datasets={report.dataset: report for report in reports})
    store.put(f"{run.saved_pages_prefix}/report.json", dump_report(failed))
    saved = any(fault.saved_page for report in reports for fault in report.faults)
    where = f"; pages saved under {run.saved_pages_prefix}/" if saved else ""
    raise CrawlFailed(f"crawl of {run.job.source} {reason}{where}; see `ukok crawl show-fault {run.run_id}`")


def _write(store: Store, job: Job, report: CrawlRunReport) -> RawRun:
    run = _raw_run(job, report)
    write_run(store, run, _items(job.items_file(report.dataset)), report)
    log.info(
        "crawled",
        source=job.source,
        dataset=report.dataset,
        run_id=run.run_id,
        items=report.items,
        incomplete=sum(not scope.complete for scope in report.scopes),
        held_back=held_sentences(report),
        faults=sum(fault.count for fault in report.faults),
        **_traffic_figures(report.traffic),
    )
    return run


def _raw_run(job: Job, report: CrawlRunReport) -> RawRun:
    return RawRun(report.run_id, job.source, report.dataset, job.today)


def _traffic_figures(traffic: TrafficReport) -> dict[str, Any]:
    """Return the figures of the crawl's traffic that fit into a log line."""
    return {
        "requests": traffic.requests,
        "retries": traffic.retries,
        "megabytes": round(traffic.bytes / 1e6, 1),
        "seconds": traffic.seconds,
        "p99_ms": traffic.latency_ms.p99,
    }


def _items(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
