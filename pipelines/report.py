"""Reports of steps: figures in ``step_run``, rejected items in ``rejects/<step>/<run_id>.jsonl.gz``."""

import gzip
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import Engine, insert, update

from artifacts.raw import new_run_id
from artifacts.store import Store
from pipelines.errors import one_line
from pipelines.step_locks import mark_killed, shared_lock
from sql.warehouse.steps import StepRun

log = structlog.get_logger(__name__)


@dataclass
class Report:
    """Figures of one run of one step, which the step fills in while it works; ``str`` gives them in one line."""

    step: str
    run_id: str
    interval_start: datetime | None = None
    interval_end: datetime | None = None
    read: int = 0
    written: int = 0
    unchanged: int = 0
    seconds: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)
    rejects: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, item: Mapping[str, Any], reason: str, detail: str = "") -> None:
        """Keep an item that is not loaded: ``reason`` is a short name to count by, ``detail`` says what is wrong."""
        self.rejects.append({"reason": reason, "detail": detail, "item": dict(item)})

    @property
    def rejected(self) -> dict[str, int]:
        """Number of rejected items by reason."""
        return dict(Counter(str(reject["reason"]) for reject in self.rejects))

    @property
    def rejects_key(self) -> str:
        """Key of the rejected items in the store."""
        return f"rejects/{self.step}/{self.run_id}.jsonl.gz"

    @property
    def figures(self) -> str:
        """Counts of items and rows for a person, and of what is in doubt."""
        doubts = [f"{count:,} {doubt}" for doubt, count in self.details.get("doubts", {}).items()]
        return ", ".join([figures_of(self.read, self.written, self.unchanged, self.rejected), *doubts])

    def __str__(self) -> str:
        return f"{self.step}: {self.figures} in {self.seconds:.1f} s"


def figures_of(read: int, written: int, unchanged: int, rejected: Mapping[str, int]) -> str:
    """Word the counts of a step: items read, rows written, items unchanged, and items rejected by reason."""
    parts = [f"{read:,} read", f"{written:,} written", f"{unchanged:,} unchanged"]
    parts += [f"{count:,} rejected ({reason})" for reason, count in sorted(rejected.items())]
    return ", ".join(parts)


@contextmanager
def record(
    warehouse: Engine, store: Store, step: str, *, interval: tuple[datetime, datetime] | None = None
) -> Iterator[Report]:
    """Record a step in ``step_run``: ``running`` at once, then ``done``, or ``failed`` with the reason in one line.

    Rows that say ``running`` and whose run was killed are set to ``killed``; running the step again is safe.
    """
    started_at, began = datetime.now(UTC), time.monotonic()
    start, end = interval or (None, None)
    report = Report(step, new_run_id(started_at), start, end)
    with shared_lock(warehouse, report.run_id):
        with warehouse.begin() as conn:
            mark_killed(conn)
            conn.execute(insert(StepRun).values(started_at=started_at, status="running", **_columns(report)))
        yield from _finished(warehouse, store, report, began)


def _finished(warehouse: Engine, store: Store, report: Report, began: float) -> Iterator[Report]:
    """Yield the report, then record how the step ended; it has failed too if its rejected items cannot be kept."""
    try:
        try:
            yield report
        finally:
            _keep_rejects(store, report)
    except BaseException as error:
        report.seconds = time.monotonic() - began
        _finish(warehouse, report, "failed", f"{type(error).__name__}: {one_line(error)}")
        raise
    report.seconds = time.monotonic() - began
    _finish(warehouse, report, "done", None)
    log.info("step done", run_id=report.run_id, summary=str(report))


def _columns(report: Report) -> dict[str, Any]:
    return {
        "run_id": report.run_id,
        "step": report.step,
        "interval_start": report.interval_start,
        "interval_end": report.interval_end,
        "rows_read": report.read,
        "rows_written": report.written,
        "rows_unchanged": report.unchanged,
        "rejected": report.rejected,
        "details": report.details,
    }


def _finish(warehouse: Engine, report: Report, status: str, error: str | None) -> None:
    values = _columns(report) | {"status": status, "seconds": report.seconds, "error": error}
    with warehouse.begin() as conn:
        conn.execute(update(StepRun).where(StepRun.run_id == report.run_id).values(**values))


def _keep_rejects(store: Store, report: Report) -> None:
    if report.rejects:
        lines = (json.dumps(reject, ensure_ascii=False, default=str) for reject in report.rejects)
        store.put(report.rejects_key, gzip.compress("\n".join(lines).encode(), mtime=0))
