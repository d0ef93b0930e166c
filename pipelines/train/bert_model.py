"""A small BERT with its own WordPiece vocabulary, before training.

Its word pieces start from where they occur: the singular vectors of the matrix of titles with their ingredients by word
pieces, weighted by TF-IDF. So the encoder understands something before its first step, and needs fewer of them.
"""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommender.text.titles import plain

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from transformers import PreTrainedTokenizerFast

SPECIAL: Final = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
# Letters in the vocabulary, most frequent first.
ALPHABET: Final = 2000
# Length of the vector of a word piece before training, per root of the dimensions.
FIRST_LENGTH: Final = 0.05


@dataclass(frozen=True)
class EncoderShape:
    """Size of a fresh encoder, and the most tokens of a text that any encoder reads."""

    vocabulary: int = 8000
    layers: int = 2
    dimensions: int = 96
    heads: int = 4
    max_tokens: int = 64
    dropout: float = 0.1


def untrained(
    texts: Sequence[str], documents: Sequence[str], shape: EncoderShape, seed: int, base_model: str | None = None
) -> "SentenceTransformer":
    """The encoder before training: the base model, by name or path, or a fresh BERT with the WordPieces of `texts`.

    A fresh one knows which word pieces occur together in `documents`.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers.utils.logging import disable_progress_bar

    # Its bars would overwrite the progress display of the caller.
    disable_progress_bar()
    torch.manual_seed(seed)
    with tempfile.TemporaryDirectory() as folder:
        transformer = Transformer(
            base_model or _save_fresh(texts, shape, Path(folder)),
            max_seq_length=shape.max_tokens,
            # The plain attention is the one that is exported.
            model_kwargs={"attn_implementation": "eager"},
        )
    pooling = Pooling(transformer.get_embedding_dimension(), "mean")
    model = SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu")
    if base_model is None:
        _place_word_pieces(model, documents, shape, seed)
    return model.eval()


def _place_word_pieces(model: "SentenceTransformer", documents: Sequence[str], shape: EncoderShape, seed: int) -> None:
    """Replace the random vectors of word pieces by singular vectors, as far as there are enough documents."""
    import torch
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfTransformer

    tokenizer = model.tokenizer
    encodings = tokenizer.backend_tokenizer.encode_batch_fast([plain(text) for text in documents])
    special = set(tokenizer.all_special_ids)
    rows = [sorted(set(encoding.ids) - special) for encoding in encodings]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    columns = np.array([number for row in rows for number in row], dtype=np.int32)
    counts = sp.csr_array((np.ones(len(columns), np.float32), columns, starts), shape=(len(rows), len(tokenizer)))
    width = min(shape.dimensions, min(counts.shape) - 1)
    if width < 1:
        return
    # Sums of several threads differ in the last digits.
    with threadpool_limits(limits=1):
        decomposition = TruncatedSVD(width, random_state=seed).fit(TfidfTransformer().fit_transform(counts))
    vectors = decomposition.components_.T * np.sqrt(decomposition.singular_values_)
    lengths = np.linalg.norm(vectors, axis=1)
    used = np.flatnonzero(lengths > 1e-6)
    placed: NDArray[np.float32] = np.zeros((len(used), shape.dimensions), dtype=np.float32)
    placed[:, :width] = vectors[used] / lengths[used, None] * FIRST_LENGTH * np.sqrt(shape.dimensions)
    weights = model[0].auto_model.embeddings.word_embeddings.weight
    weights.data[torch.from_numpy(used)] = torch.from_numpy(placed)


def _save_fresh(texts: Sequence[str], shape: EncoderShape, folder: Path) -> str:
    """Save a fresh BERT with the WordPieces of `texts` into `folder`, which is returned."""
    from transformers import BertConfig, BertModel

    tokenizer = _tokenizer(texts, shape)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.dimensions,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=2 * shape.dimensions,
        # Cheaper than a smooth one, and no worse on short texts.
        hidden_act="relu",
        max_position_embeddings=shape.max_tokens,
        hidden_dropout_prob=shape.dropout,
        attention_probs_dropout_prob=shape.dropout,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def _tokenizer(texts: Sequence[str], shape: EncoderShape) -> "PreTrainedTokenizerFast":
    from tokenizers import processors
    from tokenizers.models import WordPiece
    from transformers import PreTrainedTokenizerFast

    tokenizer = _plain_tokenizer(WordPiece(_word_pieces(texts, shape.vocabulary), unk_token=SPECIAL["unk_token"]))
    marks = [(mark, tokenizer.token_to_id(mark)) for mark in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
    # Without the explicit special tokens the fast tokenizer pads and marks nothing.
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=shape.max_tokens, **SPECIAL)


def _word_pieces(texts: Sequence[str], size: int) -> dict[str, int]:
    """A vocabulary of `size` WordPieces of `texts`, with their numbers."""
    from tokenizers.models import WordPiece
    from tokenizers.trainers import WordPieceTrainer

    texts = [plain(text) for text in texts]
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
