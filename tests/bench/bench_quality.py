"""Quality of the models: recipe completion, title search, and the resolver of product titles.

``python -m tests.bench.bench_quality`` (part of ``make bench``). Reads real data from ``UKOK_SHARED_DATA`` (default:
``../shared/data``) if there is any, else the recipes of the demo, which are too few for reliable figures. Ingredient
names are taken as written (``raw``) and as the release uses them (``canonical``). Figures are written to
``var/bench/quality.json``; they decide no test.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from rich.console import Console
from rich.table import Table
from sklearn.metrics import accuracy_score, f1_score

from pipelines.train import bert, word2vec
from pipelines.train.bert_data import TrainingData, read_titles
from pipelines.train.blend import refit_blend, train_blend
from pipelines.train.models import HELD_OUT
from recommender.evaluation.completion import evaluate_completion
from recommender.evaluation.results import BertFigures, CompletionEvaluation
from recommender.models.encoder import Encoder
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.models.word_vectors import WordVectors
from recommender.product_ref import ProductRef
from recommender.rankers.bert import Encode
from recommender.rankers.config import BlendConfig
from recommender.relations.facts import ProductFacts
from recommender.text import lexicon
from recommender.text.ingredients import canonical_name
from recommender.text.resolver import TitleResolver
from tests.bench.recipe_rows import as_written, corpus_of_rows, csv_recipes, jsonl, jsonl_recipes
from tests.conftest import ROOT

DEMO = ROOT / "crawlers" / "standin" / "demo" / "TB_RECIPE_SEARCH_demo.csv"
P = ParamSpec("P")
T = TypeVar("T")

console = Console()


def main() -> None:
    """Measure everything there is data for, print and write the figures."""
    shared = Path(os.environ.get("UKOK_SHARED_DATA", ROOT.parent / "shared" / "data"))
    real = shared.is_dir()
    rows = jsonl_recipes(shared / "recipes.jsonl") if real else csv_recipes(DEMO)
    seconds: dict[str, float] = {}
    results: dict[str, Any] = {"recipes": len(rows), "data": "real" if real else "demo", "seconds": seconds}
    canonical = corpus_of_rows(rows, canonical_name)
    with tempfile.TemporaryDirectory(prefix="ukok-bench-") as scratch:
        judgements = shared.parent / "judge" / "qrels"
        bert_figures = _bert(
            _training_data(canonical, shared), Path(scratch), judgements if judgements.is_dir() else None, seconds
        )
        results["bert"] = bert_figures.model_dump()
        encode = Encoder(Path(scratch) / HELD_OUT).encode
        for naming, corpus in (("canonical", canonical), ("raw", corpus_of_rows(rows, as_written))):
            vectors = _timed(seconds, f"word2vec, {naming}", _word2vec, corpus)
            completion = _timed(seconds, f"rankers, {naming}", _completion, corpus, vectors, encode)
            _print_completion(naming, completion)
            results[naming] = completion.model_dump()
    _print_relations(bert_figures)
    if real:
        results["titles"] = _titles(shared)
        console.print(_table("Resolver of product titles", results["titles"]))
    console.print(_table("Seconds", seconds))
    target = ROOT / "var" / "bench" / "quality.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, ensure_ascii=False, indent=2), encoding="utf-8")
    console.print(f"written to {target}")


def _bert(data: TrainingData, scratch: Path, judgements: Path | None, seconds: dict[str, float]) -> BertFigures:
    """Train the encoder into ``scratch``; figures of what has not learnt the test part."""
    return _timed(seconds, "bert, both trainings", bert.fit, data, scratch, bert.BertParameters(), judgements).figures


def _training_data(corpus: RecipeCorpus, shared: Path) -> TrainingData:
    """Recipes with the products and category titles of the shared data, if there are any."""
    if not shared.is_dir():
        return TrainingData(corpus)
    resolver = TitleResolver(lexicon.ingredients().canonical)
    mall, shows = (jsonl(shared / name) for name in ("kok_products.jsonl", "broadcasts.jsonl"))
    rows = [("kok", row, True) for row in mall]
    # hmall_etv and hmall_dtv are channels of one source.
    rows += [(row["source"].split("_")[0], row, False) for row in shows]
    products = {}
    for source, row, known_food in rows:
        title = resolver.resolve(row["product_name"], known_food=known_food)
        if title.is_food:
            ref = ProductRef(source, row["product_id"])
            products[ref] = ProductFacts(
                ref, row["product_name"], "", title.kind, title.types, title.ingredients, title.recipes, 0
            )
    return TrainingData(corpus, tuple(products.values()), read_titles(shared / "product_titles.jsonl"))


def _word2vec(corpus: RecipeCorpus) -> tuple[WordVectors, WordVectors]:
    """Vectors of the fitting part, and of all but the test part."""
    parameters = word2vec.Word2VecParameters()
    return word2vec.fit(corpus.fit(), parameters), word2vec.fit(corpus.train(), parameters)


def _completion(corpus: RecipeCorpus, vectors: tuple[WordVectors, WordVectors], encode: Encode) -> CompletionEvaluation:
    """Figures of the blend that has learnt from all but the test part, with weights of the validation part."""
    fitted, trained = vectors
    learnt = corpus.train()
    blend = refit_blend(train_blend(corpus, fitted, BlendConfig()), learnt, trained)
    return evaluate_completion(blend, learnt, corpus, encode)


def _titles(shared: Path) -> dict[str, Any]:
    resolver = TitleResolver(lexicon.ingredients().canonical)
    shows, labels, mall = (
        jsonl(shared / name) for name in ("broadcasts.jsonl", "product_labels.jsonl", "kok_products.jsonl")
    )
    began = time.monotonic()
    food = resolver.resolve_many(row["product_name"] for row in shows)
    raw = resolver.resolve_many((row["product_name"] for row in labels), known_food=True)
    sold = resolver.resolve_many((row["product_name"] for row in mall), known_food=True)
    seconds = time.monotonic() - began
    is_food, is_ingredient = [row["is_food"] for row in shows], [row["label"] == "ingredient" for row in labels]
    found_food, found_ingredient = [title.is_food for title in food], [title.is_ingredient for title in raw]
    return {
        "food or not, accuracy": accuracy_score(is_food, found_food),
        "food or not, macro-F1": f1_score(is_food, found_food, average="macro"),
        "ingredient or dish, accuracy": accuracy_score(is_ingredient, found_ingredient),
        "ingredient or dish, macro-F1": f1_score(is_ingredient, found_ingredient, average="macro"),
        "mall products": len(sold),
        "mall products with an ingredient": sum(bool(title.ingredients) for title in sold),
        "mall products that are ingredients": sum(title.is_ingredient for title in sold),
        "food broadcasts": sum(is_food),
        "food broadcasts with an ingredient": sum(
            bool(title.ingredients) for title, wanted in zip(food, is_food, strict=True) if wanted
        ),
        "titles a second": (len(shows) + len(labels) + len(mall)) / seconds,
    }


def _print_relations(figures: BertFigures) -> None:
    table = Table("relation", "cases", "method", "figure", "ahead of letters by (95 %)", title="The sentence encoder")
    for name, relation in figures.relations.items():
        for method, figure in relation.methods.items():
            ahead = relation.against_letters.get(method)
            interval = f"{ahead.mean:+.3f} ({ahead.low:+.3f} … {ahead.high:+.3f})" if ahead else ""
            table.add_row(name, str(relation.cases), method, f"{figure:.3f} {relation.metric}", interval)
    console.print(table)
    console.print(f"relations that may use the encoder: {', '.join(sorted(figures.uses_encoder)) or 'none'}")


def _print_completion(naming: str, completion: CompletionEvaluation) -> None:
    title = f"Recipe completion, {naming} names: {completion.cases} cases"
    table = Table("method", "hit@10", "hit@50", "MRR", "blend ahead by (95 %)", title=title)
    for name, row in sorted(completion.methods.items(), key=lambda entry: entry[1].hit_at_10):
        ahead = completion.blend_against.get(name)
        interval = f"{ahead.hit_at_10:+.3f} ({ahead.low:+.3f} … {ahead.high:+.3f})" if ahead else ""
        table.add_row(name, *(f"{figure:.3f}" for figure in (row.hit_at_10, row.hit_at_50, row.mrr)), interval)
    console.print(table)


def _table(title: str, figures: Mapping[str, Any]) -> Table:
    table = Table(title=title, show_header=False)
    for name, value in figures.items():
        parts = value.items() if isinstance(value, dict) else ()
        table.add_row(name, ", ".join(f"{key} {_rounded(part)}" for key, part in parts) or _rounded(value))
    return table


def _rounded(value: float) -> str:
    return f"{value:,.3f}" if isinstance(value, float) else f"{value:,}"


def _timed(seconds: dict[str, float], name: str, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    began = time.monotonic()
    result = do(*args, **kwargs)
    seconds[name] = round(time.monotonic() - began, 1)
    return result


if __name__ == "__main__":
    main()
