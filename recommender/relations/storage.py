"""Files of matrices whose fields are dense arrays and sparse matrices."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.relations.space import ProductMatrix, RecipeMatrix

T = TypeVar("T", ProductMatrix, RecipeMatrix)
# What a field of a matrix is stored as.
Arrays = Mapping[str, NDArray[np.generic]]


def save_matrix(path: Path, matrix: ProductMatrix | RecipeMatrix) -> None:
    """Write the fields of a matrix to a .npz file."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for field in fields(matrix):
        value = getattr(matrix, field.name)
        if isinstance(value, sp.csr_array):
            parts = {
                "data": value.data,
                "indices": value.indices,
                "indptr": value.indptr,
                "shape": np.array(value.shape),
            }
            arrays |= {f"{field.name}.{part}": array for part, array in parts.items()}
        else:
            arrays[field.name] = value
    np.savez(path, allow_pickle=False, **arrays)


def load_matrix(path: Path, kind: type[T]) -> T:
    """Read the file that :func:`save_matrix` wrote; raises ValueError or KeyError for any other."""
    with np.load(path) as arrays:
        values: dict[str, Any] = {field.name: _field(arrays, field.name) for field in fields(kind)}
    lengths = {name: value.shape[0] for name, value in values.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"{path.name}: its fields have different numbers of rows: {lengths}")
    return kind(**values)


def _field(arrays: Arrays, name: str) -> NDArray[np.generic] | sp.csr_array:
    if name in arrays:
        return arrays[name]
    data, indices, starts = (arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr"))
    return sp.csr_array((data, indices, starts), shape=tuple(arrays[f"{name}.shape"].tolist()))
