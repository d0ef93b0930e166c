"""Rows by label."""

import numpy as np
import scipy.sparse as sp

from recommender.relations.members import Members, one_label, scaled
from recommender.relations.space import UNKNOWN

LABELS = np.array([0, 1, 0, UNKNOWN, 0], np.int32)
VALUES = np.array([1, 9, 3, 9, 2], np.float32)


def test_rows_come_by_value_and_are_limited() -> None:
    members = Members(one_label(LABELS, VALUES), 2)
    assert members.of(0).tolist() == [2, 4]
    assert members.of(1).tolist() == [1]


def test_rows_of_equal_value_keep_their_order() -> None:
    assert Members(one_label(LABELS, np.ones(5, np.float32)), 5).of(0).tolist() == [0, 2, 4]


def test_an_unknown_label_has_no_rows() -> None:
    members = Members(one_label(LABELS, VALUES), 2)
    assert members.of(UNKNOWN).tolist() == members.of(7).tolist() == []
    assert Members(one_label(np.zeros(0, np.int32), np.zeros(0, np.float32)), 2).of(0).tolist() == []


def test_a_row_finds_those_that_share_any_of_its_labels() -> None:
    marks = sp.csr_array(np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]], np.float32))
    members = Members(scaled(marks, np.array([1, 5, 3], np.float32)), 9)
    asked = sp.csr_array(np.array([[0, 1, 1], [0, 0, 0]], np.float32))
    assert np.concatenate(members.of_row(asked, 0)).tolist() == [1, 0, 2]
    assert list(members.of_row(asked, 1)) == []


def test_marks_are_scaled_by_row() -> None:
    marks = sp.csr_array(np.array([[1, 0, 1], [0, 1, 0]], np.float32))
    assert scaled(marks, np.array([2, 3], np.float32)).toarray().tolist() == [[2, 0, 2], [0, 3, 0]]
