"""Ingredient vectors of a Word2Vec model, as training writes them and a release is built from them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

NAMES: Final = "names.json"
INPUTS: Final = "input.npy"
OUTPUTS: Final = "output.npy"


@dataclass(frozen=True)
class WordVectors:
    """Ingredient names (n,) with their input and output vectors (n, d).

    Raises ValueError for other shapes, for values that are not finite, and for vectors that are all the same, from
    which nothing can be ranked.
    """

    names: tuple[str, ...]
    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]

    def __post_init__(self) -> None:
        expected = (len(self.names), self.inputs.shape[-1] if self.inputs.ndim == 2 else "dimensions")
        for name, vectors in (("input", self.inputs), ("output", self.outputs)):
            if vectors.shape != expected:
                raise ValueError(f"Word2Vec {name} vectors have shape {vectors.shape}, expected {expected}")
        for name, vectors in (("input", self.inputs), ("output", self.outputs)):
            wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
            if wrong.size:
                raise ValueError(
                    f"Word2Vec {name} vectors of {wrong.size} of {len(vectors)} ingredients are not finite,"
                    f" the first of {self.names[wrong[0]]}"
                )
            if len(vectors) > 1 and (vectors == vectors[0]).all():
                raise ValueError(f"Word2Vec {name} vectors of all {len(vectors)} ingredients are the same")

    @property
    def dimensions(self) -> int:
        """Width of a vector."""
        return int(self.inputs.shape[1])

    def save(self, folder: Path) -> None:
        """Write names and vectors into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / NAMES).write_text(json.dumps(self.names, ensure_ascii=False), encoding="utf-8")
        np.save(folder / INPUTS, self.inputs)
        np.save(folder / OUTPUTS, self.outputs)

    @classmethod
    def load(cls, folder: Path) -> "WordVectors":
        """Read the files that :meth:`save` wrote; raises ValueError with what is wrong, and in which folder."""
        try:
            names = json.loads((folder / NAMES).read_text(encoding="utf-8"))
            return cls(tuple(names), np.load(folder / INPUTS), np.load(folder / OUTPUTS))
        except FileNotFoundError as error:
            name = Path(error.filename).name
            raise ValueError(f"Word2Vec model {folder.name}: {name} is missing: run `ukok train word2vec`") from None
        except ValueError as error:
            raise ValueError(f"Word2Vec model {folder.name}: {error}: run `ukok train word2vec` again") from error

    def aligned(self, names: tuple[str, ...]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Input and output vectors (len(names), d) of `names`, in that order; zeros for an unknown name."""
        rows = {name: row for row, name in enumerate(self.names)}
        known = [(position, rows[name]) for position, name in enumerate(names) if name in rows]
        inputs, outputs = (np.zeros((len(names), self.dimensions), dtype=np.float32) for _ in range(2))
        for position, row in known:
            inputs[position], outputs[position] = self.inputs[row], self.outputs[row]
        return inputs, outputs
