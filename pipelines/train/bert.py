"""A sentence encoder for recipe and product titles: a small BERT with its own WordPiece vocabulary.

Trained contrastively on pairs of a recipe's title and its ingredients, with the other pairs of the batch as negatives.
A base model, by name or path, is fine-tuned instead. Exported to ONNX, so that serving needs no torch.
"""

import math
import tempfile
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
from pipelines.code_version import code_version
from pipelines.load.loaded_files import recipe_files
from pipelines.train import corpora, models
from pipelines.train.bert_export import export, torch_vectors
from pipelines.train.models import ModelCard, SavedModel
from recommender.evaluation.results import BertFigures
from recommender.evaluation.title_search import evaluate_title_search
from recommender.models.encoder import Encoder
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.rankers.bert import ingredient_text
from recommender.text.titles import plain

if TYPE_CHECKING:
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
# Letters in the vocabulary, most frequent first.
ALPHABET: Final = 2000
LOG_EVERY_STEPS: Final = 100


@dataclass(frozen=True)
class BertParameters:
    """Shape and training of the encoder; `max_steps` bounds the training, whatever the size of the corpus."""

    base_model: str | None = None
    vocabulary: int = 8000
    layers: int = 2
    dimensions: int = 128
    heads: int = 4
    max_tokens: int = 64
    batch: int = 128
    epochs: int = 20
    max_steps: int = 350
    learning_rate: float = 3e-3
    temperature: float = 0.05
    dropout: float = 0.0
    ingredient_share: float = 0.8
    threads: int = 1
    seed: int = 20250806


def train_and_save(
    service: Engine, store: Store, now: datetime, base_model: str | None = None
) -> SavedModel[BertFigures]:
    """Train on the fitting part of the recipes in the service database and store the model.

    `base_model` names a model to fine-tune, by hub name or path, instead of a fresh one. The figures are those of title
    search on recipes of the test part, before and after training.
    """
    corpus = corpora.read_recipes(service)
    parameters = BertParameters(base_model=base_model)
    before = evaluate_title_search(corpus.test(), partial(torch_vectors, untrained(corpus.fit(), parameters)))
    with tempfile.TemporaryDirectory(prefix="ukok-bert-") as scratch:
        folder = Path(scratch) / "encoder"
        export(train(corpus.fit(), parameters), folder, parameters.max_tokens, corpus.titles)
        after = evaluate_title_search(corpus.test(), Encoder(folder).encode)
        card = ModelCard[BertFigures](
            datasets={corpora.DATASET: corpora.snapshot(store, corpus, recipe_files(service))},
            code_version=code_version(),
            parameters=asdict(parameters),
            seed=parameters.seed,
            figures=BertFigures(untrained=before, trained=after),
        )
        saved = models.save(store, "bert", folder, card, now)
    log.info("bert_trained", version=saved.version, **after.model_dump())
    return saved


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
        if step % LOG_EVERY_STEPS == 0 or step == steps:
            log.info("bert_training", step=step, steps=steps, loss=round(loss.item(), 3))
    return model.eval()


def step_budget(pairs: int, parameters: BertParameters) -> int:
    """Number of optimiser steps for so many pairs: all epochs, at most `parameters.max_steps`."""
    return min(parameters.max_steps, math.ceil(pairs / parameters.batch) * parameters.epochs)


def untrained(corpus: RecipeCorpus, parameters: BertParameters) -> "SentenceTransformer":
    """The encoder before training: the base model, or a fresh BERT with the WordPieces of the corpus."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers.utils.logging import disable_progress_bar

    # Its bars would overwrite the progress display of the caller.
    disable_progress_bar()
    torch.manual_seed(parameters.seed)
    with tempfile.TemporaryDirectory() as folder:
        name_or_path = parameters.base_model or _fresh(corpus, parameters, Path(folder))
        transformer = Transformer(
            name_or_path,
            max_seq_length=parameters.max_tokens,
            # The plain attention is the one that is exported.
            model_kwargs={"attn_implementation": "eager"},
        )
    pooling = Pooling(transformer.get_embedding_dimension(), "mean")
    return SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu")


def _fresh(corpus: RecipeCorpus, parameters: BertParameters, folder: Path) -> str:
    from transformers import BertConfig, BertModel

    tokenizer = _tokenizer(corpus, parameters)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=parameters.dimensions,
        num_hidden_layers=parameters.layers,
        num_attention_heads=parameters.heads,
        intermediate_size=4 * parameters.dimensions,
        max_position_embeddings=parameters.max_tokens,
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
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=parameters.max_tokens, **SPECIAL)


def _word_pieces(corpus: RecipeCorpus, size: int) -> dict[str, int]:
    """A vocabulary of `size` WordPieces of the corpus, with their numbers."""
    from tokenizers.models import WordPiece
    from tokenizers.trainers import WordPieceTrainer

    texts = [plain(text) for text in (*corpus.titles, *map(ingredient_text, corpus.baskets))]
    letters = Counter(letter for text in texts for letter in text if not letter.isspace())
    frequent = sorted(sorted(letters), key=lambda letter: -letters[letter])[:ALPHABET]
    # The trainer numbers letters inside words in the order of a hash table, and breaks ties by number: as special
    # tokens they have fixed numbers.
    numbered = [*SPECIAL.values(), *frequent, *(f"##{letter}" for letter in frequent)]
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
    """Shuffled (titles, ingredients) batches; each time a random part of the ingredients, against overfitting."""
    random = np.random.default_rng(parameters.seed)
    rows = np.array([row for row, basket in enumerate(corpus.baskets) if basket])
    queue: NDArray[np.intp] = np.empty(0, dtype=np.intp)
    for _ in range(steps):
        if len(queue) < min(parameters.batch, len(rows)):
            queue = random.permutation(rows)
        taken, queue = queue[: parameters.batch], queue[parameters.batch :]
        titles = [plain(corpus.titles[row]) for row in taken]
        yield titles, [_sample(corpus.baskets[row], parameters.ingredient_share, random) for row in taken]


def _sample(basket: Sequence[str], share: float, random: np.random.Generator) -> str:
    """The text of about `share` of the ingredients, at least one, in random order."""
    names = [name for name in basket if random.random() < share] or [basket[0]]
    random.shuffle(names)
    return ingredient_text(names)
