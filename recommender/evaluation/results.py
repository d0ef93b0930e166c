"""Results of an evaluation: what the manifest of a release and the warehouse store.

Fields named ``..._at_k`` are written as ``...@k``.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Result(BaseModel):
    """Base of all results: immutable, and unknown names are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True)


class RankingFigures(Result):
    """Share of cases whose held-out item is in the first 10 or 50, and mean reciprocal rank."""

    hit_at_10: float = Field(alias="hit@10")
    hit_at_50: float = Field(alias="hit@50")
    mrr: float


class HitDifference(Result):
    """Difference in hit@10 with its 95 % interval."""

    hit_at_10: float = Field(alias="hit@10")
    low: float
    high: float


class CompletionEvaluation(Result):
    """Completion of recipes, by method; ``blend_against`` is the blend minus each other method.

    Without cases there are no figures: ``methods`` and ``blend_against`` are empty.
    """

    cases: int
    candidates: int
    methods: dict[str, RankingFigures] = {}
    blend_against: dict[str, HitDifference] = {}


class ServedEvaluation(Result):
    """The recipes that products are answered with; ``contains_ingredient`` is the share with the product's own.

    ``contains_ingredient`` is None if no product with a resolved ingredient has a recipe.
    """

    products: int
    products_resolved: int
    products_answered: int
    recipes_shown: int
    contains_ingredient: float | None


class IndexEvaluation(Result):
    """Share of the exact ten nearest texts that the text index returns."""

    recall_at_10: float = Field(alias="recall@10")


class TitleSearchFigures(Result):
    """Search of a title among the ingredient lists of so many recipes."""

    recipes: int
    recall_at_10: float = Field(alias="recall@10")
    mrr: float


class MeanDifference(Result):
    """Difference of two means over the same cases with its 95 % interval."""

    mean: float
    low: float
    high: float


class EncoderComparison(Result):
    """The encoder against letters in one relation: the mean of a metric by method, on texts that none has learnt from.

    ``uses_encoder``: the encoder, or its sum with letters, is better than letters alone beyond chance.
    """

    metric: str
    cases: int
    methods: dict[str, float] = {}
    against_letters: dict[str, MeanDifference] = {}
    uses_encoder: bool = False


class BertFigures(Result):
    """Figures of an encoder that learnt from all but the test part: title search before and after, and each relation.

    The encoder that is released goes on to learn from everything.
    """

    untrained: TitleSearchFigures
    trained: TitleSearchFigures
    relations: dict[str, EncoderComparison] = {}

    @property
    def uses_encoder(self) -> frozenset[str]:
        """The relations in which the encoder may be used."""
        return frozenset(name for name, comparison in self.relations.items() if comparison.uses_encoder)


class Word2VecFigures(Result):
    """Ingredients with a vector, and recipes in the training part."""

    ingredients: int
    recipes: int


class ModelFigures(Result):
    """Figures of the models that a release was built from."""

    word2vec: Word2VecFigures
    bert: BertFigures


class Evaluation(Result):
    """Everything that was measured of a release; also a row's column in the warehouse, without the manifest.

    ``schema_version`` is raised when a figure is added, removed or measured in another way, and that of the manifest
    with it. Rows of different versions are not compared.
    """

    schema_version: Literal[1] = 1
    completion: CompletionEvaluation
    served: ServedEvaluation
    index: IndexEvaluation
    models: ModelFigures
