"""Combine recipes that together use up a stock of ingredients.

A recipe scores by what it uses of the stock. Each ingredient is weighted by its inverse document frequency, so that
salt decides little: one half of the weight for being used at all, the other for the share of it that is used up; both
are reduced where the recipe needs more than is left. A recipe that needs many other ingredients scores less. A
combination is built greedily: it takes the best recipe, subtracts what that needs from the stock, and goes on with the
rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.text.quantities import Quantity, add_quantities

LAST_COMBINATION: Final = 3
# A recipe takes a third of what is left of an ingredient where either amount is unknown.
USUAL_SHARE: Final = 1 / 3
# A smaller share of the given amount counts as used up.
MIN_LEFTOVER: Final = 0.02
# Lower bound of amounts and shares, so that quotients stay finite.
EPSILON: Final = 1e-6
# Recipes that are scored again after each one taken; all others score less, whatever is taken from the stock.
SHORTLIST: Final = 256

Floats = NDArray[np.float32]
Positions = NDArray[np.int32]
Flags = NDArray[np.bool_]


class Combination(NamedTuple):
    """``recipes`` by position, in the order taken; ``total`` is the number of recipes that use any of the stock."""

    recipes: tuple[int, ...]
    total: int
    has_more: bool


@dataclass(frozen=True)
class Pantry:
    """What n recipes need of m ingredients; the pairs of ingredient i lie in ``starts[i]:starts[i + 1]``.

    ``recipes`` and ``needs`` (grams, pieces) run over all pairs of ingredient and recipe, recipes ascending. An unknown
    need is the median of the known ones of its ingredient, NaN without any. ``idf`` (m,) is the inverse
    document frequency of each ingredient, ``contents`` (n,) its sum over a recipe, and recipes of the same title share
    a number in ``title_ids`` (n,).
    """

    numbers: dict[str, int]
    starts: NDArray[np.int64]
    recipes: Positions
    needs: Floats
    idf: Floats
    contents: Floats
    title_ids: Positions

    @classmethod
    def of(cls, titles: Sequence[str], needs: Sequence[Sequence[tuple[str, Quantity]]]) -> "Pantry":
        """Build it from recipes, the most popular first: their titles, and the lines of their ingredient lists."""
        lists = [_sum_by_ingredient(lines) for lines in needs]
        numbers: dict[str, int] = {}
        for name in (name for wanted in lists for name in wanted):
            numbers.setdefault(name, len(numbers))
        owners = np.repeat(np.arange(len(lists), dtype=np.int32), [len(wanted) for wanted in lists])
        ingredients = np.array([numbers[name] for wanted in lists for name in wanted], np.int64)
        amounts = np.array([need for wanted in lists for need in wanted.values()], np.float32).reshape(-1, 2)
        order = np.argsort(ingredients, kind="stable")
        counts = np.bincount(ingredients, minlength=len(numbers))
        idf = (np.log((1 + len(lists)) / (1 + counts)) + 1).astype(np.float32)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        ids = {title: number for number, title in enumerate(dict.fromkeys(titles))}
        return cls(
            numbers=numbers,
            starts=starts,
            recipes=owners[order],
            needs=_fill_unknown(amounts[order], starts),
            idf=idf,
            contents=np.maximum(np.bincount(owners, idf[ingredients], len(lists)), 1).astype(np.float32),
            title_ids=np.array([ids[title] for title in titles], np.int32),
        )


def combine(
    pantry: Pantry, stock: Mapping[str, Quantity], size: int, number: int, shortlist: int = SHORTLIST
) -> Combination:
    """Combination ``number`` (from 1) of at most ``size`` recipes for a ``stock`` by canonical names.

    A combination repeats no recipe of an earlier one and no title. It ends when the stock is used up. Combinations
    after the third are empty. ``shortlist`` changes the speed, not the result.
    """
    stocked = _Stock.of(pantry, stock)
    full = stocked.scores(np.ones(len(stocked.ingredients), np.float32))
    taken = np.zeros(len(pantry.title_ids), np.bool_)
    recipes: list[int] = []
    for _ in range(number if number <= LAST_COMBINATION else 0):
        recipes = _take_recipes(stocked, full, taken, size, shortlist)
    using = full > 0
    more = number < LAST_COMBINATION and bool((using & ~taken[pantry.title_ids]).any())
    return Combination(tuple(recipes), int(np.count_nonzero(using)), more)


@dataclass(frozen=True)
class _StockedIngredient:
    """An ingredient of the stock and the shares of it that recipes use; if ``unlimited``, shares of what is left."""

    recipes: Positions
    shares: Floats
    weight: float
    unlimited: bool


@dataclass(frozen=True)
class _Stock:
    """A stock; ``fit`` (n,) is 1 for a recipe that needs nothing else, ``title_ids`` (n,) are the pantry's."""

    ingredients: tuple[_StockedIngredient, ...]
    weights: Floats
    unlimited: Flags
    fit: Floats
    title_ids: Positions

    @classmethod
    def of(cls, pantry: Pantry, stock: Mapping[str, Quantity]) -> "_Stock":
        known = ((pantry.numbers[name], there) for name, there in stock.items() if name in pantry.numbers)
        ingredients = tuple(_stocked_ingredient(pantry, number, there) for number, there in known)
        covered = np.zeros(len(pantry.title_ids), np.float32)
        for one in ingredients:
            covered[one.recipes] += one.weight
        weights = np.array([one.weight for one in ingredients], np.float32)
        unlimited = np.array([one.unlimited for one in ingredients], np.bool_)
        fit = ((1 + covered / pantry.contents) / 2).astype(np.float32)
        return cls(ingredients, weights, unlimited, fit, pantry.title_ids)

    def scores(self, left: Floats) -> Floats:
        """Score of each recipe (n,) while the shares ``left`` of the stock remain."""
        found = np.zeros(len(self.fit), np.float32)
        for one, rest in zip(self.ingredients, left.tolist(), strict=True):
            if rest:
                found[one.recipes] += one.weight * _score(one.shares * rest if one.unlimited else one.shares, rest)
        return found * self.fit

    def shares(self, recipes: Positions) -> Floats:
        """Shares of the stock (ingredients, k) that ``recipes`` need; infinite, which scores 0, if not needed."""
        found = np.empty((len(self.ingredients), len(recipes)), np.float32)
        for row, one in enumerate(self.ingredients):
            places = np.minimum(np.searchsorted(one.recipes, recipes), len(one.recipes) - 1)
            found[row] = np.where(one.recipes[places] == recipes, one.shares[places], np.inf)
        return found


