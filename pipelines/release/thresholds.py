"""The limits of the gate, read from ``thresholds.toml``, which says why each is what it is."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

FILE: Final = Path(__file__).with_suffix(".toml")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CaseLimits(_Section):
    """How many cases a figure needs."""

    minimum: int


class ContentLimits(_Section):
    """Agreement of files, titles and ingredients."""

    min_products_named: float
    min_recipes_named: float
    max_catalog_differences: int


class LiveLimits(_Section):
    """Comparison with the live release and with simple methods."""

    max_loss: float
    tolerance: float
    warn_agreement: float
    min_agreement: float


class JudgementLimits(_Section):
    """Relevance by people's judgements."""

    min_ndcg: float
    max_wrong: float
    max_unjudged: float


class RuleLimits(_Section):
    """Relevance by the rule of a relation; ``without_rivals``: relations whose rule prefers no ranking."""

    without_rivals: frozenset[str]
    min_ndcg: dict[str, float]


class ListLimits(_Section):
    """Coverage, diversity and order of lists; ``not_sorted_by_score``: relations that rank by more than their score."""

    min_answered: float
    min_diversity: float
    max_concentration: float
    max_tied: float
    max_false_reasons: float
    not_sorted_by_score: frozenset[str]


class CompletionLimits(_Section):
    """Completion of recipes."""

    min_hit_titled: float
    min_hit_untitled: float


class EncoderLimits(_Section):
    """The sentence encoder and its index."""

    min_understood: float
    max_cosine: float
    min_found: float
    min_gain: float
    min_index_cosine: float
    min_recall: float


class VectorLimits(_Section):
    """The ingredient vectors."""

    min_covered: float
    min_recipes: float
    min_together: float
    min_alike: float


class PersonalLimits(_Section):
    """Products for a user."""

    min_recall: float
    tolerance: float


class Thresholds(_Section):
    """Every limit of the gate."""

    cases: CaseLimits
    content: ContentLimits
    live: LiveLimits
    judgements: JudgementLimits
    rules: RuleLimits
    lists: ListLimits
    completion: CompletionLimits
    encoder: EncoderLimits
    vectors: VectorLimits
    personal: PersonalLimits


@cache
def read_thresholds() -> Thresholds:
    """Read the limits of the project."""
    return Thresholds.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")))
