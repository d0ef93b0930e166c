"""Word2Vec on recipes' ingredient lists: input vectors find substitutes, input times output finds complements.

Trained twice with the same parameters: on the fitting part, for figures on recipes that nothing has learnt from, and on
all recipes, for the release.
"""

import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import structlog
from sqlalchemy import Engine

from artifacts.store import Store
from pipelines.code_version import code_version
from pipelines.load.loaded_files import recipe_files
from pipelines.train import corpora, models
from pipelines.train.curves import LearningCurve, curve_of
from pipelines.train.models import ModelCard, SavedModel
from recommender.evaluation.results import Word2VecFigures
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.models.word_vectors import WordVectors

log = structlog.get_logger(__name__)

FITTING_PART: Final = "the fitting part"
ALL_RECIPES: Final = "all recipes"


@dataclass(frozen=True)
class Word2VecParameters:
    """Skip-gram parameters. The window exceeds every recipe, and negatives are drawn uniformly (`ns_exponent` 0).

    The corpus is read `epochs` times; a small one until `words` words are read, at most `max_epochs` times.
    """

    dimensions: int = 128
    window: int = 100
    negative: int = 5
    ns_exponent: float = 0.0
    sample: float = 3e-4
    epochs: int = 80
    words: int = 5_000_000
    max_epochs: int = 1000
    alpha: float = 0.05
    min_alpha: float = 0.001
    seed: int = 20250806


class Learnt(NamedTuple):
    """Vectors, and how the loss for each word of the recipes fell."""

    vectors: WordVectors
    curve: LearningCurve


def train(service: Engine, store: Store, now: datetime) -> SavedModel[Word2VecFigures]:
    """Train on the recipes in the service database, and on their fitting part, and store both in one model."""
    corpus = corpora.read_recipes(service)
    parameters = Word2VecParameters()
    # Each model learns in one thread, so that its vectors do not depend on timing; the two can at once.
    with ThreadPoolExecutor(2) as pool:
        learnt, held_out = pool.map(lambda part: learn(part, parameters), (corpus, corpus.fit()))
    card = ModelCard[Word2VecFigures](
        datasets={corpora.DATASET: corpora.snapshot(store, corpus, recipe_files(service))},
        code_version=code_version(),
        parameters=asdict(parameters),
        seed=parameters.seed,
        curves={FITTING_PART: held_out.curve, ALL_RECIPES: learnt.curve},
        figures=Word2VecFigures(ingredients=len(learnt.vectors.names), recipes=len(corpus)),
    )
    with tempfile.TemporaryDirectory(prefix="ukok-word2vec-") as scratch:
        learnt.vectors.save(Path(scratch))
        held_out.vectors.save(Path(scratch) / models.HELD_OUT)
        saved = models.save(store, "word2vec", Path(scratch), card, now)
    log.info("word2vec_trained", version=saved.version, **saved.figures.model_dump())
    return saved


def fit(corpus: RecipeCorpus, parameters: Word2VecParameters) -> WordVectors:
    """Vectors of `corpus`; the same recipes and parameters give the same vectors, bit by bit."""
    return learn(corpus, parameters).vectors


def learn(corpus: RecipeCorpus, parameters: Word2VecParameters) -> Learnt:
    """Train on `corpus`."""
    names = corpus.frequent_ingredients()
    known = set(names)
    sentences = [[name for name in basket if name in known] for basket in corpus.baskets]
    sentences = [sentence for sentence in sentences if len(sentence) > 1]
    if not sentences:
        raise corpora.EmptyCorpus("no recipe has two ingredients that others use too: import more recipes first")
    return fit_lists(sentences, names, parameters)


def fit_lists(lists: Sequence[Sequence[str]], names: Sequence[str], parameters: Word2VecParameters) -> Learnt:
    """Train on lists of `names`, each of two and more; the order of `names` breaks ties between equal counts."""
    from gensim.models import Word2Vec
    from gensim.models.callbacks import CallbackAny2Vec

    losses: list[float] = []

    class Losses(CallbackAny2Vec):  # type: ignore[misc]
        """Keeps the loss of every epoch; gensim's own sum over all epochs soon exceeds the precision of its type."""

        def on_epoch_end(self, model: Any) -> None:  # noqa: ANN401 (gensim has no types)
            losses.append(float(model.get_latest_training_loss()) / words)
            model.running_training_loss = 0.0

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
    # The order of the vocabulary must not depend on how gensim breaks ties.
    counts = Counter(name for each in lists for name in each)
    model.build_vocab_from_freq({name: counts[name] for name in names if counts[name]}, corpus_count=len(lists))
    words = counts.total()
    epochs = max(parameters.epochs, min(parameters.max_epochs, parameters.words // words))
    model.train(lists, total_examples=len(lists), epochs=epochs, compute_loss=True, callbacks=[Losses()])
    inputs, outputs = np.asarray(model.wv.vectors, np.float32), np.asarray(model.syn1neg, np.float32)
    return Learnt(WordVectors(tuple(model.wv.index_to_key), inputs, outputs), curve_of("epoch", losses))


def _stable_hash(text: str) -> int:
    """A hash that, unlike Python's own, is the same in every process."""
    return int.from_bytes(text.encode()[-7:], "little")
