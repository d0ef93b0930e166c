"""Sparse vectors of titles."""

import numpy as np

from recommender.relations.text_space import GRAMS, WORDS, fit_text_space

TITLES = ("감자 1kg", "햇감자 3kg", "양파 5kg", "양배추")
SPACE = fit_text_space(TITLES, [title.split()[0] for title in TITLES])


def test_titles_become_rows_of_length_one() -> None:
    chars, words = SPACE.chars(TITLES), SPACE.words(["감자", "양파 양파 감자"])
    assert (chars.shape, words.shape) == ((4, GRAMS), (2, WORDS))
    assert np.allclose(chars.multiply(chars).sum(axis=1), 1, atol=1e-5)
    assert np.allclose(words.multiply(words).sum(axis=1), 1, atol=1e-5)


def test_packaging_does_not_count() -> None:
    left, right = SPACE.chars(["[특가] 감자 1kg"]), SPACE.chars(["감자"])
    assert (left @ right.T).toarray()[0, 0] > 0.9999


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    space = fit_text_space(["-"] * 4, ["국산 감자", "국산 양파", "국산 마늘", "국산 두부"])
    query = space.words(["국산 감자"])
    similar = (query @ space.words(["감자", "국산"]).T).toarray()[0]
    assert similar[0] > similar[1] > 0


def test_repeated_words_count_by_their_logarithm() -> None:
    space = fit_text_space(["-"], [""])
    row = space.words(["감자 감자 감자 양파"])
    assert np.allclose(sorted(row.data / row.data.min()), [1, 1 + np.log(3)], atol=1e-5)


def test_a_text_without_words_is_a_row_of_zeros() -> None:
    assert SPACE.words([""]).nnz == 0
    assert SPACE.chars(["감자", ""]).shape == (2, GRAMS)


def test_no_titles_make_no_rows() -> None:
    assert SPACE.chars([]).shape == (0, GRAMS)
    assert fit_text_space([], []).words(["감자"]).shape == (1, WORDS)
