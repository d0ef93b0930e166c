"""Which rows name a type, a shelf or an ingredient, the best first."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


@dataclass(frozen=True)
class Members:
    """Rows of ``marks`` (rows, labels) by label, those with the highest value first, at most ``limit`` of each."""

    marks: sp.csr_array
    limit: int

    def of(self, label: int) -> NDArray[np.int32]:
        """The rows with a label; none for UNKNOWN and for a label that no row has."""
        columns = self._columns
        if not 0 <= label < columns.shape[1]:
            return np.zeros(0, np.int32)
        return columns.indices[columns.indptr[label] : columns.indptr[label + 1]][: self.limit]

    def of_row(self, marks: sp.csr_array, row: int) -> list[NDArray[np.int32]]:
        """The rows with each label of row ``row`` of other ``marks``."""
        return [self.of(label) for label in marks.indices[marks.indptr[row] : marks.indptr[row + 1]].tolist()]

    @cached_property
    def _columns(self) -> sp.csc_array:
        columns = sp.csc_array(self.marks)
        for label in range(columns.shape[1]):
            part = slice(columns.indptr[label], columns.indptr[label + 1])
            order = np.argsort(-columns.data[part], kind="stable")
            columns.indices[part], columns.data[part] = columns.indices[part][order], columns.data[part][order]
        return columns


def one_label(labels: NDArray[np.int32], values: NDArray[np.float32]) -> sp.csr_array:
    """Marks (rows, labels) of at most one label a row, with its value; a negative label marks nothing."""
    rows = np.flatnonzero(labels >= 0)
    width = int(labels.max(initial=-1)) + 1
    return sp.csr_array((values[rows], (rows, labels[rows])), shape=(len(labels), width))


def scaled(marks: sp.csr_array, values: NDArray[np.float32]) -> sp.csr_array:
    """Marks (rows, labels) with the value of their row."""
    return sp.csr_array((np.repeat(values, np.diff(marks.indptr)), marks.indices, marks.indptr), shape=marks.shape)
