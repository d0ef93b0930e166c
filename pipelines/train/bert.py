"""Training of the sentence encoder of recipe and product titles.

It learns contrastively from pairs of texts, with the other pairs of the batch as negatives. Its figures come from an
encoder that has not seen the test part; the same encoder then goes on to learn from everything, and that is released.
"""

import copy
import math
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import structlog
from sqlalchemy import Engine

from artifacts.store import Store
from pipelines.code_version import code_version
from pipelines.load.loaded_files import product_files, recipe_files
from pipelines.release.products import DATASET, read_products, snapshot
from pipelines.train import corpora, models
from pipelines.train.bert_data import TrainingData, read_titles
from pipelines.train.bert_evaluation import evaluate
from pipelines.train.bert_export import export, torch_vectors
from pipelines.train.bert_model import EncoderShape, untrained
from pipelines.train.bert_pairs import Pair, PairShares, batches
from pipelines.train.curves import CurvePoint, LearningCurve, curve_ends
from pipelines.train.models import HELD_OUT, ModelCard, SavedModel
from recommender.evaluation.results import BertFigures
from recommender.models.encoder import Encoder
from recommender.text.titles import plain

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

log = structlog.get_logger(__name__)

LOG_EVERY_STEPS: Final = 100
# Texts of similar length that are encoded together, which keeps padding short.
CHUNK: Final = 64
TRAINING_PART: Final = "all but the test part"
EVERYTHING: Final = "then everything, at a lower rate"


@dataclass(frozen=True)
class BertParameters:
    """Shape and training of the encoder.

    The budget is in steps, so that the same data give the same encoder on every machine: `epochs` over the texts, at
    most `max_steps`. `refit_share` of them follow on all data, at `refit_rate` of the learning rate: learning anew
    would take as long again, and a shorter training would not be that of the figures.
    """

    base_model: str | None = None
    shape: EncoderShape = field(default_factory=EncoderShape)
    shares: PairShares = field(default_factory=PairShares)
    batch: int = 256
    epochs: int = 6
    max_steps: int = 500
    refit_share: float = 0.2
    refit_rate: float = 0.3
    learning_rate: float = 3e-3
    temperature: float = 0.05
    ingredient_share: float = 0.8
    threads: int = 1
    seed: int = 20250806


@dataclass(frozen=True)
class BertInputs:
    """What `ukok train bert` is given besides the databases: a model to fine-tune, titles, judgements."""

    base_model: str | None = None
    titles_file: Path | None = None
    judgements_dir: Path | None = None


class Fitted(NamedTuple):
    """Figures of an encoder, and its learning curves by what it learnt from."""

    figures: BertFigures
    curves: dict[str, LearningCurve]


def train_and_save(
    service: Engine, store: Store, now: datetime, inputs: BertInputs | None = None
) -> SavedModel[BertFigures]:
    """Train on recipes and food products of the service database, evaluate on the test part, and store the model.

    The encoder that the figures are of is stored beside the released one, for evaluations that need an encoder that
    has not learnt the test part.
    """
    inputs = inputs or BertInputs()
    corpus, products = corpora.read_recipes(service), read_products(service)
    data = TrainingData(corpus, tuple(products), read_titles(inputs.titles_file))
    parameters = BertParameters(base_model=inputs.base_model)
    with tempfile.TemporaryDirectory(prefix="ukok-bert-") as scratch:
        folder = Path(scratch) / "encoder"
        figures, curves = fit(data, folder, parameters, inputs.judgements_dir)
        card = ModelCard[BertFigures](
            datasets={
                corpora.DATASET: corpora.snapshot(store, corpus, recipe_files(service)),
                DATASET: snapshot(store, products, product_files(service)),
            },
            code_version=code_version(),
            parameters=asdict(parameters) | {"titles": len(data.titles)},
            seed=parameters.seed,
            curves=curves,
            figures=figures,
        )
        saved = models.save(store, "bert", folder, card, now)
    log.info("bert_trained", version=saved.version, **figures.trained.model_dump())
    return saved


def fit(data: TrainingData, folder: Path, parameters: BertParameters, judgements_dir: Path | None = None) -> Fitted:
    """Write the released encoder into `folder` and the evaluated one into its folder `held_out`."""
    training, steps = data.train(), step_budget(len(data.train().texts()), parameters)
    model = fresh(training, parameters)
    before = copy.deepcopy(model)
    curves = {TRAINING_PART: train(model, training, parameters, steps, held_out=data.test())}
    export(model, folder / HELD_OUT, parameters.shape.max_tokens, training.texts())
    figures = evaluate(data, partial(torch_vectors, before), Encoder(folder / HELD_OUT).encode, judgements_dir)
    refit_rate = parameters.learning_rate * parameters.refit_rate
    curves[EVERYTHING] = train(model, data, parameters, round(steps * parameters.refit_share), refit_rate)
    export(model, folder, parameters.shape.max_tokens, data.texts())
    return Fitted(figures, curves)


def fresh(data: TrainingData, parameters: BertParameters) -> "SentenceTransformer":
    """The encoder before training."""
    import torch

    torch.set_num_threads(parameters.threads)
    return untrained(data.texts(), list(data.documents()), parameters.shape, parameters.seed, parameters.base_model)


