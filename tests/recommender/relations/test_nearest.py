"""The nearest targets by their rarest terms."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.relations import nearest
from recommender.relations.nearest import Postings

CHANCE = np.random.default_rng(6)


def unit_rows(count: int) -> sp.csr_array:
    """Rows of some terms of which a few are in almost every row, as in titles."""
    shares = np.concatenate([np.full(4, 0.9), np.full(96, 0.05)])
    marks = (CHANCE.random((count, 100)) < shares) * np.concatenate([np.full(4, 0.2), np.ones(96)])
    return sp.csr_array((marks / np.linalg.norm(marks, axis=1, keepdims=True)).astype(np.float32))


TARGETS, QUERIES = unit_rows(400), unit_rows(30)
COSINES = (QUERIES @ TARGETS.T).toarray()


def found(count: int) -> list[NDArray[np.int32]]:
    return list(Postings(TARGETS).nearest(QUERIES, count))


def test_all_terms_of_few_targets_are_read() -> None:
    for targets, cosines in zip(found(10), COSINES, strict=True):
        assert sorted(cosines[targets]) == pytest.approx(sorted(cosines)[-10:])


def test_the_rarest_terms_find_nearly_all_of_many_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "READ", 200)
    shares = [
        np.isin(targets, np.argsort(-cosines)[:10]).mean() for targets, cosines in zip(found(10), COSINES, strict=True)
    ]
    assert np.mean(shares) > 0.9


def test_a_query_of_frequent_terms_alone_reads_the_rarest_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "READ", 1)
    query = sp.csr_array(np.eye(1, 100, dtype=np.float32))
    (targets,) = Postings(TARGETS).nearest(query, 10)
    assert len(targets) == 10
    assert (TARGETS[targets].toarray()[:, 0] > 0).all()


def test_what_shares_no_term_is_not_near() -> None:
    nothing = sp.csr_array(np.zeros((2, 100), np.float32))
    assert [each.tolist() for each in Postings(TARGETS).nearest(nothing, 10)] == [[], []]
    assert [each.tolist() for each in Postings(nothing).nearest(QUERIES[:1], 10)] == [[]]
