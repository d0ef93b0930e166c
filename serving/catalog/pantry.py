"""What to cook with what is there: recipes that together use up a stock of ingredients.

A recipe is worth what it uses of the stock. Each ingredient counts by how rare it is among recipes, so that salt
decides little: one half for being used at all, the other for the share of it that is used up; both less where the
recipe needs more than is left. A recipe that needs much besides is worth less. A combination takes the best recipe,
takes what that needs from the stock, and goes on with what is left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.text.quantities import Quantity, together

LAST_COMBINATION: Final = 3
# Of an ingredient whose amounts nobody knows a recipe takes a third of what is left.
USUAL_SHARE: Final = 1 / 3
# Less than this share of what was given is no leftover to cook with.
CRUMBS: Final = 0.02
# No amount and no share counts as less, so that figures stay within their bounds.
LEAST: Final = 1e-6
# Recipes that are looked at closely; the others are worth less, whatever is taken from the stock.
NEAREST: Final = 256

Floats = NDArray[np.float32]
Positions = NDArray[np.int32]
Flags = NDArray[np.bool_]


class Combination(NamedTuple):
    """``recipes`` by position, in the order in which they were taken; ``total`` use any of the stock at all."""

    recipes: tuple[int, ...]
    total: int
    has_more: bool


@dataclass(frozen=True)
class Pantry:
    """What n recipes need of m ingredients; those of ingredient i lie in ``starts[i]:starts[i + 1]``.

    ``recipes`` and ``needs`` (grams, pieces) run over all pairs of ingredient and recipe, recipes ascending. A need
    that is not said is the median of those that are, NaN without any. ``information`` (m,) is the inverse document
    frequency of each ingredient, ``contents`` (n,) its sum over a recipe, and recipes of one title share a number in
    ``twins`` (n,).
    """

    numbers: dict[str, int]
    starts: NDArray[np.int64]
    recipes: Positions
    needs: Floats
    information: Floats
    contents: Floats
    twins: Positions

    @classmethod
    def of(cls, titles: Sequence[str], needs: Sequence[Sequence[tuple[str, Quantity]]]) -> "Pantry":
        """Pantry of recipes, the most popular first: their titles, and the lines of their ingredient lists."""
        lists = [_joined(lines) for lines in needs]
        numbers: dict[str, int] = {}
        for name in (name for wanted in lists for name in wanted):
            numbers.setdefault(name, len(numbers))
        owners = np.repeat(np.arange(len(lists), dtype=np.int32), [len(wanted) for wanted in lists])
        ingredients = np.array([numbers[name] for wanted in lists for name in wanted], np.int64)
        amounts = np.array([need for wanted in lists for need in wanted.values()], np.float32).reshape(-1, 2)
        order = np.argsort(ingredients, kind="stable")
        counts = np.bincount(ingredients, minlength=len(numbers))
        information = (np.log((1 + len(lists)) / (1 + counts)) + 1).astype(np.float32)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        distinct = {title: number for number, title in enumerate(dict.fromkeys(titles))}
        return cls(
            numbers=numbers,
            starts=starts,
            recipes=owners[order],
            needs=_with_usual(amounts[order], starts),
            information=information,
            contents=np.maximum(np.bincount(owners, information[ingredients], len(lists)), 1).astype(np.float32),
            twins=np.array([distinct[title] for title in titles], np.int32),
        )


def combine(pantry: Pantry, stock: Mapping[str, Quantity], size: int, number: int) -> Combination:
    """Combination ``number`` (from 1) of at most ``size`` recipes for a ``stock`` by canonical names.

    A combination uses no recipe of an earlier one, and no title twice. It ends where nothing is left to use. After the
    third there is none.
    """
    shelf = _Shelf.of(pantry, stock)
    full = shelf.worth(np.ones(len(shelf.given), np.float32))
    taken = np.zeros(len(pantry.twins), np.bool_)
    recipes: list[int] = []
    for _ in range(number if number <= LAST_COMBINATION else 0):
        recipes = _take_recipes(shelf, full, taken, size)
    using = full > 0
    more = number < LAST_COMBINATION and bool((using & ~taken[pantry.twins]).any())
    return Combination(tuple(recipes), int(np.count_nonzero(using)), more)


@dataclass(frozen=True)
class _Given:
    """An ingredient of the stock, and which recipes use which share of it; of an ``endless`` one, of what is left."""

    recipes: Positions
    shares: Floats
    weight: float
    endless: bool


@dataclass(frozen=True)
class _Shelf:
    """A stock; ``fit`` (n,) of a recipe is 1 where it needs nothing besides, ``twins`` (n,) are the pantry's."""

    given: tuple[_Given, ...]
    weights: Floats
    endless: Flags
    fit: Floats
    twins: Positions

    @classmethod
    def of(cls, pantry: Pantry, stock: Mapping[str, Quantity]) -> "_Shelf":
        known = ((pantry.numbers[name], there) for name, there in stock.items() if name in pantry.numbers)
        given = tuple(_given(pantry, number, there) for number, there in known)
        covered = np.zeros(len(pantry.twins), np.float32)
        for one in given:
            covered[one.recipes] += one.weight
        weights = np.array([one.weight for one in given], np.float32)
        endless = np.array([one.endless for one in given], np.bool_)
        fit = ((1 + covered / pantry.contents) / 2).astype(np.float32)
        return cls(given, weights, endless, fit, pantry.twins)

    def worth(self, left: Floats) -> Floats:
        """What each recipe is worth (n,) while the shares ``left`` of the stock are there."""
        found = np.zeros(len(self.fit), np.float32)
        for one, rest in zip(self.given, left.tolist(), strict=True):
            if rest:
                found[one.recipes] += one.weight * _value(one.shares * rest if one.endless else one.shares, rest)
        return found * self.fit

    def shares(self, recipes: Positions) -> Floats:
        """Shares of the stock (given, k) that ``recipes`` need; infinite, so worth nothing, where they do without."""
        found = np.empty((len(self.given), len(recipes)), np.float32)
        for row, one in enumerate(self.given):
            places = np.minimum(np.searchsorted(one.recipes, recipes), len(one.recipes) - 1)
            found[row] = np.where(one.recipes[places] == recipes, one.shares[places], np.inf)
        return found