def step_budget(texts: int, parameters: BertParameters) -> int:
    """Number of optimiser steps for so many texts: all epochs, at most `parameters.max_steps`."""
    return min(parameters.max_steps, math.ceil(texts / parameters.batch) * parameters.epochs)


def train(
    model: "SentenceTransformer",
    data: TrainingData,
    parameters: BertParameters,
    steps: int,
    learning_rate: float | None = None,
    held_out: TrainingData | None = None,
) -> LearningCurve:
    """Train `model` on pairs of `data`; the same input gives the same model on one machine.

    The curve has the loss on pairs of `held_out` beside that of the training, without any effect on the model.
    """
    import torch

    torch.manual_seed(parameters.seed)
    torch.set_num_threads(parameters.threads)
    rate = learning_rate or parameters.learning_rate
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, partial(_rate_share, steps=steps))
    random = np.random.default_rng(parameters.seed)
    drawn = batches(data, parameters.shares, parameters.ingredient_share, parameters.batch, random)
    encode, asked = _Encoding(model), _held_out_pairs(held_out, parameters)
    ends, losses, points = set(curve_ends(steps)), list[float](), list[CurvePoint]()
    model.train()
    for step in range(1, steps + 1):
        loss = _loss(encode, next(drawn), parameters.temperature)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step in ends:
            points.append(_point(step, losses, _held_out_loss(model, encode, asked, parameters.temperature)))
            losses.clear()
        if step % LOG_EVERY_STEPS == 0 or step == steps:
            log.info("bert_training", step=step, steps=steps, loss=round(loss.item(), 3))
    model.eval()
    return LearningCurve(unit="step", points=tuple(points))


def _point(step: int, losses: Sequence[float], held_out: float | None) -> CurvePoint:
    mean = sum(losses) / len(losses)
    return CurvePoint(at=step, loss=round(mean, 4), held_out=None if held_out is None else round(held_out, 4))


def _held_out_pairs(data: TrainingData | None, parameters: BertParameters) -> Sequence[Pair]:
    """One batch that is not learnt from, as large as those that are: the loss depends on the number of pairs."""
    if data is None:
        return ()
    random = np.random.default_rng(parameters.seed)
    return next(batches(data, parameters.shares, parameters.ingredient_share, parameters.batch, random))


def _held_out_loss(
    model: "SentenceTransformer", encode: "_Encoding", pairs: Sequence[Pair], temperature: float
) -> float | None:
    """The loss on `pairs` without dropout, which draws no random number; None without pairs."""
    import torch

    if not pairs:
        return None
    model.eval()
    with torch.no_grad():
        loss = float(_loss(encode, pairs, temperature))
    model.train()
    return loss


def _rate_share(step: int, steps: int) -> float:
    """Share of the learning rate: it rises over the first tenth of the steps, and falls along a cosine."""
    return min((step + 1) / max(steps // 10, 1), (1 + math.cos(math.pi * step / max(steps, 1))) / 2)


def _loss(encode: "_Encoding", pairs: Sequence[Pair], temperature: float) -> "torch.Tensor":
    """Cross entropy of finding each second text by its first one, and each first by its second."""
    import torch

    vectors = encode([*(pair.first for pair in pairs), *(pair.second for pair in pairs)])
    numbers: dict[tuple[str, str], int] = {}
    groups = torch.tensor([numbers.setdefault(pair.group, len(numbers)) for pair in pairs])
    same_group = (groups[:, None] == groups[None]).fill_diagonal_(False)
    scores = (vectors[: len(pairs)] @ vectors[len(pairs) :].T / temperature).masked_fill(same_group, -torch.inf)
    own = torch.arange(len(pairs))
    return (torch.nn.functional.cross_entropy(scores, own) + torch.nn.functional.cross_entropy(scores.T, own)) / 2


class _Encoding:
    """Texts to unit vectors that can be learnt from; the word pieces of a text are looked up once."""

    def __init__(self, model: "SentenceTransformer") -> None:
        self._model = model
        self._padding = model.tokenizer.pad_token_id
        self._tokenizer = model.tokenizer.backend_tokenizer
        self._tokenizer.enable_truncation(model.max_seq_length)
        self._tokenizer.no_padding()
        self._pieces: dict[str, list[int]] = {}

    def __call__(self, texts: Sequence[str]) -> "torch.Tensor":
        import torch

        new = list(dict.fromkeys(text for text in texts if text not in self._pieces))
        encodings = self._tokenizer.encode_batch_fast([plain(text) for text in new])
        self._pieces.update((text, encoding.ids) for text, encoding in zip(new, encodings, strict=True))
        pieces = [self._pieces[text] for text in texts]
        order = sorted(range(len(texts)), key=lambda row: len(pieces[row]))
        parts = [
            self._encode([pieces[row] for row in order[start : start + CHUNK]]) for start in range(0, len(order), CHUNK)
        ]
        return torch.cat(parts)[np.argsort(order)]

    def _encode(self, pieces: Sequence[Sequence[int]]) -> "torch.Tensor":
        import torch

        lengths = np.array([len(numbers) for numbers in pieces])
        mask = np.arange(lengths.max()) < lengths[:, None]
        ids = np.full(mask.shape, self._padding, dtype=np.int64)
        ids[mask] = np.concatenate(pieces)
        features = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask.astype(np.int64))}
        vectors: torch.Tensor = self._model(features)["sentence_embedding"]
        return vectors
