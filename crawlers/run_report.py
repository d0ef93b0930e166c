"""Report that a crawl leaves for each dataset beside its items: what was read, what was missed, and what it cost.

The spider process writes a :class:`CrawlSummary`; the runner files it as one :class:`CrawlRunReport` a dataset in the
raw zone. Loading, the request budget and the reports for people read it from there.
"""

from collections.abc import Iterable

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from artifacts.raw import SCHEMA_VERSION, RawRun, RunReport, UnreadableReport, read_report
from artifacts.store import Store

log = structlog.get_logger(__name__)

ScopeKey = dict[str, str | int]
ScopeName = tuple[tuple[str, str], ...]


def scope_name(key: ScopeKey) -> ScopeName:
    """Return the key of a scope in a form that can be hashed."""
    return tuple((name, str(value)) for name, value in sorted(key.items()))


def scope_label(key: ScopeKey) -> str:
    """Return the key of a scope in words."""
    return ", ".join(f"{name} {value}" for name, value in key.items())


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScopeReport(_Model):
    """A part of the source, such as a category or a channel's day, and what was read of it.

    ``complete``: every page and row of it was read; else ``reason`` says why not. ``empty``: its page is sound but
    lists nothing. ``shifted``: it changed while its pages were read, so that a row may be on none of them. ``read_at``:
    when the last of its pages was read; None if none was. ``dropped``: rows left out on purpose, by reason.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)  # earlier versions had further fields

    key: ScopeKey
    complete: bool
    items: int
    empty: bool = False
    shifted: bool = False
    read_at: AwareDatetime | None = None
    reason: str | None = None
    dropped: dict[str, int] = Field(default_factory=dict)

    @property
    def name(self) -> ScopeName:
        """The key, hashable."""
        return scope_name(self.key)

    @property
    def label(self) -> str:
        """The key in words."""
        return scope_label(self.key)


class HeldScope(_Model):
    """A scope that is held back, and why."""

    key: ScopeKey
    reasons: list[str]

    @property
    def name(self) -> ScopeName:
        """The key, hashable."""
        return scope_name(self.key)

    @property
    def label(self) -> str:
        """The key in words."""
        return scope_label(self.key)


class GateResult(_Model):
    """What the gates found when the crawl ended.

    ``reasons``: why the whole file is held back. ``held``: scopes that are held back alone. ``confirmed``: scopes that
    lost as much as a held one, but repeatedly, so that the loss is believed.
    """

    reasons: list[str] = Field(default_factory=list)
    held: list[HeldScope] = Field(default_factory=list)
    confirmed: list[ScopeKey] = Field(default_factory=list)


class FieldFault(_Model):
    """A fault of a field on a page; ``saved_page`` is the key of the saved copy of that page, if there is one."""

    field: str
    page: str
    reason: str
    count: int
    saved_page: str | None


class ContractViolation(_Model):
    """A rule of the contract that does not hold; ``page`` is the first page that violates it, if a page does."""

    rule: str
    field: str
    expected: str
    found: str
    page: str | None
    saved_page: str | None = None


class ContractCheck(_Model):
    """Result of the contract check: violations, and the share of the ``items`` in which each field is filled."""

    violations: list[ContractViolation]
    fill: dict[str, float]
    items: int


class LatencyReport(_Model):
    """Response times in milliseconds; ``histogram`` holds (upper bound, responses) of the buckets in use."""

    p50: float | None
    p90: float | None
    p99: float | None
    max: float
    histogram: list[tuple[float, int]]


class TrafficReport(_Model):
    """HTTP traffic of a crawl, retries and robots.txt included.

    ``timeline`` holds a row for each step of time: the second at which it starts, requests sent, bytes received.
    """

    requests: int = Field(description="Requests sent")
    by_status: dict[str, int] = Field(
        description="Requests by status code, adding up to `requests`; `no response` counts those that failed without "
        "a response, and those in flight when the crawl was stopped"
    )
    retries: int = Field(description="Retries sent; not those that were scheduled, then refused, e.g. by the budget")
    bytes: int
    seconds: float
    latency_ms: LatencyReport
    timeline: list[tuple[int, int, int]]


class BudgetReport(_Model):
    """Requests that the source may get on the day, and those it had got before this crawl."""

    limit: int
    used_before: int


class ImageFault(_Model):
    """An image that could not be stored."""

    url: str
    reason: str
    count: int


class ImagesReport(_Model):
    """Images that were fetched, answered with 304, and left for the next crawl; ``bytes`` of those fetched."""

    fetched: int
    unchanged: int
    bytes: int
    left: int
    faults: list[ImageFault]


class PagesReport(_Model):
    """Product pages that were requested, without those that the daily budget refused, and those that were received."""

    requested: int
    received: int


class DatasetSummary(_Model):
    """What a crawl read and missed of one dataset; ``pages`` is set for the product pages alone."""

    scopes: list[ScopeReport]
    faults: list[FieldFault]
    contract_check: ContractCheck
    requests: int
    pages: PagesReport | None = None

    @property
    def items(self) -> int:
        """Number of items of the dataset."""
        return sum(scope.items for scope in self.scopes)


class CrawlSummary(_Model):
    """What the spider process leaves when the crawl is over."""

    datasets: dict[str, DatasetSummary]
    traffic: TrafficReport


class CrawlRunReport(RunReport):
    """Report of one dataset of a crawl. The datasets of a crawl share the run id, the times and the traffic.

    ``taken_over``: requests of killed crawls whose checkpoints this crawl took over, by run id. State that is only kept
    for the next crawl (product pages, images) has no scopes, contract check and ``gate``; ``images`` is set for images
    alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    started_at: AwareDatetime
    finished_at: AwareDatetime
    taken_over: dict[str, int]
    budget: BudgetReport
    traffic: TrafficReport
    requests: int = 0
    scopes: list[ScopeReport] = Field(default_factory=list)
    faults: list[FieldFault] = Field(default_factory=list)
    contract_check: ContractCheck | None = None
    pages: PagesReport | None = None
    gate: GateResult | None = None
    images: ImagesReport | None = None


class FailedCrawlReport(_Model):
    """Report of a crawl that read no item, so that it has no raw run: the reason, and the report of each dataset."""

    schema_version: int = SCHEMA_VERSION
    failed: str
    datasets: dict[str, CrawlRunReport]


def read_crawl_report(store: Store, run: RawRun) -> CrawlRunReport:
    """Read the report of a crawl's run. Raise ``UnreadableReport`` if it is damaged or of another schema version."""
    return read_report(store, run, CrawlRunReport)


def read_earlier_reports(store: Store, runs: Iterable[RawRun]) -> dict[RawRun, CrawlRunReport]:
    """Read the reports of runs to compare with. Log and leave out those that are damaged or of another schema version.

    So after a change of the schema, crawls are compared with those since.
    """
    reports = {}
    for run in runs:
        try:
            reports[run] = read_crawl_report(store, run)
        except UnreadableReport as error:
            log.warning("earlier crawl left out of the comparison", reason=str(error))
    return reports
