"""The manifest of a release: what it holds, what it was built from and how it was evaluated."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from artifacts.release import BaseManifest
from recommender.evaluation.results import Evaluation
from recommender.rankers.config import BlendConfig


class ManifestPart(BaseModel):
    """Base of the parts of a manifest: immutable, and unknown names are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Counts(ManifestPart):
    """Number of rows of each kind."""

    recipes: int
    ingredients: int
    kok_products: int
    home_shopping_products: int

    @property
    def products(self) -> int:
        """Products of all sources."""
        return self.kok_products + self.home_shopping_products


class Dimensions(ManifestPart):
    """Width of the vectors."""

    word2vec: int
    text: int


class Datasets(ManifestPart):
    """Versions of the dataset snapshots."""

    recipes: str
    products: str


class Parameters(ManifestPart):
    """Versions of the models, length of a neighbour list, and parameters of the rankers.

    ``personal`` is None for a release that was built before there were enough events.
    """

    word2vec: str
    bert: str
    neighbours: int
    rankers: BlendConfig
    personal: str | None = None


class CheckStatus(StrEnum):
    """Outcome of a check: ``failed`` and ``not judged`` block; ``allowed`` is either of them on a person's word."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    NOT_JUDGED = "not judged"
    ALLOWED = "allowed"

    @property
    def blocks(self) -> bool:
        """Whether a release with such a check is refused."""
        return self in {CheckStatus.FAILED, CheckStatus.NOT_JUDGED}


class Check(ManifestPart):
    """Comparison of a figure with its limit.

    ``name`` is that of a relation or part and of its figure; ``reason`` says in plain words what the outcome means.
    There is no ``value`` or ``limit`` where the outcome is no matter of one number.
    """

    name: str
    status: CheckStatus
    value: float | None = None
    limit: float | None = None
    reason: str


class GateResult(ManifestPart):
    """Whether a release may go live, the checks that decided it, and the flags with which a person overruled some."""

    passed: bool
    checks: tuple[Check, ...]
    accepted: tuple[str, ...] = ()


class Manifest(BaseManifest):
    """Description of a release; stored as ``manifest.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    built_at: datetime
    counts: Counts
    dimensions: Dimensions
    metric: str
    datasets: Datasets
    code_version: str
    parameters: Parameters
    evaluation: Evaluation
    gate: GateResult
