"""Substitutes against graded pairs, cross-validated by ingredient: nDCG@5 and the share of wrong ones.

``python -m tests.bench.bench_substitutes GRADES.tsv [GRADES.tsv …] [--write]``. Lines of a file are
``ingredient<TAB>ingredient:substitute<TAB>grade`` with grades 2, 1 and 0; those of the first file are measured, all are
learnt from. Reads the recipes of ``UKOK_SHARED_DATA`` (default: ``../shared/data``). Ungraded substitutes count neither
way; ``unjudged`` is their share. ``--write`` learns from everything and replaces the weights of the project.
"""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from pipelines.train import word2vec
from pipelines.train.substitute_weights import Grades, learn_weights, read_grades
from recommender.models.recipe_corpus import RecipeCorpus, hash_fraction
from recommender.rankers import substitutes
from recommender.rankers.cases import named_basket_matrix
from recommender.rankers.config import EaseConfig
from recommender.rankers.ease import fit_ease
from recommender.rankers.substitute_features import EaseWeights, SubstituteFeatures, WrittenNames, written_names
from recommender.rankers.substitutes import MIN_RECIPES, rank_substitutes
from recommender.text.ingredients import canonical_name
from tests.bench.recipe_rows import as_written, corpus_of_rows, jsonl_recipes
from tests.conftest import ROOT

FOLDS: Final = 10
SHOWN: Final = 5
console = Console()


def main() -> None:
    """Cross-validate, print, and with ``--write`` store the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("grades", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    rows = jsonl_recipes(Path(os.environ.get("UKOK_SHARED_DATA", ROOT.parent / "shared" / "data")) / "recipes.jsonl")
    written, canonical = corpus_of_rows(rows, as_written), corpus_of_rows(rows, canonical_name)
    names = written_names(written, MIN_RECIPES)
    vectors = word2vec.fit(canonical, word2vec.Word2VecParameters())
    features = SubstituteFeatures(written, names, vectors, _ease(canonical))
    every, measured = read_grades(given.grades), read_grades(given.grades[:1])
    answers = dict(_cross_validated(features, names, every))
    table = Table("graded pairs", "ingredients", "nDCG@5", "wrong@5", "unjudged")
    for title, grades in (
        ("first file", measured),
        ("first file's ingredients, all files", _only(every, measured)),
        ("all", every),
    ):
        table.add_row(title, *_figures(grades, answers))
    console.print(table)
    if given.write:
        pairs = sum(map(len, every.values()))
        source = f"{pairs} graded pairs of {len(every)} ingredients, by tests/bench/bench_substitutes.py"
        weights = learn_weights(features, names, every, source)
        target = Path(substitutes.__file__).with_name("substitute_weights.json")
        target.write_text(weights.model_dump_json(indent=2) + "\n", encoding="utf-8")
        console.print(f"written to {target}")


def _ease(corpus: RecipeCorpus) -> EaseWeights:
    names = corpus.frequent_ingredients()
    return EaseWeights(names, fit_ease(named_basket_matrix(corpus.baskets, names), EaseConfig()).weights)


def _only(grades: Grades, names: Iterable[str]) -> Grades:
    return {name: grades[name] for name in names}


def _cross_validated(
    features: SubstituteFeatures, names: WrittenNames, grades: Grades
) -> Iterable[tuple[str, list[str]]]:
    """Each ingredient with its substitutes, ranked by weights that were learnt from other ingredients."""
    rows = {name: row for row, name in enumerate(names.names)}
    folds = {name: int(hash_fraction(name, 0) * FOLDS) for name in grades if name in rows}
    for fold in range(FOLDS):
        weights = learn_weights(features, names, {n: g for n, g in grades.items() if folds.get(n) != fold}, "")
        for name in (name for name, number in folds.items() if number == fold):
            ranked = rank_substitutes(rows[name], features.of(rows[name]), names, weights)
            yield name, [names.names[row] for row, _, _ in ranked][:SHOWN]


def _figures(grades: Grades, answers: dict[str, list[str]]) -> tuple[str, ...]:
    gains: list[float] = []
    wrong: list[bool] = []
    shown = 0
    for name, known in grades.items():
        graded = [known[each] for each in answers.get(name, ()) if each in known]
        shown += len(answers.get(name, ()))
        wrong += [grade == 0 for grade in graded]
        if best := _dcg(sorted(known.values(), reverse=True)):
            gains.append(_dcg(graded) / best)
    unjudged = 1 - len(wrong) / max(shown, 1)
    return str(len(grades)), *(f"{figure:.3f}" for figure in (np.mean(gains), np.mean(wrong), unjudged))


def _dcg(grades: list[int]) -> float:
    return float(sum((2**grade - 1) / np.log2(place + 2) for place, grade in enumerate(grades[:SHOWN])))


if __name__ == "__main__":
    main()
