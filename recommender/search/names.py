"""Where a word stands in the names of documents: as a word of its own, at the end of a longer one, in brackets."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.search.postings import Substrings, codes
from recommender.search.texts import normal

# Traits of an occurrence: a whole word; the end or the start of a longer one; in brackets or after a plus; before a
# sign for a taste (블루베리맛) or a use (찌개용).
WHOLE, ENDS, STARTS, ASIDE, TASTE, USE = (1 << bit for bit in range(6))
TRAITS: Final = {"whole": WHOLE, "ends": ENDS, "starts": STARTS, "aside": ASIDE, "taste": TASTE, "use": USE}
# How well a document agrees that contains a word so; inside a longer one less still, in brackets or as a taste less.
_LEVELS: Final = {WHOLE: 1.0, ENDS: 0.9, STARTS: 0.7}
_INSIDE, _ASIDE_SHARE, _TASTE_SHARE = 0.4, 0.7, 0.4

CACHED: Final = 256

# Flags of characters: first and last of a word, in brackets; and whether a sign for a taste or a use follows.
_FIRST, _LAST, _OUTSIDE, _TASTE, _USE = (1 << bit for bit in range(5))
# What stands in brackets, and what comes after a plus or is a gift, is not what is sold.
_ASIDE_PATTERN: Final = re.compile(r"\([^)]*\)?|\[[^\]]*\]?|[+＋&].*|(?:증정|사은품|포함|함유).*", re.DOTALL)
_TASTE_SIGNS: Final = codes("맛향")
_USE_SIGN: Final = codes("용")[0]


class Occurrences(NamedTuple):
    """Documents that contain a word, ascending, each with the traits and level of its best occurrence."""

    positions: NDArray[np.int32]
    traits: NDArray[np.uint8]
    level: NDArray[np.float32]

    def weighted(self, weight: float) -> "Occurrences":
        """The same with levels times ``weight``."""
        return self if weight == 1.0 else self._replace(level=self.level * np.float32(weight))


def _place(flags: int) -> int:
    """The trait of a place: a whole word, its end, its start, or 0 inside it."""
    first, last = bool(flags & _FIRST), bool(flags & _LAST)
    return WHOLE if first and last else ENDS if last else STARTS if first else 0


def _traits(flags: int) -> int:
    follows = 0 if flags & _LAST else TASTE * bool(flags & _TASTE) | USE * bool(flags & _USE)
    return _place(flags) | ASIDE * bool(flags & _OUTSIDE) | follows


def _level(flags: int) -> float:
    traits = _traits(flags)
    share = (_ASIDE_SHARE if traits & ASIDE else 1.0) * (_TASTE_SHARE if traits & TASTE else 1.0)
    return _LEVELS.get(_place(flags), _INSIDE) * share


_TRAITS_OF: Final = np.array([_traits(flags) for flags in range(32)], np.uint8)
_LEVEL_OF: Final = np.array([_level(flags) for flags in range(32)], np.float32)
NOWHERE: Final = Occurrences(np.zeros(0, np.int32), np.zeros(0, np.uint8), np.zeros(0, np.float32))


def best_of(found: Sequence[Occurrences]) -> Occurrences:
    """The best occurrence in each document, of equal ones the first given."""
    positions = np.concatenate([each.positions for each in found])
    level = np.concatenate([each.level for each in found])
    order = np.lexsort((-level, positions))
    order = order[np.flatnonzero(np.diff(positions[order], prepend=-1))]
    return Occurrences(positions[order], np.concatenate([each.traits for each in found])[order], level[order])


def at_places(places: Mapping[int, int]) -> Occurrences:
    """Occurrences of a trait in each document, by position."""
    positions = np.array(sorted(places), np.int32)
    traits = [places[position] for position in positions.tolist()]
    level = np.array([_LEVELS.get(trait, _INSIDE) for trait in traits], np.float32)
    return Occurrences(positions, np.array(traits, np.uint8), level)


class Names:
    """Names of documents. Blanks are ignored, but the borders of words are known."""

    def __init__(self, names: Sequence[str]) -> None:
        flagged = [_flagged(normal(name)) for name in names]
        self._substrings = Substrings([text for text, _ in flagged])
        self._flags = np.frombuffer(b"".join(flags for _, flags in flagged), np.uint8)
        # A query asks for the same word several times, and customers do.
        self.find = lru_cache(maxsize=CACHED)(self._find)

    def _find(self, piece: str) -> Occurrences:
        """The documents whose name contains ``piece``, which has no blanks."""
        return self._at(self._places(piece), len(piece))

    def find_apart(self, piece: str, is_known: Callable[[str], bool]) -> Occurrences:
        """Like :meth:`find`, where ``piece`` begins a word or what stands before it in the word is known.

        Short synonyms end words by chance: 비어, which is beer, ends 캐비어.
        """
        places = [
            place
            for place in self._places(piece).tolist()
            if self._flags[place] & _FIRST or is_known(self._before(place))
        ]
        return self._at(np.array(places, np.int64), len(piece))

    def _before(self, place: int) -> str:
        """What stands in a word before a place."""
        first = place
        while not self._flags[first] & _FIRST:
            first -= 1
        return "".join(map(chr, self._substrings.characters[first:place].tolist()))

    def _places(self, piece: str) -> NDArray[Any]:
        """Where ``piece`` begins; not where it is put together of a single letter of a word and a part of the next.

        초밥 is in `연어 초 밥`, but not in `최초 밥상`.
        """
        begins = self._substrings.begins(piece)
        borders = [(self._flags[begins + offset] & _FIRST) > 0 for offset in range(1, len(piece))]
        if not len(begins) or not borders:
            return begins
        cut_off = borders[0] & ((self._flags[begins] & _FIRST) == 0)
        cut_off |= borders[-1] & ((self._flags[begins + len(piece) - 1] & _LAST) == 0)
        places: NDArray[Any] = begins[~cut_off]
        return places

    def _at(self, begins: NDArray[Any], length: int) -> Occurrences:
        """The occurrences of a piece of some letters at places."""
        if not len(begins):
            return NOWHERE
        ends = begins + length
        following = self._substrings.characters[ends]
        code = (self._flags[begins] & (_FIRST | _OUTSIDE)) | (self._flags[ends - 1] & _LAST)
        code |= np.where((following == _TASTE_SIGNS[0]) | (following == _TASTE_SIGNS[1]), np.uint8(_TASTE), np.uint8(0))
        code |= np.where(following == _USE_SIGN, np.uint8(_USE), np.uint8(0))
        found = Occurrences(self._substrings.owners[begins], _TRAITS_OF[code], _LEVEL_OF[code])
        repeated = len(begins) > 1 and bool((found.positions[1:] == found.positions[:-1]).any())
        return best_of([found]) if repeated else found


def outside_brackets(name: str) -> str:
    """``name`` without what stands in brackets, after a plus, or is a gift."""
    return _ASIDE_PATTERN.sub(" ", name)


def _flagged(name: str) -> tuple[str, bytes]:
    """``name`` without blanks, and flags of its characters and of the line end after it."""
    outside = bytearray(len(name))
    for found in _ASIDE_PATTERN.finditer(name):
        outside[found.start() : found.end()] = bytes([_OUTSIDE]) * (found.end() - found.start())
    kinds = [_kind(character) for character in name]
    text, flags = [], bytearray()
    for place, (character, kind) in enumerate(zip(name, kinds, strict=True)):
        if kind == "blank":
            continue
        begins = place == 0 or kinds[place - 1] != kind
        stops = place + 1 == len(kinds) or kinds[place + 1] != kind
        text.append(character)
        flags.append(outside[place] | _FIRST * begins | _LAST * stops)
    flags.append(0)
    return "".join(text), bytes(flags)


def _kind(character: str) -> str:
    if character.isspace():
        return "blank"
    return "digit" if character.isdigit() else "letter" if character.isalnum() else "sign"
