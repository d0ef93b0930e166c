"""A sentence encoder for recipe and product titles: a small BERT with its own WordPiece vocabulary.

It learns from pairs of a recipe's title and its ingredients, the other pairs of the batch being the wrong answers. With
a base model, by name or path, that model is tuned instead. It ships as ONNX, so that serving needs no torch.
"""

import json
import logging
import math
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Engine

from artifacts.store import Store
from pipelines.train import corpora, models
from pipelines.train.corpora import RecipeCorpus
from pipelines.train.title_search import finding
from recommender.models.encoder import Encoder
from recommender.rankers.bert import ingredient_text
from recommender.text.titles import plain
from ukok import __version__

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from transformers import PreTrainedTokenizerFast

log = structlog.get_logger(__name__)

SPECIAL: Final = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
ALPHABET: Final = 2000
# Of the ONNX vectors to those of torch, over texts of the corpus.
LEAST_COSINE: Final = 0.9999


@dataclass(frozen=True)
class BertParameters:
    """How the encoder is shaped and trained; `steps` bounds the training, whatever the size of the corpus."""

    base_model: str | None = None
    vocabulary: int = 8000
    layers: int = 2
    dimensions: int = 128
    heads: int = 4
    longest: int = 64
    batch: int = 128
    epochs: int = 20
    steps: int = 350
    learning_rate: float = 3e-3
    temperature: float = 0.05
    dropout: float = 0.0
    kept_ingredients: float = 0.8
    threads: int = 1
    seed: int = 20250806


def train_and_keep(service: Engine, store: Store, now: datetime, base_model: str | None = None) -> str:
    """Train on the fitting part of the recipes in the service database and keep the model; returns its version.

    `base_model` names a model to tune, by hub name or path, instead of a fresh one. Its figures say how well titles
    find the ingredients of recipes it never saw, before and after training.
    """
    corpus = corpora.read_recipes(service)
    parameters = BertParameters(base_model=base_model)
    before = untrained(corpus.fit(), parameters)
    figures = {"untrained": finding(corpus.test(), partial(_vectors, before))}
    with tempfile.TemporaryDirectory(prefix="ukok-bert-") as scratch:
        folder = Path(scratch) / "encoder"
        export(train(corpus.fit(), parameters), folder, parameters, corpus.titles[:100])
        figures["trained"] = finding(corpus.test(), Encoder(folder).encode)
        about = {
            "dataset": {corpora.DATASET: corpora.snapshot(store, corpus)},
            "code_version": __version__,
            "parameters": asdict(parameters),
            "seed": parameters.seed,
            "longest": parameters.longest,
            "figures": figures,
        }
        version = models.keep(store, "bert", folder, about, now)
    log.info("bert_trained", version=version, **figures["trained"])
    return version


def train(corpus: RecipeCorpus, parameters: BertParameters) -> "SentenceTransformer":
    """Train on the recipes of `corpus` that have ingredients; the same input gives the same model on one machine."""
    import torch
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    torch.manual_seed(parameters.seed)
    torch.set_num_threads(parameters.threads)
    model = untrained(corpus, parameters)
    loss_of = MultipleNegativesRankingLoss(model, scale=1 / parameters.temperature)
    steps = step_budget(sum(1 for basket in corpus.baskets if basket), parameters)
    optimizer = torch.optim.AdamW(model.parameters(), lr=parameters.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, parameters.learning_rate, total_steps=max(steps, 2), pct_start=0.1
    )
    model.train()
    for step, (titles, ingredients) in enumerate(_batches(corpus, parameters, steps), start=1):
        loss = loss_of([model.preprocess(titles), model.preprocess(ingredients)], torch.empty(0))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == steps:
            log.info("bert_training", step=step, steps=steps, loss=round(loss.item(), 3))
    return model.eval()


def step_budget(pairs: int, parameters: BertParameters) -> int:
    """Number of optimiser steps for so many pairs: the epochs asked for, at most `parameters.steps`."""
    return min(parameters.steps, math.ceil(pairs / parameters.batch) * parameters.epochs)


