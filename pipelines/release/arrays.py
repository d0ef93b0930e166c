"""Whether the arrays and indexes of a release can be computed with: finite, not empty, of the right kind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recommender.models.vector_index import VectorIndex

# Arrays of whole numbers, by name; whatever else there is holds fractions or texts.
WHOLE: Final = frozenset(
    {"rows", "reasons", "starts", "ingredients", "indices", "indptr", "shape", "recipe_ids", "product_ids"}
    | {"kinds", "heads", "shelves", "departments", "mains", "gifts", "items"}
)
FLOATS: Final = ("f2", "f4")
# Length of a vector that is meant to be 1.
TOLERANCE: Final = 1e-2


def array_problems(folder: Path) -> list[str]:
    """What is wrong with the arrays and indexes below ``folder``, each with the name of its file."""
    problems = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".faiss":
            problems += [f"{name}: {problem}" for problem in _index_problems(path)]
        elif path.suffix in {".npy", ".npz"}:
            problems += [f"{name}{part}: {problem}" for part, problem in _file_problems(path)]
    return problems


def _file_problems(path: Path) -> Iterator[tuple[str, str]]:
    loaded = np.load(path, allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        yield from (("", problem) for problem in _problems(path.stem, loaded))
        return
    with loaded as arrays:
        for name in arrays.files:
            # The parts of a sparse matrix are called "chars.indices"; it may hold nothing.
            _, dot, part = name.rpartition(".")
            found = _problems(part, arrays[name], may_be_empty=bool(dot))
            yield from ((f", {name}", problem) for problem in found)


def _problems(name: str, array: NDArray[Any], *, may_be_empty: bool = False) -> Iterator[str]:
    kind = array.dtype.kind
    if kind in "SUb":
        return
    if array.ndim and not array.size and not may_be_empty:
        yield "is empty"
    if name in WHOLE and kind not in "iu":
        yield f"has elements of type {array.dtype}, expected whole numbers"
    elif name not in WHOLE and array.dtype.str[1:] not in FLOATS:
        yield f"has elements of type {array.dtype}, expected float16 or float32"
    elif kind == "f" and (wrong := array.size - int(np.isfinite(array).sum())):
        yield f"{wrong} of {array.size} elements are not finite"


def _index_problems(path: Path) -> Iterator[str]:
    index = VectorIndex.read(path)
    if not len(index):
        yield "is empty"
        return
    lengths = np.linalg.norm(index.vectors(), axis=1)
    if wrong := int(np.count_nonzero(~np.isfinite(lengths))):
        yield f"{wrong} of {len(index)} vectors are not finite"
    elif wrong := int(np.count_nonzero((lengths > TOLERANCE) & (np.abs(lengths - 1) > TOLERANCE))):
        yield f"{wrong} of {len(index)} vectors have neither length 1 nor 0"
