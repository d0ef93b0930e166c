"""Recipes: the book that is held in memory, and the ratings in the service database."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Table, func, select

from recommender.search.index import Knows, TextIndex, squeezed
from recommender.text.amounts import read_measure
from recommender.text.quantities import Quantity, quantity
from serving.catalog.ingredient_names import IngredientNames
from serving.catalog.mall import read_synonyms, search_tokens
from serving.catalog.pantry import Pantry
from serving.web.fragments import Fragments
from sql.service.recipes import Ingredient, RecipeIngredient
from sql.service.recipes import Recipe as RecipeRow
from sql.service.users import RecipeRating
from sql.upsert import upsert

SOURCE = "recipes"
RATINGS = cast(Table, RecipeRating.__table__)


class Line(NamedTuple):
    """A line of an ingredient list; ``ingredient`` is the canonical name, None when not recognised."""

    name: str
    amount: str | None
    unit: str | None
    note: str | None
    ingredient: str | None

    @property
    def known_as(self) -> str:
        """The canonical name, else the name as written."""
        return self.ingredient or self.name


class Recipe(NamedTuple):
    """A recipe with its ingredient list."""

    recipe_id: int
    title: str
    dish: str | None
    occasion: str | None
    kind: str | None
    introduction: str | None
    servings: str | None
    scrap_count: int
    image_url: str | None
    lines: tuple[Line, ...]

    @property
    def by_ingredient(self) -> dict[str, list[Line]]:
        """The lines of each ingredient by what it is known as: one may be listed in several sections."""
        found: dict[str, list[Line]] = {}
        for line in self.lines:
            found.setdefault(line.known_as, []).append(line)
        return found


@dataclass(frozen=True)
class RecipeBook:
    """Recipes by popularity, found by id, by ingredient and by text. Posting lists hold positions in ``popular``.

    ``canonical`` leads from the spellings of an ingredient, with and without spaces, to its name.
    """

    popular: tuple[Recipe, ...] = ()
    recipes: dict[int, Recipe] = field(default_factory=dict)
    canonical: dict[str, str] = field(default_factory=dict)
    postings: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    pantry: Pantry = field(default_factory=lambda: Pantry.of((), ()))
    index: TextIndex = field(default_factory=lambda: TextIndex(()))
    ingredient_names: IngredientNames = field(default_factory=lambda: IngredientNames({}, {}))
    fragments: Fragments = field(default_factory=dict)

    def name_of(self, ingredient: str) -> str:
        """Canonical name of an ingredient as someone spelled and spaced it."""
        name = " ".join(ingredient.split())
        return self.canonical.get(name) or self.canonical.get(squeezed(name), name)

    def uses(self, ingredient: str) -> bool:
        """Whether any recipe holds an ingredient, as someone spelled and spaced it."""
        return self.name_of(ingredient) in self.postings

    def search(self, keyword: str, knows: Knows) -> list[Recipe]:
        """Recipes whose title or dish matches, best first."""
        return [self.popular[position] for position in self.index.find(keyword, knows)]

    def with_all(self, ingredients: Iterable[str], k: int) -> list[Recipe]:
        """The ``k`` most popular recipes that hold every ingredient."""
        found: NDArray[np.int32] | None = None
        for name in dict.fromkeys(self.name_of(ingredient) for ingredient in ingredients):
            posting = self.postings.get(name, np.zeros(0, np.int32))
            found = posting if found is None else np.intersect1d(found, posting, assume_unique=True)
        return [self.popular[position] for position in found[:k].tolist()] if found is not None else []

    def with_most(self, ingredients: Iterable[str]) -> tuple[list[Recipe], bool]:
        """Recipes that hold as many of the ingredients as any recipe does, the most popular first; whether all."""
        names = dict.fromkeys(self.name_of(ingredient) for ingredient in ingredients)
        postings = [self.postings[name] for name in names if name in self.postings]
        if not postings:
            return [], False
        held = np.bincount(np.concatenate(postings))
        most = held.max()
        return [self.popular[position] for position in np.flatnonzero(held == most).tolist()], bool(most == len(names))


def load_recipes(conn: Connection) -> RecipeBook:
    """Read all recipes and the ingredient vocabulary."""
    names = {row.ingredient_id: row.name for row in conn.execute(select(Ingredient.ingredient_id, Ingredient.name))}
    lines = _lines(conn, names)
    by_popularity = (RecipeRow.scrap_count.desc(), RecipeRow.view_count.desc(), RecipeRow.recipe_id)
    popular = tuple(
        Recipe(
            recipe_id=row.recipe_id,
            title=row.title,
            dish=row.dish,
            occasion=row.occasion,
            kind=row.kind,
            introduction=row.introduction,
            servings=row.servings,
            scrap_count=row.scrap_count,
            image_url=row.image_url,
            lines=lines.get(row.recipe_id, ()),
        )
        for row in conn.execute(select(RecipeRow.__table__).order_by(*by_popularity))
    )
    tokens = search_tokens(conn, (SOURCE,))
    synonyms = read_synonyms(conn)
    postings = _postings(popular)
    return RecipeBook(
        popular=popular,
        recipes={recipe.recipe_id: recipe for recipe in popular},
        canonical=_spellings(popular, synonyms, names.values()),
        postings=postings,
        pantry=Pantry.of(
            [squeezed(recipe.title) for recipe in popular], [[_need(line) for line in r.lines] for r in popular]
        ),
        index=TextIndex(
            ((f"{r.title} {r.dish or ''}", tokens.get((SOURCE, r.recipe_id), "")) for r in popular), synonyms
        ),
        ingredient_names=IngredientNames(
            {name: len(postings[name]) for name in names.values() if name in postings}, synonyms
        ),
    )


def mean_rating(conn: Connection, recipe_id: int) -> float:
    """Mean of all ratings of a recipe, 0.0 without any."""
    rated = select(func.sum(RecipeRating.rating), func.count()).where(RecipeRating.recipe_id == recipe_id)
    total, count = conn.execute(rated).one()
    # Divided here: engines round a mean to different places.
    return int(total) / count if count else 0.0


def rate(conn: Connection, row: dict[str, object]) -> None:
    """Store a user's rating of a recipe in place of an earlier one."""
    upsert(conn, RATINGS, [row], update_columns=("rating", "rated_at"))


