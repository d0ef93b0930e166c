"""Seeded draws that depend on the seed and a key alone, so that any instant can be asked for in any order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from crawlers.standin.catalog import digest

Option = TypeVar("Option")


@dataclass(frozen=True, slots=True)
class Chance:
    """Draws of one world."""

    seed: int

    def share(self, *key: object) -> float:
        """Return a number of 0 up to 1."""
        return self._number(key) / 2**64

    def below(self, limit: int, *key: object) -> int:
        """Return a whole number of 0 up to ``limit``, which is excluded."""
        return self._number(key) % limit

    def pick(self, options: Sequence[Option], *key: object) -> Option:
        """Return one of the options."""
        return options[self.below(len(options), *key)]

    def _number(self, key: tuple[object, ...]) -> int:
        return digest(self.seed, ":".join(map(str, key)))
