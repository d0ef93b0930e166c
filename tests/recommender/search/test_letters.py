"""Cosines of character n-grams are those of scikit-learn."""

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from recommender.search.letters import Letters

TEXTS = ["돼지고기 김치찌개", "김치 김치 김치", "두부 된장찌개", "", "a 파"]


def test_cosines_are_those_of_tf_idf_over_n_grams_in_words() -> None:
    letters = Letters([text.split() for text in TEXTS])
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True)
    matrix = vectorizer.fit_transform(TEXTS)
    for query in ("김치찌개", "두부 김치", "파"):
        expected = (matrix @ vectorizer.transform([query]).T).toarray().ravel()
        found = letters.cosines(query.split())
        # scikit-learn counts the blank at the borders of words as a feature of its own, too.
        assert np.argsort(-found, kind="stable")[0] == np.argsort(-expected, kind="stable")[0]
        assert np.abs(found - expected).max() < 0.2


def test_a_text_is_most_like_itself() -> None:
    letters = Letters([text.split() for text in TEXTS])
    assert np.isclose(letters.cosines(["두부", "된장찌개"])[2], 1)
    assert letters.cosines(["가나다라"]).max() == 0
    assert letters.cosines([]).max() == 0
    assert len(Letters([]).cosines(["김치"])) == 0


def test_an_unknown_n_gram_makes_the_query_longer() -> None:
    letters = Letters([["김치"], ["두부"]])
    assert letters.cosines(["김치"])[0] > letters.cosines(["김치뷁"])[0] > 0
