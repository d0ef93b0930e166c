"""Frame of every load step: gates, counts, report, and failure when something is held back."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from artifacts.raw import RawRun
from artifacts.store import Store
from crawlers.report.figures import page_key
from pipelines.crawl import publish_crawl
from pipelines.load.crawl_batch import CrawlBatch, Target, find_pending, load_crawls
from pipelines.load.crawl_files import CrawlFiles
from pipelines.load.gates import FileHeldBack, PendingHold, TooManyRejected, check_rejects
from pipelines.load.item_validator import ItemValidator
from pipelines.load.row_counts import RowCounts
from pipelines.report import Report, record


@dataclass
class LoadRun:
    """One run of a load step: its files and report, and what it has loaded so far.

    ``accept_at``: when a person accepted what is held back; None if nobody did. ``reapplied`` counts the rows of newer
    files that were applied again after a late one.
    """

    files: CrawlFiles
    report: Report
    accept_at: datetime | None = None
    row_counts: RowCounts = field(default_factory=RowCounts)
    reapplied: RowCounts = field(default_factory=RowCounts)
    loaded: list[str] = field(default_factory=list)

    @property
    def store(self) -> Store:
        """The store that holds the files."""
        return self.files.store

    def accept(self, pending: Sequence[PendingHold], at: datetime) -> None:
        """Accept what is held back."""
        for each in pending:
            self.files.accept(each.run, each.holds.scopes, at)
            self.report.details.setdefault("accepted", {})[_name(each.run)] = each.holds.sentences
        self._renew_pages(each.run for each in pending)

    def _renew_pages(self, runs: Iterable[RawRun]) -> None:
        """Write the HTML reports of crawls again, where there are any, so that they say what is held back now."""
        for run in {(run.source, run.run_id): run for run in runs}.values():
            if self.store.exists(page_key(run.source, run.run_id)):
                publish_crawl(self.store, run)

    def check_gates(self, batch: CrawlBatch, validator: ItemValidator) -> None:
        """Report what was read of new files; raise ``TooManyRejected`` before anything is written."""
        if not batch.new:
            return
        validator.add_to(self.report)
        try:
            check_rejects(validator.read, validator.rejected)
        except TooManyRejected as error:
            if all(map(self.files.is_accepted, batch.new)):
                return
            for run in batch.new:
                self.files.reject(run, str(error))
            self._renew_pages(batch.new)
            if self.accept_at is None:
                raise
            self.accept([PendingHold(run, self.files.holds(run), 0) for run in batch.new], self.accept_at)

    def add_rows(self, batch: CrawlBatch, row_counts: RowCounts) -> None:
        """Add the rows that a batch changed."""
        self.loaded += [_name(run) for run in batch.new]
        if batch.new:
            self.row_counts += row_counts
        else:
            self.reapplied += row_counts


def load_step(
    step: str,
    warehouse: Engine,
    target_of: Callable[[LoadRun], Target],
    store: Store,
    source: str,
    *,
    datasets: Sequence[str],
    accept: bool,
    now: datetime,
) -> Report:
    """Load the pending files of a source into one database and report it.

    Raises ``FileHeldBack`` after everything else is loaded when something is held back that no newer file overtook.
    """
    with record(warehouse, store, step) as report:
        load_run = LoadRun(CrawlFiles(store), report, now if accept else None)
        target = target_of(load_run)
        try:
            if accept:
                with target.engine.connect() as conn:
                    load_run.accept(find_pending(conn, target.ledger, load_run.files, source, datasets), now)
            pending = load_crawls(target, load_run.files, source, datasets)
        finally:
            report.written = load_run.row_counts.written
            report.unchanged = sum(load_run.row_counts.unchanged(table) for table in target.items_in)
            report.details |= {"files": load_run.loaded, "rows": load_run.row_counts.details()}
            if doubts := load_run.row_counts.doubts():
                report.details["doubts"] = doubts
            if load_run.row_counts.cut:
                report.details["texts cut"] = dict(load_run.row_counts.cut)
            if load_run.reapplied.written:
                report.details["rows applied again after a late file"] = load_run.reapplied.details()
        if pending:
            report.details["holds"] = {_name(each.run): each.holds.sentences for each in pending}
            raise FileHeldBack(pending, now)
    return report


def _name(run: RawRun) -> str:
    return f"{run.dataset} {run.run_id}"
