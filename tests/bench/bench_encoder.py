"""Speed of the sentence encoder against torch, and of the index of its vectors against exact search.

``python -m tests.bench.bench_encoder`` (part of ``make bench``). A briefly trained encoder reads real titles from
``UKOK_SHARED_DATA`` (default: ``../shared/data``) by ONNX and by sentence-transformers, in batches of the same size.
Then it reads 100,000 titles, real ones and misspelt copies, which are indexed in every way. Everything runs on one
thread and is measured in seconds of the processor. Figures are written to ``var/bench/encoder.json``; they decide no
test.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import faiss
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from pipelines.train import bert
from pipelines.train.bert_data import TrainingData
from pipelines.train.bert_export import export
from pipelines.train.spelling_noise import noisy
from recommender.models import encoder as encoders
from recommender.models.encoder import Encoder
from recommender.models.vector_index import NEAREST, IndexKind, VectorIndex
from recommender.text.ingredients import canonical_name
from recommender.text.titles import normalise_title
from tests.bench.recipe_rows import corpus_of_rows, jsonl, jsonl_recipes
from tests.conftest import ROOT

VECTORS, QUERIES, STEPS, REPEATS = 100_000, 1_000, 200, 3
BATCHES = (1, 8, 64, 128)
MIN_RATIO, MIN_RECALL, MIN_QUERIES = 2.5, 0.97, 10_000

console = Console()


def main() -> None:
    """Measure, print and write the figures."""
    shared = Path(os.environ.get("UKOK_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not shared.is_dir():
        sys.exit(f"no real data at {shared}: set UKOK_SHARED_DATA to the folder that holds recipes.jsonl")
    faiss.omp_set_num_threads(1)
    parameters = bert.BertParameters()
    data = TrainingData(corpus_of_rows(jsonl_recipes(shared / "recipes.jsonl"), canonical_name))
    products = [normalise_title(row["product_name"]) for row in jsonl(shared / "kok_products.jsonl")]
    with tempfile.TemporaryDirectory(prefix="ukok-bench-") as scratch:
        model = bert.fresh(data, parameters)
        bert.train(model, data, parameters, STEPS)
        export(model, Path(scratch) / "encoder", parameters.shape.max_tokens, data.texts())
        encoder = Encoder(Path(scratch) / "encoder")
        speeds = [encoding(model, encoder, products, batch) for batch in BATCHES]
        titles = many_titles(shared, products, VECTORS + QUERIES)
        seconds, vectors = measured(lambda: encoder.encode(titles), 1)
        indexes = searches(vectors, Path(scratch))
    results = {"encoding": speeds, "titles a second": len(titles) / seconds, "indexes": indexes}
    show(results)
    report = ROOT / "var" / "bench" / "encoder.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(results, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    console.print(f"written to {report}")


def encoding(model: Any, encoder: Encoder, titles: Sequence[str], batch: int) -> dict[str, float]:
    """Titles a second by torch and by ONNX, in batches of the same size."""
    some = titles[:: 1 if batch > 8 else 8]
    torch.set_num_threads(1)
    with patch.object(encoders, "BATCH", batch):
        seconds, vectors = measured(lambda: encoder.encode(some))
    by_torch, expected = measured(lambda: model.encode(some, batch_size=batch, show_progress_bar=False))
    understood = vectors.any(axis=1)
    return {
        "batch": batch,
        "torch": len(some) / by_torch,
        "onnx": len(some) / seconds,
        "ratio": by_torch / seconds,
        "least cosine": float((vectors * expected).sum(axis=1)[understood].min()),
    }


def many_titles(shared: Path, products: Sequence[str], count: int) -> list[str]:
    """So many different titles in a fixed random order: of products, recipes and dishes, then misspelt copies."""
    random = np.random.default_rng(7)
    dishes = [line.split("\t")[0] for line in (shared / "dish_names.tsv").read_text(encoding="utf-8").splitlines()]
    real = [*products, *(str(row["title"]) for row in jsonl(shared / "recipes.jsonl")), *dishes]
    titles = dict.fromkeys(title for title in real if title.strip())
    originals = list(titles)
    while len(titles) < count:
        titles[noisy(originals[random.integers(len(originals))], random)] = None
    different = list(titles)
    return [different[row] for row in random.permutation(len(different))[:count]]


def searches(vectors: NDArray[np.float32], scratch: Path) -> list[dict[str, Any]]:
    """Build, files and batched search of an index of each kind, with queries that are in none of them."""
    queries, indexed = vectors[:QUERIES], vectors[QUERIES:]
    # A text that the encoder does not know is not searched.
    queries = queries[queries.any(axis=1)]
    exact = VectorIndex.build(indexed, kind=IndexKind.FLAT).search(queries, NEAREST)[0]
    return [search(kind, indexed, queries, exact, scratch / "index.faiss") for kind in IndexKind]


def search(
    kind: IndexKind,
    vectors: NDArray[np.float32],
    queries: NDArray[np.float32],
    exact: NDArray[np.float32],
    path: Path,
) -> dict[str, Any]:
    """Figures of an index of one kind; `exact` are the cosines (queries, 10) of the nearest."""
    build, index = measured(lambda: VectorIndex.build(vectors, kind=kind), 1)
    write, _ = measured(lambda: index.write(path), 1)
    read, index = measured(lambda: VectorIndex.read(path), 1)
    one, _ = measured(lambda: [index.search(query[None], NEAREST) for query in queries[:200]])
    seconds, (cosines, _) = measured(lambda: index.search(queries, NEAREST))
    return {
        "kind": kind,
        "recall@10": float((cosines >= exact[:, -1:] - 1e-5).mean()),
        "queries a second": len(queries) / seconds,
        "ms, one query": one / 200 * 1000,
        "build s": build,
        "write s": write,
        "read s": read,
        "MB": path.stat().st_size / 1e6,
        "effort": index.description.effort,
        "recall@10, stored": index.description.recall_at_10,
    }


def measured(do: Callable[[], Any], repeats: int = REPEATS) -> tuple[float, Any]:
    """The least seconds of the processor, and the result."""
    least, result = float("inf"), None
    for _ in range(repeats):
        began = time.process_time()
        result = do()
        least = min(least, time.process_time() - began)
    return least, result


def show(results: dict[str, Any]) -> None:
    """Print both tables."""
    for title, rows in (("Encoding, titles a second", results["encoding"]), ("Indexes", results["indexes"])):
        table = Table(*rows[0], title=title)
        for row in rows:
            table.add_row(*(f"{value:,.3f}" if isinstance(value, float) else str(value) for value in row.values()))
        console.print(table)
    console.print(
        f"{results['titles a second']:,.0f} titles a second; expected: encoding {MIN_RATIO} times as fast as torch; "
        f"an index of {VECTORS:,} vectors with recall {MIN_RECALL} and {MIN_QUERIES:,} queries a second"
    )


if __name__ == "__main__":
    main()
