"""Recipes, read from the service database into memory."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, func, select

from recommender.search.documents import Document
from recommender.search.index import Knows, SearchIndex
from recommender.search.texts import squeezed
from recommender.search.weights import load_weights
from recommender.text.amounts import read_measure
from recommender.text.ingredients import known_name
from recommender.text.quantities import Quantity, quantity
from serving.catalog.ingredient_names import IngredientNames, read_synonyms
from serving.catalog.pantry import Pantry
from serving.catalog.search import Found, empty_index
from serving.web.fragments import Fragments
from sql.service.catalog import SearchDocument
from sql.service.recipes import Ingredient, RecipeIngredient
from sql.service.recipes import Recipe as RecipeRow

# How rows of `search_document` name recipes.
SOURCE: Final = "recipes"
RECIPE_SITE: Final = "https://www.10000recipe.com/recipe/"


class Line(NamedTuple):
    """A line of an ingredient list; ``ingredient`` is the canonical name, None when the line was not recognised."""

    name: str
    amount: str | None
    unit: str | None
    note: str | None
    ingredient: str | None

    @property
    def canonical_name(self) -> str:
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
    scrap_count: int | None
    image_url: str | None
    lines: tuple[Line, ...]

    @property
    def url(self) -> str:
        """The page on the recipe site."""
        return f"{RECIPE_SITE}{self.recipe_id}"

    @property
    def ingredients(self) -> tuple[str, ...]:
        """Canonical names of the ingredients, each once, in the order of the list."""
        return tuple(dict.fromkeys(line.canonical_name for line in self.lines))

    @property
    def by_ingredient(self) -> dict[str, list[Line]]:
        """The lines of each ingredient by canonical name: an ingredient may be listed in several sections."""
        groups: dict[str, list[Line]] = {}
        for line in self.lines:
            groups.setdefault(line.canonical_name, []).append(line)
        return groups


@dataclass(frozen=True)
class RecipeBook:
    """Recipes by popularity, with lookups by id, ingredient and text. Posting lists hold positions in ``popular``.

    ``canonical`` maps the spellings of an ingredient, with and without spaces, to its canonical name.
    """

    popular: tuple[Recipe, ...] = ()
    recipes: dict[int, Recipe] = field(default_factory=dict)
    canonical: dict[str, str] = field(default_factory=dict)
    postings: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    pantry: Pantry = field(default_factory=lambda: Pantry.of((), ()))
    index: SearchIndex = field(default_factory=lambda: empty_index("recipes"))
    ingredient_names: IngredientNames = field(default_factory=lambda: IngredientNames({}, {}))
    fragments: Fragments = field(default_factory=dict)

    def name_of(self, ingredient: str) -> str:
        """Canonical name of an ingredient in any spelling and spacing; an unknown one stays as it is."""
        return known_name(ingredient, self.canonical)

    def uses(self, ingredient: str) -> bool:
        """Whether any recipe contains an ingredient, in any spelling and spacing."""
        return self.name_of(ingredient) in self.postings

    def count(self, name: str) -> int:
        """How many recipes use an ingredient, given by canonical name."""
        return len(self.postings.get(name, ()))

    def search(self, keyword: str, knows: Knows) -> Found[Recipe]:
        """Recipes whose title or dish matches, best first."""
        answer = self.index.find(keyword, knows)
        return Found([self.popular[position] for position in answer.positions], answer.did_you_mean)

    def with_all(self, ingredients: Iterable[str], k: int) -> list[Recipe]:
        """The ``k`` most popular recipes that contain every ingredient."""
        matches: NDArray[np.int32] | None = None
        for name in dict.fromkeys(self.name_of(ingredient) for ingredient in ingredients):
            posting = self.postings.get(name, np.zeros(0, np.int32))
            matches = posting if matches is None else np.intersect1d(matches, posting, assume_unique=True)
        return [self.popular[position] for position in matches[:k].tolist()] if matches is not None else []

    def with_most(self, ingredients: Iterable[str]) -> tuple[list[Recipe], bool]:
        """Recipes that contain the most of the ingredients, by popularity, and whether they contain all of them."""
        names = dict.fromkeys(self.name_of(ingredient) for ingredient in ingredients)
        postings = [self.postings[name] for name in names if name in self.postings]
        if not postings:
            return [], False
        counts = np.bincount(np.concatenate(postings))
        most = counts.max()
        matches = np.flatnonzero(counts == most).tolist()
        return [self.popular[position] for position in matches], bool(most == len(names))

    def by_informative_ingredients(self, ingredients: Iterable[str]) -> list[int]:
        """Positions of the recipes that contain any of the ingredients, given by canonical name, best first.

        Recipes are ranked by the summed IDF of the ingredients that they contain: log((1 + recipes) / holders). Ties
        go to the recipe with fewer lines, then to the more popular one.
        """
        scores = np.zeros(len(self.popular))
        for name in dict.fromkeys(ingredients):
            posting = self.postings.get(name)
            if posting is not None:
                scores[posting] += np.log((1 + len(self.popular)) / len(posting))
        matches = np.flatnonzero(scores)
        sizes = np.array([len(self.popular[position].lines) for position in matches.tolist()], np.int32)
        order: list[int] = matches[np.lexsort((matches, sizes, -scores[matches]))].tolist()
        return order


def load_recipes(conn: Connection) -> RecipeBook:
    """Read all recipes and the ingredient vocabulary."""
    names = {row.ingredient_id: row.name for row in conn.execute(select(Ingredient.ingredient_id, Ingredient.name))}
    lines = _lines(conn, names)
    # Databases differ in where they sort NULL.
    scraps, views = func.coalesce(RecipeRow.scrap_count, 0), func.coalesce(RecipeRow.view_count, 0)
    by_popularity = (scraps.desc(), views.desc(), RecipeRow.recipe_id)
    rows = conn.execute(select(RecipeRow.__table__).order_by(*by_popularity))
    popular = tuple(_recipe(row, lines.get(row.recipe_id, ())) for row in rows)
    tokens = _search_tokens(conn)
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
        index=SearchIndex(
            (_document(recipe, tokens.get(recipe.recipe_id, "")) for recipe in popular),
            load_weights("recipes"),
            synonyms,
        ),
        ingredient_names=IngredientNames(
            {name: len(postings[name]) for name in names.values() if name in postings}, synonyms
        ),
    )


def _recipe(row: Row[Any], lines: tuple[Line, ...]) -> Recipe:
    return Recipe(
        recipe_id=row.recipe_id,
        title=row.title,
        dish=row.dish,
        occasion=row.occasion,
        kind=row.kind,
        introduction=row.introduction,
        servings=row.servings,
        scrap_count=row.scrap_count,
        image_url=row.image_url,
        lines=lines,
    )


def _document(recipe: Recipe, tokens: str) -> Document:
    dish = recipe.dish if recipe.dish and squeezed(recipe.dish) not in squeezed(recipe.title) else ""
    return Document(
        title=f"{recipe.title} {dish}".strip(),
        tokens=tokens,
        ingredients=recipe.ingredients,
        popularity=recipe.scrap_count or 0,
    )


def _search_tokens(conn: Connection) -> dict[int, str]:
    """Search tokens by recipe id."""
    query = select(SearchDocument.document_id, SearchDocument.tokens).where(SearchDocument.source == SOURCE)
    return dict(conn.execute(query).all())


def _lines(conn: Connection, names: dict[int, str]) -> dict[int, tuple[Line, ...]]:
    """Ingredient lines by recipe id. Most lines recur verbatim, so equal lines share one object."""
    columns = (RecipeIngredient.name, RecipeIngredient.amount, RecipeIngredient.unit, RecipeIngredient.note)
    query = select(RecipeIngredient.recipe_id, *columns, RecipeIngredient.ingredient_id)
    shared: dict[Line, Line] = {}
    lines: dict[int, list[Line]] = defaultdict(list)
    for recipe_id, name, amount, unit, note, ingredient_id in conn.execute(
        query.order_by(RecipeIngredient.recipe_id, RecipeIngredient.position)
    ):
        line = Line(name, amount, unit, note, names.get(ingredient_id) if ingredient_id else None)
        lines[recipe_id].append(shared.setdefault(line, line))
    return {recipe_id: tuple(group) for recipe_id, group in lines.items()}


def _need(line: Line) -> tuple[str, Quantity]:
    return line.canonical_name, quantity(line.canonical_name, *read_measure(line.amount, line.unit))


def _postings(recipes: Sequence[Recipe]) -> dict[str, NDArray[np.int32]]:
    """Positions of the recipes that contain an ingredient, by its canonical name and by its name as written."""
    postings: dict[str, list[int]] = defaultdict(list)
    for position, recipe in enumerate(recipes):
        for name in dict.fromkeys(n for line in recipe.lines for n in (line.canonical_name, line.name)):
            postings[name].append(position)
    return {name: np.array(positions, np.int32) for name, positions in postings.items()}


def _spellings(recipes: Iterable[Recipe], synonyms: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Map spellings of ingredients to names. An ingredient that was not recognised is named as written."""
    unknown = dict.fromkeys(line.name for recipe in recipes for line in recipe.lines if line.ingredient is None)
    return (
        {squeezed(name): name for name in unknown}
        | {squeezed(variant): name for variant, name in synonyms.items()}
        | {squeezed(name): name for name in names}
        | {name: name for name in unknown}
        | dict(synonyms)
    )
