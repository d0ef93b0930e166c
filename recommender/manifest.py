"""The manifest of a release: what it holds, what it was built from and how it was evaluated."""

from datetime import datetime

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
    """Versions of the models, length of a neighbour list, and parameters of the rankers."""

    word2vec: str
    bert: str
    neighbours: int
    rankers: BlendConfig


class Check(ManifestPart):
    """Comparison of a figure with its lower limit; ``passed`` is None if there was too little data to compare."""

    name: str
    value: float | None
    limit: float | None
    passed: bool | None


class GateResult(ManifestPart):
    """Whether a release may go live, and the checks that decided it."""

    passed: bool
    checks: tuple[Check, ...]


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
