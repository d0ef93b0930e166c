"""Autocompletion of ingredient names."""

from collections.abc import Mapping
from itertools import chain, islice
from typing import Final, NamedTuple

from recommender.search.index import squeezed
from recommender.search.jamo import initials, letters, sounds
from recommender.search.postings import Substrings
from recommender.search.spelling import Spelling

# Marks the beginning of a name; no name contains it, since white space is removed.
_START: Final = "\t"


class Suggestion(NamedTuple):
    """An ingredient and the number of recipes that use it."""

    name: str
    recipe_count: int


class IngredientNames:
    """Completes a typed prefix to names of ingredients.

    ``recipe_counts``: canonical name -> number of recipes. ``synonyms``: other spelling -> canonical name.
    """

    def __init__(self, recipe_counts: Mapping[str, int], synonyms: Mapping[str, str]) -> None:
        spelled = {squeezed(variant): name for variant, name in synonyms.items() if name in recipe_counts}
        spelled |= {squeezed(name): name for name in recipe_counts}
        canonical = {squeezed(name) for name in recipe_counts}
        # In this order, ascending positions of matches are the order of the suggestions.
        self._names = dict(
            sorted(spelled.items(), key=lambda item: (item[0] not in canonical, -recipe_counts[item[1]], item))
        )
        self._suggestions = [Suggestion(name, recipe_counts[name]) for name in self._names.values()]
        self._written = Substrings([_START + name for name in self._names])
        self._typed = Substrings([_START + letters(name) for name in self._names])
        self._initials = Substrings([_START + initials(name) for name in self._names])
        self._sounds = Substrings([_START + sounds(name) for name in self._names])
        self._spelling = Spelling(list(self._names))
        self._positions = {name: position for position, name in enumerate(self._names)}

    def suggest(self, prefix: str, k: int) -> list[Suggestion]:
        """At most ``k`` different ingredients for a typed ``prefix``, best first.

        In this order: the exact name; names that begin with it; names that begin with its letters (the last syllable
        unfinished) or with its initial consonants; names that contain it. If there are none: names that sound like it
        or are spelled almost like it. A synonym suggests its ingredient. Within a group, canonical names come before
        synonyms, and ingredients of more recipes before those of fewer.
        """
        piece = squeezed(prefix)
        if not piece:
            return []
        typed = letters(piece)
        found = dict.fromkeys(
            chain(
                self._exact(piece),
                self._written.holding(_START + piece).tolist(),
                self._typed.holding(_START + typed).tolist(),
                self._initials.holding(_START + typed).tolist(),
                self._written.holding(piece).tolist(),
                self._initials.holding(typed).tolist(),
            )
        )
        positions = found or self._misspelled(piece)
        return list(islice(dict.fromkeys(self._suggestions[position] for position in positions), k))

    def _exact(self, name: str) -> list[int]:
        return [self._positions[name]] if name in self._positions else []

    def _misspelled(self, piece: str) -> list[int]:
        alike: list[int] = self._sounds.holding(_START + sounds(piece)).tolist()
        return alike or [self._positions[name] for name in self._spelling.nearest(piece)]
