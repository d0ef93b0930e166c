"""One maintenance: find the garbage of each kind, and delete it unless it is a dry run."""

from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from artifacts.errors import StoreError
from artifacts.raw import new_run_id
from artifacts.store import Store
from pipelines.errors import StepError, one_line
from pipelines.maintenance.files import find_folders, find_log_files, find_reports, find_uploads
from pipelines.maintenance.garbage import Findings, Kind
from pipelines.maintenance.images import find_images
from pipelines.maintenance.raw_files import find_raw
from pipelines.maintenance.releases import find_datasets, find_models, find_releases
from pipelines.maintenance.rows import find_events, find_step_runs
from pipelines.report import Report, record
from pipelines.settings import PipelineSettings
from pipelines.step_locks import ARTIFACTS, CRAWLED_IMAGES, exclusive_lock
from sql.warehouse.partitions import PartitionLocked, days_ahead, make_partitions, partition_name
from ukok.korea import KST

_BUILDS: Final = (ARTIFACTS, "a training, a build or a promotion is running")
# Kinds that a running step may be about to use: the lock that such steps share, and what runs while it is held.
USED: Final[Mapping[Kind, tuple[str, str]]] = {
    "releases": _BUILDS,
    "models": _BUILDS,
    "datasets": _BUILDS,
    "images": (CRAWLED_IMAGES, "a crawl that stores images is running"),
}
NAMED: Final = 100  # things that a report names
Find = Callable[[], Findings]


class MaintenanceFailed(StepError):
    """Some kinds could not be maintained; the message says which and why. The others were."""


def maintain(
    service: Engine,
    warehouse: Engine,
    store: Store,
    settings: PipelineSettings,
    now: datetime,
    dry_run: bool,
    kinds: Collection[Kind] | None = None,
) -> list[Report]:
    """Delete what is kept no longer at ``now``; return a Report for each kind.

    ``read`` counts what there is, ``written`` what is deleted, or in a dry run would be; the details have the bytes and
    the names. Partitions of the next days are made, not deleted. A dry run is not recorded. Raises
    :class:`MaintenanceFailed` after all kinds if one failed, or its own error if it is the only one.
    """
    reports: list[Report] = []
    failures: dict[Kind, Exception] = {}
    steps: dict[Kind, Callable[[], Report]] = {
        kind: partial(_list, kind, find, now) if dry_run else partial(_delete, kind, find, warehouse, store)
        for kind, find in _finders(service, warehouse, store, settings, now).items()
    }
    if not dry_run:
        steps["partitions"] = partial(_make_partitions, warehouse, store, now)
    wanted = [kind for kind in steps if kinds is None or kind in kinds]
    for kind in wanted:
        try:
            reports.append(steps[kind]())
        except (StoreError, SQLAlchemyError, PartitionLocked, OSError) as error:
            failures[kind] = error
    if failures:
        if len(wanted) == 1:
            raise failures[wanted[0]]
        reasons = (f"{kind}: {one_line(error)}" for kind, error in failures.items())
        raise MaintenanceFailed(f"maintenance failed for {'; '.join(reasons)}")
    return reports


def _finders(
    service: Engine, warehouse: Engine, store: Store, settings: PipelineSettings, now: datetime
) -> Mapping[Kind, Find]:
    """How the garbage of each kind is found, in the order in which it is deleted."""
    keep_state = timedelta(days=settings.keep_report_days)
    reports_before = now - keep_state
    return {
        "releases": partial(find_releases, store, settings.keep_releases, now),
        "models": partial(find_models, store, settings.keep_releases, now),
        "datasets": partial(find_datasets, store, settings.keep_releases),
        "raw": partial(
            find_raw,
            service,
            warehouse,
            store,
            keep=timedelta(days=settings.keep_raw_days),
            keep_state=keep_state,
            now=now,
        ),
        "images": partial(find_images, store, keep_state=keep_state, now=now),
        "reports": partial(find_reports, store, reports_before),
        "uploads": partial(find_uploads, store, now),
        "events": partial(find_events, warehouse, now - timedelta(days=settings.keep_event_days)),
        "step_runs": partial(find_step_runs, warehouse, reports_before),
        "log_files": partial(find_log_files, settings.var_dir / "logs", reports_before),
        "folders": partial(find_folders, store),
    }


def _list(kind: Kind, find: Find, now: datetime) -> Report:
    report = Report(f"maintenance_{kind}", new_run_id(now))
    _describe(report, find())
    return report


def _delete(kind: Kind, find: Find, warehouse: Engine, store: Store) -> Report:
    lock, running = USED.get(kind, ("", ""))
    unused = exclusive_lock(warehouse, lock) if lock else nullcontext(enter_result=True)
    with record(warehouse, store, f"maintenance_{kind}") as report, unused as free:
        if not free:
            report.details["skipped"] = running
            return report
        findings = find()
        _describe(report, findings)
        for garbage in findings.garbage:
            garbage.remove()
    return report


def _make_partitions(warehouse: Engine, store: Store, now: datetime) -> Report:
    with record(warehouse, store, "maintenance_partitions") as report:
        wanted = days_ahead(now.astimezone(KST).date())
        made = make_partitions(warehouse, wanted)
        report.read, report.written = len(wanted), len(made)
        report.details["names"] = [partition_name(day) for day in made]
    return report


def _describe(report: Report, findings: Findings) -> None:
    report.read = findings.examined
    report.written = sum(garbage.objects for garbage in findings.garbage)
    report.details["bytes"] = sum(garbage.size for garbage in findings.garbage)
    report.details["names"] = [garbage.name for garbage in findings.garbage][:NAMED]
    report.details |= findings.notes
