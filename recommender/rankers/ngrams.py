"""Character n-grams of titles as sparse TF-IDF features, by scikit-learn."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.rankers.config import TitleFeaturesConfig
from recommender.text.titles import plain

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer


@dataclass(frozen=True)
class TitleFeatures:
    """The n-grams that are features, with their inverse document frequency (features,)."""

    config: TitleFeaturesConfig
    grams: tuple[str, ...]
    idf: NDArray[np.float32]

    def transform(self, titles: Sequence[str]) -> sp.csr_array:
        """Features (titles, features) with rows of length 1, or 0 for a title without a known n-gram."""
        if not self.grams or not any(titles):
            return sp.csr_array(np.zeros((len(titles), len(self.grams)), dtype=np.float32))
        return sp.csr_array(self._vectorizer.transform(titles))

    @cached_property
    def _vectorizer(self) -> "TfidfVectorizer":
        vectorizer = _vectorizer(self.config, self.grams)
        vectorizer.idf_ = self.idf
        return vectorizer


def fit_title_features(titles: Sequence[str], config: TitleFeaturesConfig) -> TitleFeatures:
    """Choose the n-grams that most titles contain, and weight each by log((1 + titles) / (1 + titles with it)) + 1."""
    analyse = _vectorizer(config).build_analyzer()
    counts = Counter(gram for title in titles for gram in set(analyse(title)))
    frequent = (gram for gram, count in counts.items() if count >= config.min_titles)
    chosen = sorted(frequent, key=lambda gram: (-counts[gram], gram))[: config.max_features]
    grams = tuple(sorted(chosen))
    idf = _vectorizer(config, grams).fit(titles).idf_ if grams else np.zeros(0)
    return TitleFeatures(config, grams, idf.astype(np.float32))


def _vectorizer(config: TitleFeaturesConfig, grams: tuple[str, ...] | None = None) -> "TfidfVectorizer":
    # Takes a second to import, and serving needs it only for recipes with a title.
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(1, config.max_length),
        preprocessor=plain,
        vocabulary=grams,
        sublinear_tf=True,
        dtype=np.float32,
    )
