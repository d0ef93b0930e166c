"""What speaks for one ingredient in the place of another: names, groups, vectors, and how recipes use them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.models.recipe_corpus import RecipeCorpus
from recommender.models.word_vectors import WordVectors
from recommender.rankers.cases import named_basket_matrix
from recommender.rankers.substitute_groups import SubstituteGroups, squeezed_name, substitute_groups
from recommender.rankers.word2vec import unit
from recommender.text import lexicon
from recommender.text.ingredients import canonical_name

FEATURES: Final = (
    "same_ingredient",  # both are the same canonical ingredient
    "plain_ingredient",  # the candidate is the ingredient of which the other is a kind: 간장 for 양조간장
    "plain",  # the candidate is a plain ingredient, not a kind of one
    "close",  # the lexicon's groups name it as close,
    "makeshift",  # as a makeshift,
    "makeshift_for",  # or the other as a makeshift for it
    "shared_group",  # both are close to the same ingredients
    "same_section",  # a section of the lexicon holds both
    "letters",  # share of letters and pairs of letters that the names have in common
    "same_head",  # the names are equal up to the parentheses
    "same_ending",  # last letters that are equal, up to three: the head of a Korean compound is its end
    "word2vec",  # cosine of the input vectors of the two ingredients
    "ease",  # cosine of their rows and columns in the weights of EASE
    "context",  # cosine of what recipes use beside the two names, by positive pointwise mutual information
    "together",  # how much more often than by chance recipes use both ingredients, as a logarithm
    "popularity",  # logarithm of the share of recipes with the candidate
)
Matrix = NDArray[np.float32]
# Names whose cosines are computed at once.
BLOCK: Final = 256


@dataclass(frozen=True)
class EaseWeights:
    """Ingredient names (n,) with their EASE weights (n, n)."""

    names: tuple[str, ...]
    weights: Matrix


@dataclass(frozen=True)
class WrittenNames:
    """Names of ingredients as recipes write them (n,), what each means, and the ingredient that each is."""

    names: tuple[str, ...]
    things: tuple[str, ...]
    ingredients: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


class SubstituteFeatures:
    """Features of every name as a substitute for one of them."""

    def __init__(self, written: RecipeCorpus, names: WrittenNames, vectors: WordVectors, ease: EaseWeights) -> None:
        groups = substitute_groups()
        kind = lexicon.ingredients().kind
        self._names = names
        self._plain = np.array(
            [thing == groups.thing_of(i) for thing, i in zip(names.things, names.ingredients, strict=True)]
        )
        self._things = codes(names.things)
        self._ingredients = codes(names.ingredients)
        self._sections = codes([kind.get(name, f"none: {name}") for name in names.ingredients])
        self._groups = _Groups(groups, names)
        self._letters = _Letters(names.names)
        self._use = _Use(written, names)
        self._word2vec = _Cosines(unit(vectors.aligned(names.ingredients)[0]))
        self._ease = _Cosines(_ease_rows(ease, names.ingredients))
        self._context = _Cosines(self._use.context)

    def of(self, number: int) -> Matrix:
        """Features (names, FEATURES) of every name as a substitute for name `number`."""
        same = self._ingredients == self._ingredients[number]
        together = np.where(same, 0.0, self._use.together(number))
        columns = (
            same,
            same & self._plain & (self._things != self._things[number]),
            self._plain,
            *self._groups.of(number),
            self._sections == self._sections[number],
            *self._letters.of(number),
            self._word2vec.of(number),
            self._ease.of(number),
            self._context.of(number),
            together,
            self._use.popularity,
        )
        return np.stack([np.asarray(column, np.float32) for column in columns], axis=1)


class _Cosines:
    """Cosines of unit vectors (names, d), computed for a block of names at a time: names are asked for in order."""

    def __init__(self, vectors: Matrix) -> None:
        self._vectors = vectors
        self._start = -BLOCK
        self._block = np.zeros((0, len(vectors)), np.float32)

    def of(self, number: int) -> Matrix:
        """Cosines (names,) with name `number`."""
        start = number - number % BLOCK
        if start != self._start:
            self._start, self._block = start, self._vectors[start : start + BLOCK] @ self._vectors.T
        cosines: Matrix = self._block[number - start]
        return cosines


class _Groups:
    """What the lexicon's groups say of two names."""

    def __init__(self, groups: SubstituteGroups, names: WrittenNames) -> None:
        known = [groups.known_name(thing, name) for thing, name in zip(names.things, names.ingredients, strict=True)]
        vocabulary = tuple(sorted(set(known)))
        numbers = {name: number for number, name in enumerate(vocabulary)}
        self._rows = np.array([numbers[name] for name in known])
        close, self._makeshift = (_marks(vocabulary, listed) for listed in (groups.close, groups.makeshift))
        self._close = sp.csr_array(close + sp.eye_array(len(vocabulary), dtype=np.float32, format="csr"))
        self._makeshift_for = self._makeshift.T.tocsr()
        lengths = np.sqrt(self._close.sum(axis=1))
        scaled = sp.csr_array(sp.diags_array((1 / lengths).astype(np.float32)) @ self._close)
        self._shared = sp.csr_array(scaled @ scaled.T)

    def of(self, number: int) -> tuple[Matrix, Matrix, Matrix, Matrix]:
        """Whether each name is close, a makeshift, one that this is a makeshift for; and the share of the group."""
        row = [self._rows[number]]
        close, makeshift, makeshift_for, share = (
            marks[row].toarray().ravel()[self._rows]
            for marks in (self._close, self._makeshift, self._makeshift_for, self._shared)
        )
        return close, makeshift, makeshift_for * (1 - close) * (1 - makeshift), share


