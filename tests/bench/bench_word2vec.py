"""Speed of ingredient vectors: words a second of the training step as a share of gensim's own, in the same run.

``python -m tests.bench.bench_word2vec``, part of ``make bench``. gensim trains on the same sentences with the same
parameters; the step adds the choice of the vocabulary, its order, and the copies that are stored. Also the blend on
34,000 recipes that are drawn again from the real ones: seconds and memory of its training.
"""

import os
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from gensim.models import Word2Vec
from rich.console import Console

from pipelines.train.blend import refit_blend, train_blend
from pipelines.train.word2vec import Word2VecParameters, fit
from recommender.models.recipe_corpus import RecipeCorpus, corpus_of
from recommender.rankers.config import BlendConfig
from recommender.text.ingredients import canonical_name
from tests.bench.recipe_rows import corpus_of_rows, csv_recipes, jsonl_recipes
from tests.conftest import ROOT

DEMO: Final = ROOT / "crawlers" / "standin" / "demo" / "TB_RECIPE_SEARCH_demo.csv"
EPOCHS: Final = 20
ROUNDS: Final = 5
RECIPES: Final = 34_000
console = Console()


def main() -> None:
    """Print both."""
    shared = Path(os.environ.get("UKOK_SHARED_DATA", ROOT.parent / "shared" / "data")) / "recipes.jsonl"
    rows = jsonl_recipes(shared) if shared.is_file() else csv_recipes(DEMO)
    corpus = corpus_of_rows(rows, canonical_name)
    parameters = replace(Word2VecParameters(), epochs=EPOCHS, words=0)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_seconds(lambda: fit(corpus, parameters)))
        theirs.append(_seconds(lambda: _gensim(corpus, parameters)))
    words = EPOCHS * sum(map(len, corpus.baskets))
    mine, gensim = statistics.median(ours), statistics.median(theirs)
    console.print(
        f"word2vec: {words / mine:,.0f} words/s, gensim {words / gensim:,.0f}; ratio {gensim / mine:.3f}"
        f" (median of {ROUNDS}, at least 0.850 wanted)"
    )
    _blend(drawn_again(corpus, RECIPES))


def drawn_again(corpus: RecipeCorpus, recipes: int) -> RecipeCorpus:
    """So many recipes, drawn with replacement; each loses one ingredient by chance, so that few are equal."""
    random = np.random.default_rng(1)
    rows, lines = [], []
    for number, row in enumerate(random.integers(0, len(corpus), recipes).tolist()):
        basket = corpus.baskets[row]
        lost = int(random.integers(0, max(len(basket), 1)))
        rows.append((number, corpus.titles[row], 0.0))
        lines += [(number, name) for place, name in enumerate(basket) if place != lost]
    return corpus_of(rows, lines)


def _blend(corpus: RecipeCorpus) -> None:
    vectors = fit(corpus.fit(), replace(Word2VecParameters(), epochs=2, words=0))
    began = time.monotonic()
    held_out = train_blend(corpus, vectors, BlendConfig())
    trained = time.monotonic()
    refit_blend(held_out, corpus, vectors)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    console.print(
        f"blend of {len(corpus):,} recipes and {len(held_out.names):,} ingredients: trained in {trained - began:.0f} s,"
        f" refitted in {time.monotonic() - trained:.0f} s, peak memory of the process {peak:.2f} GiB"
    )


def _gensim(corpus: RecipeCorpus, parameters: Word2VecParameters) -> Word2Vec:
    known = set(corpus.frequent_ingredients())
    sentences = [[name for name in basket if name in known] for basket in corpus.baskets]
    return Word2Vec(
        sentences,
        vector_size=parameters.dimensions,
        window=parameters.window,
        min_count=1,
        sg=1,
        negative=parameters.negative,
        ns_exponent=parameters.ns_exponent,
        sample=parameters.sample,
        alpha=parameters.alpha,
        min_alpha=parameters.min_alpha,
        shrink_windows=False,
        seed=parameters.seed,
        workers=1,
        epochs=EPOCHS,
    )


def _seconds(run: Callable[[], object]) -> float:
    began = time.monotonic()
    run()
    return time.monotonic() - began


if __name__ == "__main__":
    main()
