"""What `ukok status` shows, and `ukok status --json` prints."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel

from pipelines.disks import Disk
from recommender.manifest import Manifest

Database = Literal["service", "warehouse"]


class Component(BaseModel):
    """State of a database or of the artifact store.

    ``empty`` is a database without tables, ``incomplete`` one that lacks some, ``unreadable`` one where a query fails,
    ``stopped`` an embedded server that is not running.
    """

    name: Literal["service", "warehouse", "artifacts"]
    state: Literal["ok", "empty", "incomplete", "stopped", "unreadable", "unreachable"]
    detail: str


class SourceStatus(BaseModel):
    """When a source was last crawled and loaded without a failure; None if never or if the warehouse is unavailable."""

    source: str
    crawled_at: AwareDatetime | None
    loaded_at: AwareDatetime | None


class UnloadedFile(BaseModel):
    """A raw file that the service database lacks, or lacks a part of: ``held`` back, or waiting for the next load."""

    source: str
    dataset: str
    run_id: str
    held: bool
    reason: str | None


class TableRows(BaseModel):
    """Number of rows of a table."""

    database: Database
    table: str
    rows: int


class StepStatus(BaseModel):
    """The last run of a step; ``detail``: figures, version or why it failed; ``seconds`` is None while it runs."""

    step: str
    status: str
    started_at: AwareDatetime
    seconds: float | None
    detail: str


class ReleaseFigures(BaseModel):
    """The contents and the evaluation of a release.

    ``hit_at_10``: recipes completed with their title; ``ndcg_at_5``: relevance of each relation; ``failed``: the checks
    that block it.
    """

    version: str
    built_at: AwareDatetime
    recipes: int
    products: int
    hit_at_10: float | None
    ndcg_at_5: dict[str, float]
    index_recall_at_10: float | None
    gate_passed: bool
    failed: tuple[str, ...]


class LiveRelease(ReleaseFigures):
    """The release that the API serves; ``promoted_at`` is None if the warehouse is unavailable."""

    promoted_at: AwareDatetime | None


class CanaryStatus(BaseModel):
    """A release that a share of the visitors is served, and the last decision since it began, None before the first."""

    version: str
    baseline: str
    share: float
    since: AwareDatetime
    watched_at: AwareDatetime | None = None
    decision: str | None = None
    reason: str | None = None


class SystemStatus(BaseModel):
    """Everything that `ukok status` shows; ``rows`` of the main tables only.

    ``release_problem``: why the live release or ``CURRENT`` cannot be read; ``canary_problem``: why ``CANARY`` cannot.
    """

    at: AwareDatetime
    components: list[Component]
    disks: list[Disk]
    sources: list[SourceStatus]
    unloaded: list[UnloadedFile]
    rows: list[TableRows]
    steps: list[StepStatus]
    release: LiveRelease | None
    release_problem: str | None
    canary: CanaryStatus | None = None
    canary_problem: str | None = None

    @property
    def reachable(self) -> bool:
        """Whether every database and the store that the settings name can be used or at least set up."""
        return all(component.state not in {"unreadable", "unreachable"} for component in self.components)


def release_figures(manifest: Manifest) -> ReleaseFigures:
    """Pick the figures of a release that people compare."""
    evaluation, completion = manifest.evaluation, manifest.evaluation.served_completion
    relevance = {name: relation.served.ndcg_at_5 for name, relation in evaluation.relations.items()}
    return ReleaseFigures(
        version=manifest.version,
        built_at=manifest.built_at,
        recipes=manifest.counts.recipes,
        products=manifest.counts.products,
        hit_at_10=completion.titled.hit_at_10 if completion.titled else None,
        ndcg_at_5={name: value for name, value in relevance.items() if value is not None},
        index_recall_at_10=evaluation.index.recall_at_10,
        gate_passed=manifest.gate.passed,
        failed=tuple(check.name for check in manifest.gate.checks if check.status.blocks),
    )