def _marks(names: Sequence[str], replacements: Mapping[str, Iterable[str]]) -> sp.csr_array:
    """Ones (names, names) where a name has a replacement that is not itself."""
    return named_basket_matrix([sorted({*replacements.get(name, ())} - {name}) for name in names], names)


class _Letters:
    """How much two names look alike."""

    def __init__(self, names: Sequence[str]) -> None:
        squeezed = [squeezed_name(name) for name in names]
        heads = [name.partition("(")[0] or name for name in squeezed]
        grams = [sorted(_grams(name.replace("(", "").replace(")", ""))) for name in squeezed]
        vocabulary = tuple(sorted({gram for each in grams for gram in each}))
        self._grams = named_basket_matrix(grams, vocabulary)
        self._counts = np.asarray(self._grams.sum(axis=1)).ravel()
        self._heads = codes(heads)
        # A shorter name has an ending of its own, so that it equals no other.
        self._endings = [
            codes([head[-length:] if len(head) >= length else f"{row} {head}" for row, head in enumerate(heads)])
            for length in (1, 2, 3)
        ]

    def of(self, number: int) -> tuple[Matrix, NDArray[np.bool_], Matrix]:
        """Share of common grams, equal heads, and equal last letters."""
        common = self._grams @ self._grams[[number]].toarray().ravel()
        letters = common / np.maximum(self._counts + self._counts[number] - common, 1)
        endings = np.mean([ending == ending[number] for ending in self._endings], axis=0)
        return letters, self._heads == self._heads[number], np.asarray(endings, np.float32)


class _Use:
    """How recipes use names: `popularity` (names,) and unit vectors of their `context` (names, ingredients)."""

    def __init__(self, written: RecipeCorpus, names: WrittenNames) -> None:
        vocabulary = tuple(sorted(set(names.ingredients)))
        numbers = {name: number for number, name in enumerate(vocabulary)}
        ingredient_of = dict(zip(names.names, names.ingredients, strict=True))
        lists = [sorted({ingredient_of[n] for n in basket if n in ingredient_of}) for basket in written.baskets]
        by_name = named_basket_matrix(written.baskets, names.names)
        by_ingredient = named_basket_matrix(lists, vocabulary)
        self._recipes = max(len(written), 1)
        self._rows = np.array([numbers[name] for name in names.ingredients])
        self._counts = np.asarray(by_ingredient.sum(axis=0), np.float64).ravel()
        self._both = (by_ingredient.T @ by_ingredient).tocsr()
        self.popularity = np.log((np.asarray(by_name.sum(axis=0)).ravel() + 1) / self._recipes).astype(np.float32)
        beside = np.asarray((by_name.T @ by_ingredient).toarray(), np.float64)
        beside[np.arange(len(names)), self._rows] = 0.0
        self.context = unit(_positive_mutual_information(beside))

    def together(self, number: int) -> Matrix:
        """Logarithm of how much more often than by chance each name's ingredient is used with that of `number`."""
        row = self._rows[number]
        both = self._both[[row]].toarray().ravel()
        by_chance = self._counts * self._counts[row] / self._recipes
        excess = np.log(np.maximum((both + 1) / (by_chance + 1), 1))
        return np.asarray(excess[self._rows], np.float32)


def written_names(written: RecipeCorpus, min_recipes: int) -> WrittenNames:
    """The names of `written`, and their ingredients, that at least `min_recipes` recipes use."""
    groups = substitute_groups()
    counts = written.ingredient_counts()
    ingredients: dict[str, int] = {}
    for name, count in counts.items():
        ingredient = canonical_name(name)
        if ingredient is not None:
            ingredients[ingredient] = ingredients.get(ingredient, 0) + count
    used = {name for name, count in counts.items() if count >= min_recipes and canonical_name(name) is not None}
    names = tuple(sorted(used | {name for name, count in ingredients.items() if count >= min_recipes}))
    return WrittenNames(
        names, tuple(groups.thing_of(name) for name in names), tuple(canonical_name(name) or name for name in names)
    )


def codes(values: Sequence[str]) -> NDArray[np.intp]:
    """A number for each value; equal values have the same."""
    return np.unique(np.array(values, dtype=np.str_), return_inverse=True)[1]


def _grams(name: str) -> set[str]:
    """Letters of a name, and pairs of letters with its start and end."""
    marked = f"^{name}$"
    return {*name, *(marked[start : start + 2] for start in range(len(marked) - 1))}


def _ease_rows(ease: EaseWeights, ingredients: tuple[str, ...]) -> Matrix:
    """Unit vectors (names, 2 · items) of the weights from and to each ingredient; zeros for one without weights."""
    rows = {name: row for row, name in enumerate(ease.names)}
    both = np.zeros((len(ease.names) + 1, 2 * len(ease.names)), np.float32)
    both[:-1] = np.concatenate([unit(ease.weights), unit(np.ascontiguousarray(ease.weights.T))], axis=1)
    return unit(both[[rows.get(name, -1) for name in ingredients]])


def _positive_mutual_information(counts: NDArray[np.float64]) -> Matrix:
    """Positive pointwise mutual information of counts (names, contexts); frequent contexts are smoothed by 3/4."""
    rows = counts.sum(axis=1, keepdims=True) / max(counts.sum(), 1.0)
    columns = counts.sum(axis=0, keepdims=True) ** 0.75
    columns /= max(columns.sum(), 1.0)
    expected = np.maximum(rows * columns, 1e-12)
    shares = np.maximum(counts / max(counts.sum(), 1.0), 1e-12)
    return np.asarray(np.maximum(np.log(shares / expected), 0.0) * (counts > 0), np.float32)
