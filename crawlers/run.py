"""One crawl from start to raw zone. Imports no Scrapy: that lives in the crawl's own process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import structlog

from artifacts.raw import RawRun, list_runs, new_run_id, read_items, write_run
from artifacts.store import Store
from crawlers.job import Job
from crawlers.settings import CrawlSettings
from crawlers.sources import sources

log = structlog.get_logger(__name__)

ROOT = Path(__file__).parents[1]
MEMORY = "pages"  # the dataset of what is remembered of product pages


class CrawlFailed(RuntimeError):
    """A crawl brought nothing; the message says why, in one line. Nothing of it is in the raw zone."""


def crawl(source: str, day: date, days: int, now: datetime, store: Store, settings: CrawlSettings) -> list[RawRun]:
    """Crawl a source and write its raw runs, one for each dataset, oldest dataset first.

    ``source`` is one of ``kok hnsmall hmall nsmall``; schedules are asked for the KST days from ``day`` on.
    ``now`` (aware) is the instant the crawl counts as. Scopes that could not be read in full are marked incomplete in
    the run's report; bodies of pages with faults are kept under ``faults/<source>/<run_id>/``. A crawl without a single
    item raises :class:`CrawlFailed`.
    """
    _check_manners(source, settings)
    run_id = new_run_id(now)
    with TemporaryDirectory(prefix=f"ukok-crawl-{source}-") as folder:
        job = Job.model_validate(
            {"source": source, "day": day, "days": days, "now": now, "settings": settings, "folder": Path(folder)}
        )
        _recall(store, job)
        started = monotonic()
        summary = _run_process(job)
        report = {
            "run_id": run_id,
            "source": source,
            "day": day,
            "started_at": now.astimezone(UTC),
            "finished_at": now.astimezone(UTC) + timedelta(seconds=monotonic() - started),
        }
        evidence = _keep_pages(store, job, run_id, summary)
        _check_brought_something(store, report, summary, evidence)
        runs = [_write(store, job, dataset, report, part) for dataset, part in summary.items()]
        _remember(store, job, report)
        return runs


def _recall(store: Store, job: Job) -> None:
    """Hand the crawl what the last one remembered of product pages."""
    runs = list_runs(store, job.source, MEMORY)
    if runs:
        _write_lines(job.recalled_file, read_items(store, runs[-1]))


def _remember(store: Store, job: Job, report: dict[str, Any]) -> None:
    """Keep what this crawl remembers, after all that it read: a page that is remembered is in the raw zone."""
    run = RawRun(report["run_id"], job.source, MEMORY, job.day)
    write_run(store, run, _items(job.remembered_file), report | {"dataset": MEMORY})


def _check_manners(source: str, settings: CrawlSettings) -> None:
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


def _run_process(job: Job) -> dict[str, dict[str, Any]]:
    """Run the job in a fresh process and return its summary by dataset. Its log goes to standard error."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "crawlers.process"]
    # In a session of its own, so that Ctrl-C reaches this process alone; the crawl ends when its input closes.
    with subprocess.Popen(  # noqa: S603 (nothing in the command comes from outside)
        command, stdin=subprocess.PIPE, env=os.environ | {"PYTHONPATH": path}, start_new_session=True
    ) as process:
        try:
            _send(process, job)
            code = process.wait()
        finally:
            process.kill()
    if job.error_file.is_file():
        raise CrawlFailed(f"crawl of {job.source} failed: {job.error_file.read_text(encoding='utf-8')}")
    if not job.summary_file.is_file():
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        raise CrawlFailed(f"crawl of {job.source} failed: its process {ended}; see its log above")
    summary: dict[str, dict[str, Any]] = json.loads(job.summary_file.read_text(encoding="utf-8"))
    return summary


def _send(process: subprocess.Popen[bytes], job: Job) -> None:
    if process.stdin is None:
        raise RuntimeError("the crawl process was started without an input")
    with suppress(BrokenPipeError):  # it died at once; its exit code will say so
        process.stdin.write(job.model_dump_json().encode() + b"\n")
        process.stdin.flush()


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
    )
    return run


def _write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _items(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
