from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.results import TitleSearchFigures
from recommender.evaluation.title_search import evaluate_title_search
from recommender.models.recipe_corpus import corpus_of


def test_a_perfect_encoder_has_perfect_figures() -> None:
    corpus = corpus_of(
        [(number, " ".join(f"{letter}{number}" for letter in "가나다라"), 0.0) for number in range(20)],
        [(number, f"{letter}{number}") for number in range(20) for letter in "가나다라"],
    )

    def exact(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([np.eye(20)[int(text.split()[0][1:])] for text in texts], dtype=np.float32)

    assert evaluate_title_search(corpus, exact) == TitleSearchFigures(recipes=20, recall_at_10=1.0, mrr=1.0)
    assert evaluate_title_search(corpus.part(np.arange(0)), exact).recipes == 0
