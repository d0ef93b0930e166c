"""Do the vectors of ingredients know anything? Their similarities against those of shuffled names."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recommender.models.baskets import Baskets

SHUFFLES: Final = 50
# The most frequent ingredients decide; the work is quadratic in their number.
MOST_INGREDIENTS: Final = 1500


def shuffle_deviations(scores: NDArray[np.float32], pairs: NDArray[np.bool_]) -> float | None:
    """How far the mean score (n, n) of related ``pairs`` is above that of shuffled names, in standard deviations.

    None without a related and an unrelated pair; 0 if the scores are all equal.
    """
    others = ~np.eye(len(scores), dtype=np.bool_)
    related = pairs & others
    if not related.any() or related[others].all():
        return None
    chance = np.random.default_rng(len(scores))
    means = []
    for _ in range(SHUFFLES):
        order = chance.permutation(len(scores))
        means.append(float(scores[np.ix_(order, order)][related].mean()))
    spread = float(np.std(means))
    return (float(scores[related].mean()) - float(np.mean(means))) / spread if spread > 1e-9 else 0.0


def frequent(baskets: Baskets, names: int) -> NDArray[np.intp]:
    """Numbers of the most frequent ingredients, the most frequent first."""
    counts = np.bincount(baskets.ingredients, minlength=names)
    return np.argsort(-counts, kind="stable")[: min(MOST_INGREDIENTS, int(np.count_nonzero(counts)))]


def together(baskets: Baskets, rows: NDArray[np.intp], names: int) -> NDArray[np.bool_]:
    """Which of the ingredients ``rows`` share a recipe (rows, rows)."""
    place = np.full(names, -1)
    place[rows] = np.arange(len(rows))
    pairs = np.zeros((len(rows), len(rows)), dtype=np.bool_)
    for recipe in range(len(baskets)):
        known = place[baskets.of_recipe(recipe)]
        known = known[known >= 0]
        pairs[np.ix_(known, known)] = True
    return pairs


def same_kind(kinds: Sequence[str | None]) -> NDArray[np.bool_]:
    """Which ingredients are of the same kind (n, n); those without one are of none."""
    numbers = {kind: number for number, kind in enumerate(sorted({kind for kind in kinds if kind}))}
    ours = np.array([numbers[kind] if kind else -1 for kind in kinds])
    return np.asarray((ours[:, None] == ours[None, :]) & (ours[:, None] >= 0))