def _lines(conn: Connection, names: dict[int, str]) -> dict[int, tuple[Line, ...]]:
    """Ingredient lines by recipe. Most lines recur word by word, so equal ones are one object."""
    columns = (RecipeIngredient.name, RecipeIngredient.amount, RecipeIngredient.unit, RecipeIngredient.note)
    query = select(RecipeIngredient.recipe_id, *columns, RecipeIngredient.ingredient_id)
    shared: dict[Line, Line] = {}
    found: dict[int, list[Line]] = defaultdict(list)
    for recipe_id, name, amount, unit, note, number in conn.execute(
        query.order_by(RecipeIngredient.recipe_id, RecipeIngredient.position)
    ):
        line = Line(name, amount, unit, note, names.get(number) if number else None)
        found[recipe_id].append(shared.setdefault(line, line))
    return {recipe_id: tuple(group) for recipe_id, group in found.items()}


def _need(line: Line) -> tuple[str, Quantity]:
    return line.known_as, quantity(line.known_as, *read_measure(line.amount, line.unit))


def _postings(recipes: Sequence[Recipe]) -> dict[str, NDArray[np.int32]]:
    """Positions of the recipes that hold an ingredient, by its canonical name and by its name as written."""
    found: dict[str, list[int]] = defaultdict(list)
    for position, recipe in enumerate(recipes):
        for name in dict.fromkeys(n for line in recipe.lines for n in (line.known_as, line.name)):
            found[name].append(position)
    return {name: np.array(positions, np.int32) for name, positions in found.items()}


def _spellings(recipes: Iterable[Recipe], synonyms: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Names of ingredients by how they may be spelled. What was not recognised is called as it is written."""
    unknown = dict.fromkeys(line.name for recipe in recipes for line in recipe.lines if line.ingredient is None)
    return (
        {squeezed(name): name for name in unknown}
        | {squeezed(variant): name for variant, name in synonyms.items()}
        | {squeezed(name): name for name in names}
        | {name: name for name in unknown}
        | dict(synonyms)
    )
