"""Weights of the features by which search ranks; ``weights.json`` holds them and says how they were learnt."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["products", "recipes"]

# What a document is judged by. Of its name: how it contains the query's key word (key…), the whole query (phrase) and
# its other words (others); how alike it is by letters and tokens; whether it mentions the ingredient (mentioned), and
# ends with it (head). Of the product: whether its ingredients agree (main, listed; other_made, other_raw), its form
# agrees (form; other_form), it is raw or a dish where an ingredient is asked for; its popularity. Against it: that it
# has neither the key word nor its ingredient (absent), nor the key word nor its form (other_dish), or names the
# ingredient before that of another raw product (modifier).
FEATURES: Final = (
    "bias", "key", "key_whole", "key_ends", "key_starts", "key_aside", "key_taste", "key_use", "phrase", "others",
    "letters", "tokens", "main", "listed", "mentioned", "head", "other_made", "other_raw", "modifier", "absent", "form",
    "other_form", "other_dish", "raw", "dish", "popularity",
)  # fmt: skip
# Among so many answers, what is rather irrelevant may be shown: less than that looks broken. Further down it is noise.
FEW: Final = 5
FILE: Final = Path(__file__).with_name("weights.json")


@dataclass(frozen=True)
class Weights:
    """How documents of a kind are ranked.

    ``relevance`` weighs features to the log odds that a document is relevant. What is below ``threshold``, or
    ``margin`` below the best, is not shown; what is rather irrelevant only among the first few. The probability of
    relevance, and features weighed by ``order``, give the order: of documents that are surely relevant, those whose
    name is most like the query come first.
    """

    relevance: Mapping[str, float]
    order: Mapping[str, float]
    threshold: float
    margin: float

    def rank(self, features: NDArray[np.float32]) -> NDArray[np.intp]:
        """Rows of ``features`` (n, features) to show, best first."""
        odds = features @ self._relevance
        shown = np.flatnonzero(odds >= max(self.threshold, float(odds.max(initial=-np.inf)) - self.margin))
        scores = 1 / (1 + np.exp(-odds[shown])) + features[shown] @ self._order
        ranked = shown[np.argsort(-scores, kind="stable")]
        return ranked[(odds[ranked] >= 0) | (np.arange(len(ranked)) < FEW)]

    @cached_property
    def _relevance(self) -> NDArray[np.float32]:
        return _vector(self.relevance)

    @cached_property
    def _order(self) -> NDArray[np.float32]:
        return _vector(self.order)


def load_weights(kind: Kind) -> Weights:
    """The weights that the project keeps for products or for recipes."""
    held: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))[kind]
    return Weights(held["relevance"], held["order"], held["threshold"], held["margin"])


def _vector(weights: Mapping[str, float]) -> NDArray[np.float32]:
    """Weights in the order of :data:`FEATURES`."""
    return np.array([weights.get(name, 0.0) for name in FEATURES], np.float32)
