"""Recipes for benches, read from files into a corpus with names as written or canonical."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.load.recipe_csv import RecipeFile, Rejected
from recommender.models.recipe_corpus import RecipeCorpus, corpus_of
from recommender.text.ingredient_lines import ingredient_lines

Row = tuple[int, str, list[str]]
Names = Callable[[str], str | None]


def corpus_of_rows(rows: list[Row], name_of: Names) -> RecipeCorpus:
    """A corpus of (id, title, names), each name by `name_of`."""
    named = [(number, name) for number, _, names in rows for name in map(name_of, names) if name]
    return corpus_of([(number, title, 0.0) for number, title, _ in rows], named)


def as_written(name: str) -> str | None:
    """The name itself, with single spaces."""
    return " ".join(name.split()) or None


def jsonl_recipes(path: Path) -> list[Row]:
    """Recipes of a JSON Lines file."""
    return [
        (number, row["title"] or "", [part["name"] for part in row["ingredients"]])
        for number, row in enumerate(jsonl(path))
    ]


def csv_recipes(path: Path) -> list[Row]:
    """Recipes of a file in the layout of the open data set."""
    rows = (row for row in RecipeFile(path) if not isinstance(row, Rejected))
    return [(row.recipe_id, row.title, [line.name for line in ingredient_lines(row.ingredients)]) for row in rows]


def jsonl(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
