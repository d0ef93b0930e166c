from hypothesis import given
from hypothesis import strategies as st

from recommender.search.postings import Grams, Substrings


@given(st.lists(st.text("abc", max_size=5), max_size=5), st.text("abc", max_size=3))
def test_substrings_are_those_that_python_finds(texts: list[str], piece: str) -> None:
    held = [n for n, text in enumerate(texts) if piece and piece in text]
    assert Substrings(texts).holding(piece).tolist() == held


def test_jaccard_is_the_share_of_common_ngrams() -> None:
    grams = Grams(["abcd", "abxx", "", "zzzz"], 2)
    assert grams.jaccard("abc").tolist() == [2 / 3, 1 / 4, 0, 0]
    assert grams.jaccard("").tolist() == [0, 0, 0, 0]


def test_containment_is_the_weighted_share_of_ngrams() -> None:
    shares = Grams(["abcd", "abxx", "", "zzzz"], 2).containment("abc")
    assert shares[0] == 1.0
    assert 0.0 < shares[1] < 0.5, "the shared n-gram is the more frequent one"
    assert shares[2:].tolist() == [0.0, 0.0]