def _take_recipes(shelf: _Shelf, full: Floats, taken: Flags, size: int) -> list[int]:
    """The recipes of a combination, worth ``full`` at first; ``taken``, by number of twins, is brought up to date."""
    recipes: list[int] = []
    left = np.ones(len(shelf.given), np.float32)
    worth = full
    while len(recipes) < size and left.any():
        near, bound = _nearest(np.where(taken[shelf.twins], 0, worth) if taken.any() else worth)
        found = _take_nearest(shelf, near, bound, left, size - len(recipes), taken)
        if not found:
            break
        recipes += found
        worth = shelf.worth(left)
    return recipes


def _take_nearest(shelf: _Shelf, near: Positions, bound: float, left: Floats, most: int, taken: Flags) -> list[int]:
    """Take the best of the recipes ``near`` from ``left``, until one that is not among them may be better.

    Those are worth less than ``bound``, and nothing gains by what others take.
    """
    recipes: list[int] = []
    shares, twins, fit = shelf.shares(near), shelf.twins[near], shelf.fit[near]
    while len(near) and len(recipes) < most:
        needed = shares * np.where(shelf.endless, left, 1)[:, np.newaxis]
        # Summed in the order of worth(), so that equal recipes are equal to the last bit and popularity decides.
        worths = shelf.weights[:, np.newaxis] * _value(needed, left[:, np.newaxis])
        worth = np.where(taken[twins], 0, worths.sum(axis=0) * fit)
        best = int(np.argmax(worth))
        if worth[best] <= 0 or (recipes and worth[best] < bound):
            break
        recipes.append(int(near[best]))
        used = needed[:, best]
        left -= np.where(np.isinf(used), 0, np.minimum(used, left))
        left[(left < CRUMBS) & ~shelf.endless] = 0
        taken[twins[best]] = True
    return recipes


def _nearest(worth: Floats) -> tuple[Positions, float]:
    """The recipes that are worth most, ascending, and a bound that all others lie below."""
    bound = float(np.partition(worth, -NEAREST)[-NEAREST]) if len(worth) > NEAREST else 0.0
    return np.flatnonzero((worth >= bound) & (worth > 0)).astype(np.int32), bound


def _given(pantry: Pantry, number: int, there: Quantity) -> _Given:
    of_it = slice(pantry.starts[number], pantry.starts[number + 1])
    amount, column = (there.grams, 0) if there.grams is not None else (there.pieces, 1)
    shares = np.full(of_it.stop - of_it.start, np.nan, np.float32)
    if amount is not None:
        shares = pantry.needs[of_it, column] / max(amount, LEAST)
    shares = np.clip(np.where(np.isnan(shares), USUAL_SHARE, shares), LEAST, 1 / LEAST).astype(np.float32)
    return _Given(pantry.recipes[of_it], shares, float(pantry.information[number]), amount is None)


def _value(needed: Floats, left: Floats | float) -> Floats:
    """What the use of an ingredient is worth, 0 to 1, by the shares of the stock that are ``needed`` and ``left``."""
    value: Floats = np.minimum(1, left / needed) * (1 + np.minimum(needed, left)) / 2
    return value


def _with_usual(needs: Floats, starts: NDArray[np.int64]) -> Floats:
    """``needs`` with the median of an ingredient, in grams and in pieces, where an amount is not said."""
    filled = needs.copy()
    for start, stop in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        for column in (0, 1):
            said = needs[start:stop, column]
            unknown = np.isnan(said)
            if not unknown.all() and unknown.any():
                filled[start:stop, column][unknown] = np.median(said[~unknown])
    return filled


def _joined(lines: Sequence[tuple[str, Quantity]]) -> dict[str, Quantity]:
    """What a recipe needs by ingredient; one that is listed twice is needed twice."""
    found: dict[str, Quantity] = {}
    for name, need in lines:
        found[name] = together(found[name], need) if name in found else need
    return found
