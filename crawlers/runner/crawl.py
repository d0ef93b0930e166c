"""One crawl from start to raw zone. Imports no Scrapy: that lives in the crawl's own process.

:func:`crawl` hands a :class:`~crawlers.job.Job` and what earlier crawls left to a process of its own (`subprocess`
starts it, :mod:`crawlers.scrapy_process.main` is it), and files what that process wrote into the job's folder. In the
process a spider (:mod:`crawlers.spiders`) asks for listings, then for the product pages that are due; what it finds
goes through :mod:`crawlers.scrapy_process.item_writer` into that folder.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import structlog

from artifacts.raw import RawRun, list_runs, new_run_id, read_items, write_run
from artifacts.store import Store
from crawlers.job import Job, Progress
from crawlers.registry import sources
from crawlers.runner.subprocess import ProcessFailed, read_progress, run_process
from crawlers.settings import CrawlSettings
from crawlers.state.checkpoints import discard_parts, keep_parts, take_over
from crawlers.state.image_storage import keep_images, recall_images
from crawlers.state.request_budget import MEMORY, requests_of_day

log = structlog.get_logger(__name__)


class CrawlFailed(RuntimeError):
    """A crawl brought nothing; the message says why, in one line. Nothing of it is in the raw zone."""


def crawl(
    source: str,
    day: date,
    days: int,
    now: datetime,
    store: Store,
    settings: CrawlSettings,
    watch: Callable[[Progress], None] | None = None,
) -> list[RawRun]:
    """Crawl a source and write its raw runs, one for each dataset, oldest dataset first.

    ``source`` is one of :func:`~crawlers.registry.sources`; schedules are asked for the KST days from ``day`` on.
    ``now`` (aware) is the instant the crawl counts as. Scopes that could not be read in full are marked incomplete in
    the run's report; bodies of pages with faults are kept under ``faults/<source>/<run_id>/``. A crawl without a single
    item raises :class:`CrawlFailed`.

    What a killed crawl of the source had read of product pages is in the runs of the next one; listings are always read
    anew. ``watch`` is told about every half second how far the crawl is.
    """
    check_manners(source, settings)
    run_id = new_run_id(now)
    with TemporaryDirectory(prefix=f"ukok-crawl-{source}-", ignore_cleanup_errors=True) as folder:
        left = take_over(store, source, day, Path(folder) / "left.jsonl")
        used = requests_of_day(store, source, day, left)
        job = Job(
            source=source,
            day=day,
            days=days,
            now=now,
            settings=settings,
            folder=Path(folder),
            requests_left=max(0, settings.crawl_daily_requests - used),
        )
        _recall(store, job)
        recall_images(store, job)
        started = monotonic()
        summary = _run(job, store, run_id, watch)
        report = {
            "run_id": run_id,
            "source": source,
            "day": day,
            "started_at": now.astimezone(UTC),
            "finished_at": now.astimezone(UTC) + timedelta(seconds=monotonic() - started),
            "taken_over": left.requests,
            "budget": {"most": settings.crawl_daily_requests, "used_before": used},
        }
        runs = _file(store, job, report, summary)
        discard_parts(store, source, run_id, left)
        return runs


def _run(job: Job, store: Store, run_id: str, watch: Callable[[Progress], None] | None) -> dict[str, dict[str, Any]]:
    """Do the job and return its summary by dataset. While it runs, what it has read goes into the store in parts."""
    if not job.requests_left:
        raise CrawlFailed(f"crawl of {job.source} refused: {job.no_requests_left}")

    def look() -> None:
        keep_parts(store, job.source, run_id, job.parts_folder)
        if watch is not None and (progress := read_progress(job)) is not None:
            watch(progress)

    try:
        run_process(job, look)
    except ProcessFailed as error:
        raise CrawlFailed(f"crawl of {job.source} failed: {error}") from error
    finally:
        keep_parts(store, job.source, run_id, job.parts_folder, unfinished=True)
    summary: dict[str, dict[str, Any]] = json.loads(job.summary_file.read_text(encoding="utf-8"))
    return summary


def _file(store: Store, job: Job, report: dict[str, Any], summary: dict[str, dict[str, Any]]) -> list[RawRun]:
    """Put into the store what the crawl brought; its raw runs.

    What is remembered comes last: killed before that, the next crawl reads again what this one may not have filed.
    """
    evidence = _keep_pages(store, job, report["run_id"], summary)
    _check_brought_something(store, report, summary, evidence)
    runs = [_write(store, job, dataset, report, part) for dataset, part in summary.items()]
    keep_images(store, job, report | {"traffic": summary["products"]["traffic"]})
    _remember(store, job, report, summary)
    return runs


def _recall(store: Store, job: Job) -> None:
    """Hand the crawl what the last one remembered of product pages."""
    runs = list_runs(store, job.source, MEMORY)
    _write_lines(job.recalled_file, read_items(store, runs[-1]) if runs else ())


def _remember(store: Store, job: Job, report: dict[str, Any], summary: dict[str, dict[str, Any]]) -> None:
    """Keep what this crawl remembers, after all that it read: a page that is remembered is in the raw zone.

    If a dataset is not what its contract says, the products will not be loaded, so their pages count as not read.
    """
    run = RawRun(report["run_id"], job.source, MEMORY, job.day)
    broken = any(part["contract"]["broken"] for part in summary.values())
    lines = _items(job.recalled_file if broken else job.remembered_file)
    write_run(store, run, lines, report | {"dataset": MEMORY, "traffic": summary["products"]["traffic"]})


def check_manners(source: str, settings: CrawlSettings) -> None:
    """Refuse an unknown source, and a real host without a contact and a pause between requests."""
    known = sources(settings)
    if source not in known:
        raise CrawlFailed(f"unknown source {source!r}: one of {', '.join(known)}")
    if unknown := settings.crawl_browser.difference(known):
        raise CrawlFailed(f"UKOK_CRAWL_BROWSER names unknown sources {sorted(unknown)}: they are {', '.join(known)}")
    if source in settings.crawl_browser and settings.chromium_path is None:
        raise CrawlFailed(
            "no Chromium to render pages: `apt-get install chromium`, or name its program in UKOK_CHROMIUM"
        )
    hosts = settings.bases(source)
    if settings.crawl_images:
        hosts.append(settings.image_url or "https://(the hosts of its images)")
    for base in hosts:
        if urlsplit(base).scheme != "https":
            continue
        if not settings.contact:
            raise CrawlFailed(f"set UKOK_CONTACT to a mail address or page of yours before crawling {base}")
        if settings.crawl_delay_seconds < 1:
            raise CrawlFailed(f"set UKOK_CRAWL_DELAY_SECONDS to 1 or more before crawling {base}")


def _keep_pages(store: Store, job: Job, run_id: str, summary: dict[str, dict[str, Any]]) -> str:
    """Store the bodies of pages with faults, and let the summary name them by their keys; the prefix of these."""
    prefix = f"faults/{job.source}/{run_id}"
    for path in sorted(job.pages_folder.glob("*")):
        store.put_file(f"{prefix}/{path.name}", path)
    for part in summary.values():
        for entry in (*part["faults"], *part["contract"]["broken"]):
            entry["kept"] = entry["kept"] and f"{prefix}/{entry['kept']}"
    return prefix


def _check_brought_something(
    store: Store, report: Mapping[str, Any], summary: dict[str, dict[str, Any]], evidence: str
) -> None:
    scopes = [scope for part in summary.values() for scope in part["scopes"]]
    if any(scope["items"] for scope in scopes):
        return
    first = next((scope for scope in scopes if scope["reason"]), scopes[0])
    kept = any(fault["kept"] for part in summary.values() for fault in part["faults"])
    reason = f"brought no item from {len(scopes)} scopes; {first['scope']}: {first['reason']}"
    faults = {**report, "failed": reason, "datasets": summary}
    store.put(f"{evidence}/report.json", json.dumps(faults, ensure_ascii=False, indent=2, default=str).encode())
    where = f"; pages kept under {evidence}/" if kept else ""
    raise CrawlFailed(f"crawl of {report['source']} {reason}{where}; see `ukok crawl show-fault {report['run_id']}`")


def _write(store: Store, job: Job, dataset: str, report: dict[str, Any], part: dict[str, Any]) -> RawRun:
    run = RawRun(run_id=report["run_id"], source=job.source, dataset=dataset, day=job.day)
    items = sum(scope["items"] for scope in part["scopes"])
    write_run(store, run, _items(job.items_file(dataset)), report | part | {"dataset": dataset, "items": items})
    log.info(
        "crawled",
        source=job.source,
        dataset=dataset,
        run_id=run.run_id,
        items=items,
        incomplete=sum(not scope["complete"] for scope in part["scopes"]),
        faults=sum(fault["count"] for fault in part["faults"]),
        **_essentials(part["traffic"]),
    )
    return run


def _essentials(traffic: Mapping[str, Any]) -> dict[str, Any]:
    """Of the traffic, which all datasets of a crawl share, what a line of log has room for."""
    return {
        "requests": traffic["requests"],
        "retries": traffic["retries"],
        "megabytes": round(traffic["bytes"] / 1e6, 1),
        "seconds": traffic["seconds"],
        "p99_ms": traffic["latency_ms"]["p99"],
    }


def _write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _items(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