def _take_recipes(stocked: _Stock, full: Floats, taken: Flags, size: int, shortlist: int) -> list[int]:
    """Recipes of a combination, whose scores are ``full`` at first; marks their title ids in ``taken``."""
    recipes: list[int] = []
    left = np.ones(len(stocked.ingredients), np.float32)
    scores = full
    while len(recipes) < size and left.any():
        near, bound = _best(np.where(taken[stocked.title_ids], 0, scores) if taken.any() else scores, shortlist)
        found = _take_best(stocked, near, bound, left, size - len(recipes), taken)
        if not found:
            break
        recipes += found
        scores = stocked.scores(left)
    return recipes


def _take_best(stocked: _Stock, near: Positions, bound: float, left: Floats, most: int, taken: Flags) -> list[int]:
    """Take the best of the recipes ``near`` from ``left``, until one outside of them may be better.

    The others score less than ``bound``, and no score rises by what is taken.
    """
    recipes: list[int] = []
    shares, title_ids, fit = stocked.shares(near), stocked.title_ids[near], stocked.fit[near]
    while len(near) and len(recipes) < most:
        needed = shares * np.where(stocked.unlimited, left, 1)[:, np.newaxis]
        # Summed in the order of scores(), so that equal recipes are equal to the last bit and popularity decides.
        parts = stocked.weights[:, np.newaxis] * _score(needed, left[:, np.newaxis])
        scores = np.where(taken[title_ids], 0, parts.sum(axis=0) * fit)
        best = int(np.argmax(scores))
        if scores[best] <= 0 or (recipes and scores[best] < bound):
            break
        recipes.append(int(near[best]))
        used = needed[:, best]
        left -= np.where(np.isinf(used), 0, np.minimum(used, left))
        left[(left < MIN_LEFTOVER) & ~stocked.unlimited] = 0
        taken[title_ids[best]] = True
    return recipes


def _best(scores: Floats, count: int) -> tuple[Positions, float]:
    """The positions of the best recipes, ascending, and a bound that all other scores lie below."""
    bound = float(np.partition(scores, -count)[-count]) if len(scores) > count else 0.0
    return np.flatnonzero((scores >= bound) & (scores > 0)).astype(np.int32), bound


def _stocked_ingredient(pantry: Pantry, number: int, there: Quantity) -> _StockedIngredient:
    of_it = slice(pantry.starts[number], pantry.starts[number + 1])
    amount, column = (there.grams, 0) if there.grams is not None else (there.pieces, 1)
    shares = np.full(of_it.stop - of_it.start, np.nan, np.float32)
    if amount is not None:
        shares = pantry.needs[of_it, column] / max(amount, EPSILON)
    shares = np.clip(np.where(np.isnan(shares), USUAL_SHARE, shares), EPSILON, 1 / EPSILON).astype(np.float32)
    return _StockedIngredient(pantry.recipes[of_it], shares, float(pantry.idf[number]), amount is None)


def _score(needed: Floats, left: Floats | float) -> Floats:
    """Score of using an ingredient, 0 to 1, by the shares of the stock that are ``needed`` and ``left``."""
    value: Floats = np.minimum(1, left / needed) * (1 + np.minimum(needed, left)) / 2
    return value


def _fill_unknown(needs: Floats, starts: NDArray[np.int64]) -> Floats:
    """``needs`` with the median of the ingredient, in grams and in pieces, where an amount is unknown."""
    filled = needs.copy()
    for start, stop in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        for column in (0, 1):
            known = needs[start:stop, column]
            unknown = np.isnan(known)
            if not unknown.all() and unknown.any():
                filled[start:stop, column][unknown] = np.median(known[~unknown])
    return filled


def _sum_by_ingredient(lines: Sequence[tuple[str, Quantity]]) -> dict[str, Quantity]:
    """What a recipe needs by ingredient; lines of the same ingredient are added up."""
    found: dict[str, Quantity] = {}
    for name, need in lines:
        found[name] = add_quantities(found[name], need) if name in found else need
    return found
