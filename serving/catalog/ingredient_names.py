"""Names of ingredients: their synonyms, and completion of what a user has typed so far."""

from collections.abc import Mapping
from itertools import chain, islice
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from recommender.search.jamo import initials, letters, sounds
from recommender.search.postings import Substrings
from recommender.search.spelling import Spelling
from recommender.search.texts import squeezed
from sql.service.recipes import Ingredient, IngredientSynonym

# Marks the start of a name. No name contains it, because white space is removed from names.
_START: Final = "\t"


class Suggestion(NamedTuple):
    """An ingredient and the number of recipes that use it."""

    name: str
    recipe_count: int


def read_synonyms(conn: Connection) -> dict[str, str]:
    """Read the canonical ingredient name of each synonym."""
    query = select(IngredientSynonym.variant, Ingredient.name)
    joined = query.join(Ingredient, Ingredient.ingredient_id == IngredientSynonym.ingredient_id)
    return dict(conn.execute(joined).all())


class IngredientNames:
    """Completes typed text to ingredient names.

    ``recipe_counts`` maps each canonical name to the number of recipes that use it, ``synonyms`` other spellings to
    canonical names.
    """

    def __init__(self, recipe_counts: Mapping[str, int], synonyms: Mapping[str, str]) -> None:
        spelled = {squeezed(variant): name for variant, name in synonyms.items() if name in recipe_counts}
        spelled |= {squeezed(name): name for name in recipe_counts}
        canonical = {squeezed(name) for name in recipe_counts}
        # Names are in the order of suggestions, so that ascending positions are ranked results.
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
        """At most ``k`` different ingredients that complete ``prefix``, best first.

        In this order: the name that equals it, names that start with it, names that start with its letters (the last
        syllable may be unfinished), names whose initial consonants it gives, names that contain it. If there are none,
        names that sound or are spelled like it. A synonym suggests its ingredient. Within each group canonical names
        come before synonyms, then the most used come first.
        """
        piece = squeezed(prefix)
        if not piece:
            return []
        typed = letters(piece)
        matches = dict.fromkeys(
            chain(
                self._equal_to(piece),
                self._written.holding(_START + piece).tolist(),
                self._typed.holding(_START + typed).tolist(),
                self._initials.holding(_START + typed).tolist(),
                self._written.holding(piece).tolist(),
                self._initials.holding(typed).tolist(),
            )
        )
        positions = matches or self._misspelled(piece)
        return list(islice(dict.fromkeys(self._suggestions[position] for position in positions), k))

    def nearest(self, name: str) -> str | None:
        """The ingredient whose name sounds or is spelled like ``name``; None if none is near."""
        near = self._spelling.nearest(squeezed(name))
        return self._names[near[0]] if near else None

    def _equal_to(self, name: str) -> list[int]:
        return [self._positions[name]] if name in self._positions else []

    def _misspelled(self, piece: str) -> list[int]:
        alike: list[int] = self._sounds.holding(_START + sounds(piece)).tolist()
        return alike or [self._positions[name] for name in self._spelling.nearest(piece)]
