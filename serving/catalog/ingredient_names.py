"""Names of ingredients: their synonyms, and completion of what a user has typed so far."""

import re
from collections.abc import Iterable, Mapping
from itertools import chain, islice
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from recommender.search import words
from recommender.search.jamo import initials, letters, sounds, typed
from recommender.search.latin import is_latin, korean_sound, latin_sound
from recommender.search.postings import Substrings
from recommender.search.spelling import Spelling
from recommender.search.texts import squeezed
from sql.service.recipes import Ingredient, IngredientSynonym

# Marks the start of a name. No name contains it, because white space is removed from names.
_START: Final = "\t"
_SYLLABLES: Final = re.compile("[가-힣]+")


class Suggestion(NamedTuple):
    """An ingredient and the number of recipes that use it."""

    name: str
    recipe_count: int


class Completion(NamedTuple):
    """Ingredients that complete a prefix, best first; ``did_you_mean`` is what was read instead of it, if anything."""

    suggestions: list[Suggestion]
    did_you_mean: str | None = None


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
        self._romanised = Substrings([_START + korean_sound(name) for name in self._names])
        self._spelling = Spelling(list(self._names))
        self._positions = {name: position for position, name in enumerate(self._names)}

    def complete(self, prefix: str, k: int) -> Completion:
        """At most ``k`` different ingredients that complete ``prefix``, best first.

        In this order: the name that equals it, names that start with it, names that start with its letters (the last
        syllable may be unfinished), names whose initial consonants it gives, names that contain it. If there are none,
        ``prefix`` is read otherwise: in Latin letters, on the wrong keyboard, misspelled. A synonym suggests its
        ingredient. Within each group canonical names come before synonyms, then the most used come first.
        """
        piece = squeezed(prefix)
        if not piece:
            return Completion([])
        if matches := self._starting(piece):
            return Completion(self._first(matches, k))
        korean = typed(prefix.strip())
        by_keyboard = self._starting(squeezed(korean)) if korean != prefix.strip() else []
        if by_keyboard and _SYLLABLES.fullmatch(squeezed(korean)):
            return Completion(self._first(by_keyboard, k), korean)
        found = self._first(self._in_latin(piece) or by_keyboard or self._misspelled(piece), k)
        return Completion(found, found[0].name if found else None)

    def _starting(self, piece: str) -> list[int]:
        """Names that start with a text, by its letters, its syllables or its initial consonants, or contain it."""
        by_letter = letters(piece)
        matches = chain(
            self._equal_to(piece),
            self._written.holding(_START + piece).tolist(),
            self._typed.holding(_START + by_letter).tolist(),
            self._initials.holding(_START + by_letter).tolist(),
            self._written.holding(piece).tolist(),
            self._initials.holding(by_letter).tolist(),
        )
        return list(dict.fromkeys(matches))

    def _in_latin(self, piece: str) -> list[int]:
        """Names whose English name or romanisation starts with a text in Latin letters."""
        if not is_latin(piece):
            return []
        name, sound = piece.replace("-", ""), latin_sound(piece)
        english = sorted((each for each in words.english() if each.startswith(name)), key=len)
        named = chain.from_iterable(self._equal_to(squeezed(words.english()[each])) for each in english)
        return [*named, *(self._romanised.holding(_START + sound).tolist() if sound else ())]

    def _first(self, positions: Iterable[int], k: int) -> list[Suggestion]:
        """The first ``k`` different suggestions."""
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
