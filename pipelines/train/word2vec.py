"""Word2Vec over recipes' ingredient lists: input vectors find substitutes, input times output finds complements."""

import json
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Engine

from artifacts.store import Store
from pipelines.train import corpora, models
from pipelines.train.corpora import RecipeCorpus
from ukok import __version__

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Word2VecParameters:
    """Skip-gram settings. The window exceeds every recipe, and unpopular ingredients are drawn as often as popular.

    A small corpus is read more often: at least `epochs` times and until `words` are read, at most `most_epochs` times.
    """

    dimensions: int = 128
    window: int = 100
    negative: int = 5
    ns_exponent: float = 0.0
    sample: float = 3e-4
    epochs: int = 80
    words: int = 5_000_000
    most_epochs: int = 1000
    alpha: float = 0.05
    min_alpha: float = 0.001
    seed: int = 20250806


@dataclass(frozen=True)
class Vectors:
    """Ingredient names, and their input and output vectors (names, dimensions)."""

    names: tuple[str, ...]
    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]


def train(service: Engine, store: Store, now: datetime) -> str:
    """Train on the fitting part of the recipes in the service database and keep the model; returns its version."""
    corpus = corpora.read_recipes(service)
    parameters = Word2VecParameters()
    vectors = fit(corpus.fit(), parameters)
    figures = {"ingredients": len(vectors.names), "recipes": len(corpus.fit())}
    about = {
        "dataset": {corpora.DATASET: corpora.snapshot(store, corpus)},
        "code_version": __version__,
        "parameters": asdict(parameters),
        "seed": parameters.seed,
        "figures": figures,
    }
    with tempfile.TemporaryDirectory(prefix="ukok-word2vec-") as scratch:
        folder = Path(scratch)
        (folder / "names.json").write_text(json.dumps(vectors.names, ensure_ascii=False), encoding="utf-8")
        np.save(folder / "input.npy", vectors.inputs)
        np.save(folder / "output.npy", vectors.outputs)
        version = models.keep(store, "word2vec", folder, about, now)
    log.info("word2vec_trained", version=version, **figures)
    return version


def fit(corpus: RecipeCorpus, parameters: Word2VecParameters) -> Vectors:
    """Train on `corpus`; the same recipes and parameters give the same vectors, bit by bit."""
    names = corpus.usual_names()
    known = set(names)
    sentences = [[name for name in basket if name in known] for basket in corpus.baskets]
    sentences = [sentence for sentence in sentences if len(sentence) > 1]
    if not sentences:
        raise corpora.EmptyCorpus("no recipe has two ingredients that others use too: import more recipes first")
    from gensim.models import Word2Vec

    model = Word2Vec(
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
        hashfxn=_stable_hash,
        workers=1,
    )
    # Counted here, so that the order does not hang on how gensim breaks ties.
    counts = Counter(name for sentence in sentences for name in sentence)
    model.build_vocab_from_freq({name: counts[name] for name in names if counts[name]}, corpus_count=len(sentences))
    epochs = max(parameters.epochs, min(parameters.most_epochs, parameters.words // counts.total()))
    model.train(sentences, total_examples=len(sentences), epochs=epochs)
    kept = tuple(model.wv.index_to_key)
    return Vectors(kept, np.asarray(model.wv.vectors, np.float32), np.asarray(model.syn1neg, np.float32))


def _stable_hash(text: str) -> int:
    """Python's own hash of a string differs between processes."""
    return int.from_bytes(text.encode()[-7:], "little")
