"""Learn the weights of search from judged answers, and say how good they are.

``python -m tests.bench.learn_search [--write]``. Products and recipes are read from ``UKOK_SHARED_DATA`` (default:
``../shared/data``), judgements from the folder ``UKOK_JUDGEMENTS_DIR`` (default: ``../shared/judge/qrels``):
``search_mall.tsv`` and ``search_recipes.tsv`` with lines ``query<TAB>document<TAB>grade``, grades 0 to 2. Those of the
folder ``judgements`` beside this file are added; they never replace a given one.
``--write`` replaces ``recommender/search/weights.json``.
"""

import argparse
import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console

from pipelines.load.recipe_csv import Recipe, RecipeFile
from recommender.evaluation.judgements import merge_judgements, read_judgements
from recommender.search.documents import Document
from recommender.search.index import SearchIndex
from recommender.search.learning import FOLDS, JudgedQuery, evaluate, learn
from recommender.search.weights import FILE, Kind, load_weights
from recommender.text.ingredient_lines import ingredient_lines
from recommender.text.ingredients import canonical_name, title_vocabulary
from recommender.text.resolver import TitleResolver
from recommender.text.titles import tokens
from tests.conftest import ROOT

TASKS: Final[dict[Kind, str]] = {"products": "search_mall", "recipes": "search_recipes"}
HOW: Final = (
    "learnt by tests/bench/learn_search.py: logistic regression over judged answers, the signs of the weights given; "
    f"its strength, the order, threshold and margin chosen by {FOLDS}-fold cross-validation over queries"
)
FURTHER: Final = Path(__file__).with_name("judgements")

console = Console()


def main() -> None:
    """Learn, print the figures, and write the weights if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    shared = Path(os.environ.get("UKOK_SHARED_DATA", ROOT.parent / "shared" / "data"))
    judged = Path(os.environ.get("UKOK_JUDGEMENTS_DIR", ROOT.parent / "shared" / "judge" / "qrels"))
    given_grades = read_judgements(judged)
    all_grades = merge_judgements([given_grades, read_judgements(FURTHER)])
    held: dict[str, Any] = {"how": HOW}
    for kind, index, ids in indexes(shared):
        grades, known = given_grades[TASKS[kind]].grades, all_grades[TASKS[kind]].grades
        queries = [judged_query(index, ids, query, known[query]) for query in grades]
        weights, validated = learn(queries)
        plain = [judged_query(index, ids, query, found) for query, found in grades.items()]
        figures = {
            "queries": len(queries),
            "cross-validated": rounded(asdict(validated)),
            "fitted, given grades alone": rounded(asdict(evaluate((query, weights) for query in plain))),
        }
        console.print(kind, figures)
        held[kind] = {"figures": figures, **asdict(weights)}
    if given.write:
        FILE.write_text(json.dumps(held, indent=2) + "\n", encoding="utf-8")


def rounded(figures: dict[str, float]) -> dict[str, float]:
    """Figures with three digits."""
    return {name: round(value, 3) for name, value in figures.items()}


def judged_query(index: SearchIndex, ids: list[str], keyword: str, grades: Mapping[str, int]) -> JudgedQuery:
    """The candidates of a query with their grades."""
    query = index.read(keyword, index.knows)
    if query is None:
        return JudgedQuery(np.zeros((0, 0), np.float32), np.zeros(0, np.int64), list(grades.values()))
    positions, features = index.candidates(query)
    found = np.array([grades.get(ids[position], -1) for position in positions.tolist()], np.int64)
    return JudgedQuery(features, found, list(grades.values()))


def indexes(shared: Path) -> list[tuple[Kind, SearchIndex, list[str]]]:
    """The products and recipes as the API has them, and the ids of their documents."""
    recipes = [row for row in RecipeFile(shared / "TB_RECIPE_SEARCH_sample.csv") if isinstance(row, Recipe)]
    recipes.sort(key=lambda recipe: (-(recipe.scrap_count or 0), -(recipe.view_count or 0), recipe.recipe_id))
    synonyms: dict[str, str] = {}
    counts: Counter[str] = Counter()
    documents = []
    for recipe in recipes:
        lines = {line.name: canonical_name(line.name) for line in ingredient_lines(recipe.ingredients)}
        synonyms |= {written: name for written, name in lines.items() if name and name != written}
        names = dict.fromkeys(name or written for written, name in lines.items())
        counts.update(name for name in lines.values() if name)
        documents.append(_recipe(recipe, tuple(names)))
    products = [json.loads(line) for line in (shared / "kok_products.jsonl").read_text(encoding="utf-8").splitlines()]
    products.sort(key=lambda row: (-(row["review_count"] or 0), -(row["review_score"] or 0), row["product_id"]))
    resolver = TitleResolver(title_vocabulary(counts))
    resolved = resolver.resolve_many([row["product_name"] for row in products], known_food=True)
    listed = [
        Document(
            title=row["product_name"],
            store=row["store_name"],
            tokens=" ".join(dict.fromkeys(tokens(f"{row['store_name']} {row['product_name']}"))),
            ingredients=title.ingredients,
            is_food=title.is_food,
            is_ingredient=title.is_ingredient,
            popularity=row["review_count"] or 0,
        )
        for row, title in zip(products, resolved, strict=True)
    ]
    mall = SearchIndex(listed, load_weights("products"), synonyms)
    cookbook = SearchIndex(documents, load_weights("recipes"), synonyms)
    return [
        ("products", mall, [f"kok:{row['product_id']}" for row in products]),
        ("recipes", cookbook, [f"recipe:{recipe.recipe_id}" for recipe in recipes]),
    ]


def _recipe(recipe: Recipe, ingredients: tuple[str, ...]) -> Document:
    dish = recipe.dish if recipe.dish and recipe.dish.replace(" ", "") not in recipe.title.replace(" ", "") else ""
    return Document(
        title=f"{recipe.title} {dish}".strip(),
        tokens=" ".join(dict.fromkeys(tokens(f"{recipe.title} {recipe.dish or ''}"))),
        ingredients=ingredients,
        popularity=recipe.scrap_count or 0,
    )


if __name__ == "__main__":
    main()