def untrained(corpus: RecipeCorpus, parameters: BertParameters) -> "SentenceTransformer":
    """The encoder before its first step: the base model, or a fresh BERT over the corpus's own WordPieces."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers.utils.logging import disable_progress_bar

    # Its bars would be drawn across the progress of whoever runs this.
    disable_progress_bar()
    torch.manual_seed(parameters.seed)
    with tempfile.TemporaryDirectory() as folder:
        source = parameters.base_model or _fresh(corpus, parameters, Path(folder))
        transformer = Transformer(source, max_seq_length=parameters.longest)
    pooling = Pooling(transformer.get_embedding_dimension(), "mean")
    return SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu")


def export(model: "SentenceTransformer", folder: Path, parameters: BertParameters, texts: Sequence[str]) -> None:
    """Write `model.onnx` (token states), `tokenizer.json` and `model.json` into `folder`.

    Raises RuntimeError when the file's vectors of `texts` are not those of the model.
    """
    import torch

    folder.mkdir(parents=True)
    (folder / models.ABOUT).write_text(json.dumps({"longest": parameters.longest}), encoding="utf-8")
    model.tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    features = model.preprocess(["김치찌개", "감자 양파 돼지고기"])
    dynamic = dict.fromkeys((0, 1), torch.export.Dim.DYNAMIC)
    # Says at every export which libraries it could also have used.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # Raised inside torch's own exporter about its own code.
        warnings.simplefilter("ignore", FutureWarning)
        program = torch.onnx.export(
            _token_states(model),
            (features["input_ids"], features["attention_mask"]),
            dynamo=True,
            input_names=["input_ids", "attention_mask"],
            output_names=["states"],
            dynamic_shapes=(dynamic, dynamic),
            verbose=False,
        )
    program.save(str(folder / "model.onnx"), external_data=False)
    cosine = float((Encoder(folder).encode(texts) * _vectors(model, texts)).sum(axis=1).min(initial=1.0))
    if cosine < LEAST_COSINE:
        raise RuntimeError(f"the ONNX encoder differs from the trained one: least cosine {cosine:.5f}")


def _vectors(model: "SentenceTransformer", texts: Sequence[str]) -> NDArray[np.float32]:
    """What torch makes of the texts: (texts, dimensions)."""
    model.eval()
    vectors: NDArray[np.float32] = model.encode([plain(text) for text in texts], show_progress_bar=False)
    return vectors


def _token_states(model: "SentenceTransformer") -> "torch.nn.Module":
    """The transformer as a function of ids and mask that returns its last hidden states alone."""
    import torch

    class TokenStates(torch.nn.Module):  # type: ignore[misc]  # torch is not followed by the type checker
        def __init__(self, transformer: torch.nn.Module) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            states: torch.Tensor = self.transformer(input_ids=input_ids, attention_mask=attention_mask)[0]
            return states

    return TokenStates(model[0].auto_model).eval()


def _fresh(corpus: RecipeCorpus, parameters: BertParameters, folder: Path) -> str:
    from transformers import BertConfig, BertModel

    tokenizer = _tokenizer(corpus, parameters)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=parameters.dimensions,
        num_hidden_layers=parameters.layers,
        num_attention_heads=parameters.heads,
        intermediate_size=4 * parameters.dimensions,
        max_position_embeddings=parameters.longest,
        hidden_dropout_prob=parameters.dropout,
        attention_probs_dropout_prob=parameters.dropout,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def _tokenizer(corpus: RecipeCorpus, parameters: BertParameters) -> "PreTrainedTokenizerFast":
    from tokenizers import processors
    from tokenizers.models import WordPiece
    from transformers import PreTrainedTokenizerFast

    tokenizer = _plain_tokenizer(WordPiece(_word_pieces(corpus, parameters.vocabulary), unk_token=SPECIAL["unk_token"]))
    marks = [(mark, tokenizer.token_to_id(mark)) for mark in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
    # Without the explicit special tokens the fast tokenizer pads and marks nothing.
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=parameters.longest, **SPECIAL)


def _word_pieces(corpus: RecipeCorpus, size: int) -> dict[str, int]:
    """The `size` most useful WordPieces of the corpus with their numbers."""
    from tokenizers.models import WordPiece
    from tokenizers.trainers import WordPieceTrainer

    texts = [plain(text) for text in (*corpus.titles, *map(ingredient_text, corpus.baskets))]
    letters = Counter(letter for text in texts for letter in text if not letter.isspace())
    usual = sorted(sorted(letters), key=lambda letter: -letters[letter])[:ALPHABET]
    # The trainer numbers letters inside words as a hash table yields them, and breaks ties by number: given as special,
    # they have a fixed one.
    numbered = [*SPECIAL.values(), *usual, *(f"##{letter}" for letter in usual)]
    tokenizer = _plain_tokenizer(WordPiece(unk_token=SPECIAL["unk_token"]))
    tokenizer.train_from_iterator(
        texts,
        WordPieceTrainer(
            vocab_size=max(size, len(numbered)), special_tokens=numbered, limit_alphabet=0, show_progress=False
        ),
    )
    return dict(sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1]))


def _plain_tokenizer(model: "WordPiece") -> "Tokenizer":
    from tokenizers import Tokenizer, normalizers, pre_tokenizers

    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _batches(corpus: RecipeCorpus, parameters: BertParameters, steps: int) -> Iterator[tuple[list[str], list[str]]]:
    """Shuffled (titles, ingredients) batches; some ingredients are left out each time, so that no list is learnt."""
    random = np.random.default_rng(parameters.seed)
    rows = np.array([row for row, basket in enumerate(corpus.baskets) if basket])
    queue: NDArray[np.intp] = np.empty(0, dtype=np.intp)
    for _ in range(steps):
        if len(queue) < min(parameters.batch, len(rows)):
            queue = random.permutation(rows)
        taken, queue = queue[: parameters.batch], queue[parameters.batch :]
        titles = [plain(corpus.titles[row]) for row in taken]
        yield titles, [_some(corpus.baskets[row], parameters.kept_ingredients, random) for row in taken]


def _some(basket: Sequence[str], share: float, random: np.random.Generator) -> str:
    kept = [name for name in basket if random.random() < share] or [basket[0]]
    random.shuffle(kept)
    return ingredient_text(kept)
