"""Frame of every load step: gates, counts, report, and failure when files are held back."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import structlog
from sqlalchemy import Engine, Table

from artifacts.raw import RawRun
from artifacts.store import Store
from pipelines.load.crawl_batch import CrawlBatch, Target, load_pending
from pipelines.load.gates import Gate
from pipelines.load.item_validator import ItemValidator
from pipelines.load.row_counts import RowCounts
from pipelines.report import Report, record

log = structlog.get_logger(__name__)

PAGES = "products"  # the dataset of product pages


@dataclass
class LoadRun:
    """One run of a load step: its store, gate and report, and what it has loaded so far.

    ``reapplied`` counts the rows of newer files that were applied again after a late one.
    """

    store: Store
    gate: Gate
    report: Report
    row_counts: RowCounts = field(default_factory=RowCounts)
    reapplied: RowCounts = field(default_factory=RowCounts)
    files: list[str] = field(default_factory=list)

    def check_gates(self, batch: CrawlBatch, validator: ItemValidator) -> None:
        """Check the gates of new files and report what was read; call it before anything is written."""
        if not batch.new:
            return
        for run in batch.new:
            earlier = [other for other in batch.earlier if other.dataset == run.dataset]
            findings = self.gate.check(run, earlier, _dependents(run, batch.new))
            if findings.accepted:
                self.report.details.setdefault("accepted", {})[_name(run)] = findings.accepted
            if findings.continuity is not None:
                self.report.details.setdefault("listings", {})[_name(run)] = asdict(findings.continuity)
        validator.add_to(self.report)
        self.gate.check_rejects(batch.new, validator.read, validator.rejected)

    def add_rows(self, batch: CrawlBatch, row_counts: RowCounts) -> None:
        """Add the rows that a batch changed."""
        self.files += [_name(run) for run in batch.new]
        if batch.new:
            self.row_counts += row_counts
        else:
            self.reapplied += row_counts


def load_step(
    step: str,
    warehouse: Engine,
    target: Callable[[LoadRun], Target],
    store: Store,
    source: str,
    *,
    datasets: Sequence[str],
    items_in: Sequence[Table],
    accept: bool,
) -> Report:
    """Load the pending files of a source into one database and report it.

    ``items_in``: the tables with a row for each item. Raises ``FileHeldBack`` after all other files are loaded when a
    file was held back, unless newer files have superseded it.
    """
    with record(warehouse, store, step) as report:
        load_run = LoadRun(store, Gate(store, accept), report)
        try:
            held, superseded = load_pending(target(load_run), store, source, datasets)
            for error in superseded:
                log.warning("held back, but newer files are loaded", reason=str(error))
            if superseded:
                report.details["held back, but newer files are loaded"] = list(map(str, superseded))
        finally:
            report.written = load_run.row_counts.written
            report.unchanged = sum(load_run.row_counts.unchanged(table) for table in items_in)
            report.details |= {"files": load_run.files, "rows": load_run.row_counts.details()}
            if load_run.row_counts.cut:
                report.details["texts cut"] = dict(load_run.row_counts.cut)
            if load_run.reapplied.written:
                report.details["rows applied again after a late file"] = load_run.reapplied.details()
        if held:
            raise held[0]
    return report


def _dependents(run: RawRun, batch: Sequence[RawRun]) -> list[RawRun]:
    """Return the product pages of the same crawl, which are incomplete without its listing."""
    if run.dataset == PAGES:
        return []
    return [other for other in batch if other.dataset == PAGES and other.run_id == run.run_id]


def _name(run: RawRun) -> str:
    return f"{run.dataset} {run.run_id}"
