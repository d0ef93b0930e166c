"""Ranker of the ingredients that the title names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recommender.rankers.cases import Cases, Scores
from recommender.text.titles import plain

_SEPARATORS: Final = re.compile(r"[(),/ ]+")


@dataclass(frozen=True)
class NamedInTitle:
    """Scores an item by the letters of its name, or of the longest part of it, if the title contains any part."""

    names: tuple[str, ...]

    def scores(self, cases: Cases) -> Scores:
        scores = np.zeros((len(cases), len(self.names)), dtype=np.float32)
        for row, title in enumerate(cases.titles):
            if title:
                scores[row, self._named(_squeezed(title))] = 1.0
        return scores * self._lengths

    def _named(self, title: str) -> list[int]:
        return [item for item, parts in enumerate(self._parts) if any(part in title for part in parts)]

    @cached_property
    def _parts(self) -> list[Sequence[str]]:
        return [[part for part in _SEPARATORS.split(plain(name)) if part] for name in self.names]

    @cached_property
    def _lengths(self) -> NDArray[np.float32]:
        return np.array([max(map(len, parts), default=0) for parts in self._parts], dtype=np.float32)


def _squeezed(title: str) -> str:
    return plain(title).replace(" ", "")
