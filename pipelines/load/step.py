"""What every load step does around its rows: check the gates, count, report, and fail when a file was held back."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import structlog
from sqlalchemy import Engine, Table

from artifacts.raw import RawRun
from artifacts.store import Store
from pipelines.load.gates import Gate
from pipelines.load.intake import Intake
from pipelines.load.pending import Moment, Target, load_pending
from pipelines.load.tally import Tally
from pipelines.report import Report, record

log = structlog.get_logger(__name__)

PAGES = "products"  # the dataset of product pages


@dataclass
class Loading:
    """One run of a load step: where it reads, what it checks against, and what it has done so far."""

    store: Store
    gate: Gate
    report: Report
    tally: Tally = field(default_factory=Tally)
    again: Tally = field(default_factory=Tally)
    files: list[str] = field(default_factory=list)

    def admit(self, moment: Moment, intake: Intake) -> None:
        """Report what was read and check the gates; before anything is written."""
        if not moment.new:
            return
        for run in moment.new:
            earlier = [other for other in moment.earlier if other.dataset == run.dataset]
            findings = self.gate.check(run, earlier, _leaning(run, moment.new))
            if findings.accepted:
                self.report.details.setdefault("accepted", {})[_name(run)] = findings.accepted
            if findings.continuity is not None:
                self.report.details.setdefault("listings", {})[_name(run)] = asdict(findings.continuity)
        intake.tell(self.report)
        self.gate.check_rejects(moment.new, intake.read, intake.rejected)

    def count(self, moment: Moment, tally: Tally) -> None:
        """Add the rows that a moment changed; those of newer files applied again are told apart."""
        self.files += [_name(run) for run in moment.new]
        if moment.new:
            self.tally += tally
        else:
            self.again += tally


def load_step(
    step: str,
    warehouse: Engine,
    target: Callable[[Loading], Target],
    store: Store,
    source: str,
    *,
    datasets: Sequence[str],
    items_in: Sequence[Table],
    accept: bool,
) -> Report:
    """Load the pending files of a source into one database, under a Report.

    ``items_in``: the tables that hold a row for each item. Raises :class:`GateBroken` when a file was held back; the
    other files are loaded nevertheless. One that newer files have overtaken is only reported: it fails no load.
    """
    with record(warehouse, store, step) as report:
        loading = Loading(store, Gate(store, accept), report)
        try:
            held, superseded = load_pending(target(loading), store, source, datasets)
            for error in superseded:
                log.warning("held back, but newer files are loaded", reason=str(error))
            if superseded:
                report.details["held back, but newer files are loaded"] = list(map(str, superseded))
        finally:
            report.written = loading.tally.written
            report.unchanged = sum(loading.tally.unchanged(table) for table in items_in)
            report.details |= {"files": loading.files, "rows": loading.tally.details()}
            if loading.again.written:
                report.details["rows applied again after a late file"] = loading.again.details()
        if held:
            raise held[0]
    return report


def _leaning(run: RawRun, together: Sequence[RawRun]) -> list[RawRun]:
    """The product pages of the crawl, for its listing: without what it tells they would tell half the truth."""
    if run.dataset == PAGES:
        return []
    return [other for other in together if other.dataset == PAGES and other.run_id == run.run_id]


def _name(run: RawRun) -> str:
    return f"{run.dataset} {run.run_id}"
