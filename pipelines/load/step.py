"""What every load step does around its rows: check the gates, count, report, and fail when a file was held back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine, Table

from artifacts.raw import RawRun, read_report
from artifacts.store import Store
from pipelines.load.gates import Gate
from pipelines.load.intake import Intake
from pipelines.load.pending import Moment, Target, load_pending
from pipelines.load.tally import Tally
from pipelines.report import Report, record

# How many product pages a crawl reads is the crawl's choice, so their number says nothing.
UNSIZED = frozenset({"products"})


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
        intake.tell(self.report)
        self.gate.check_rejects(moment.new, intake.read, intake.rejected)
        for run in moment.new:
            if run.dataset not in UNSIZED:
                earlier = [other for other in moment.earlier if other.dataset == run.dataset]
                self.gate.check_sizes(run, read_report(self.store, run), earlier)

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
    other files are loaded nevertheless.
    """
    with record(warehouse, store, step) as report:
        loading = Loading(store, Gate(store, accept), report)
        try:
            held = load_pending(target(loading), store, source, datasets)
        finally:
            report.written = loading.tally.written
            report.unchanged = sum(loading.tally.unchanged(table) for table in items_in)
            report.details |= {"files": loading.files, "rows": loading.tally.details()}
            if loading.again.written:
                report.details["rows applied again after a late file"] = loading.again.details()
        if held:
            raise held[0]
    return report


def _name(run: RawRun) -> str:
    return f"{run.dataset} {run.run_id}"
