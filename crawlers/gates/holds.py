"""What of a run is held back now: the gates' result, what loading found since, and what a person accepted.

Both additions lie beside the run: ``RUN.rejected.json`` and ``RUN.accepted.json``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict

from artifacts.errors import NotFound
from artifacts.raw import SCHEMA_VERSION, RawRun, ReportT, dump_report, list_runs, load_report
from artifacts.store import Store
from crawlers.run_report import (
    ContractViolation,
    CrawlRunReport,
    GateResult,
    HeldScope,
    ScopeKey,
    ScopeName,
    scope_name,
)

ACCEPTED, REJECTED = ".accepted.json", ".rejected.json"


class _Addition(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    schema_version: int = SCHEMA_VERSION


class Acceptance(_Addition):
    """A person's word that what looks broken is right: of the whole file, and of some of its scopes."""

    at: AwareDatetime
    whole_file: bool
    scopes: list[ScopeKey]


class LoadRejection(_Addition):
    """Why a load that had read the file held it back."""

    reasons: list[str]


@dataclass(frozen=True)
class Holds:
    """What of a run is held back: the whole file for ``reasons``, or the scopes in ``scopes`` alone.

    ``conclusive``: scopes that are empty, but whose emptiness was confirmed or accepted.
    """

    reasons: tuple[str, ...] = ()
    scopes: tuple[HeldScope, ...] = ()
    conclusive: frozenset[ScopeName] = frozenset()

    @property
    def names(self) -> frozenset[ScopeName]:
        """The scopes that are held back."""
        return frozenset(scope.name for scope in self.scopes)

    @property
    def sentences(self) -> list[str]:
        """Every reason; that of a scope begins with the scope."""
        return _sentences(self.reasons, self.scopes)

    def __bool__(self) -> bool:
        return bool(self.reasons or self.scopes)


def held_sentences(report: CrawlRunReport) -> list[str]:
    """Return every reason for which a crawl holds something back."""
    gate = _gate_of(report)
    return _sentences(gate.reasons, gate.held)


def contract_reasons(report: CrawlRunReport) -> list[str]:
    """Return how a file violates the contract of its source, for which it is held back."""
    return [_violation(each) for each in report.contract_check.violations] if report.contract_check else []


def _gate_of(report: CrawlRunReport) -> GateResult:
    """Return the result of the gates; crawls of earlier versions have only their contract check."""
    return report.gate or GateResult(reasons=contract_reasons(report))


def _violation(violation: ContractViolation) -> str:
    page = f", first on {violation.page}" if violation.page else ""
    of = f" of {violation.field}" if violation.field else ""
    return f"contract violated: {violation.rule}{of} is {violation.found}, expected {violation.expected}{page}"


def _sentences(reasons: Iterable[str], scopes: Iterable[HeldScope]) -> list[str]:
    return [*reasons, *(f"{scope.label}: {reason}" for scope in scopes for reason in scope.reasons)]


def read_holds(store: Store, run: RawRun, report: CrawlRunReport, *, by_load: bool = True) -> Holds:
    """Return what of a run is held back; without ``by_load`` what loading found does not count."""
    gate = _gate_of(report)
    accepted = _read(store, run, ACCEPTED, Acceptance)
    rejection = _read(store, run, REJECTED, LoadRejection) if by_load else None
    reasons = () if accepted and accepted.whole_file else (*gate.reasons, *(rejection.reasons if rejection else ()))
    names = {scope_name(key) for key in accepted.scopes} if accepted else set()
    conclusive = names | {scope_name(key) for key in gate.confirmed}
    return Holds(reasons, tuple(scope for scope in gate.held if scope.name not in names), frozenset(conclusive))


def accept(store: Store, run: RawRun, holds: Holds, scopes: Iterable[HeldScope], at: datetime) -> None:
    """Record that a person accepts a file and some of its scopes, besides those accepted before."""
    before = _read(store, run, ACCEPTED, Acceptance)
    acceptance = Acceptance(
        at=at,
        whole_file=bool(holds.reasons or (before and before.whole_file)),
        scopes=[*(before.scopes if before else []), *(scope.key for scope in scopes)],
    )
    store.put(run.stem + ACCEPTED, dump_report(acceptance))


def is_accepted(store: Store, run: RawRun) -> bool:
    """Return whether a person accepted the whole file."""
    accepted = _read(store, run, ACCEPTED, Acceptance)
    return accepted is not None and accepted.whole_file


def record_rejection(store: Store, run: RawRun, reasons: Iterable[str]) -> None:
    """Record why a load holds the file back; without reasons forget what an earlier load found."""
    if listed := list(reasons):
        store.put(run.stem + REJECTED, dump_report(LoadRejection(reasons=listed)))
    else:
        store.delete(run.stem + REJECTED)


def rejected_runs(store: Store, source: str, dataset: str) -> list[RawRun]:
    """Return the files that loads have held back and nobody accepted, oldest first."""
    keys = set(store.list(f"raw/{source}/{dataset}/"))
    rejected = [run for run in list_runs(store, source, dataset) if run.stem + REJECTED in keys]
    return [run for run in rejected if not is_accepted(store, run)]


def _read(store: Store, run: RawRun, ending: str, model: type[ReportT]) -> ReportT | None:
    try:
        return load_report(store, run.stem + ending, model)
    except NotFound:
        return None
