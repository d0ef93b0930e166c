"""What the rules read in a product title: the known words, and what they say the product is and consists of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from recommender.text import lexicon
from recommender.text.title_words import FINISHED_KINDS, Kind, Word

# A word of these sorts is the head only of a title that names nothing else.
WEAK: Final = frozenset({"purpose", "qualifier"})
# Meat and fish say what a dish is made of where its head leaves that open ("연어 스테이크", "전복 죽").
_ANIMALS: Final = frozenset({"소고기", "돼지고기", "닭고기", "수산"})
# Shelves whose goods are sold together under several names; elsewhere the last name is what the product is.
_LISTED: Final = frozenset({"채소", "버섯", "과일", "견과", "수산", "해조", "김치"})
_MEAT: Final = frozenset({"소고기", "돼지고기", "닭고기"})
_VEGETABLES: Final = frozenset({"채소", "버섯"})


class Hit(NamedTuple):
    """A known word of a title; ``part`` counts the "+" before it, ``choice`` the "/".

    ``is_open``: an unknown word follows without a blank, so that the known one only describes it (김치플러스).
    ``describes``: it says what another known word is made of or tastes of, and is nothing by itself (해초 of 해초김).
    """

    word: Word
    part: int
    choice: int
    is_open: bool
    describes: bool = False

    @property
    def place(self) -> tuple[int, int]:
        """Part and choice: words of one place are about one thing."""
        return self.part, self.choice


@dataclass(frozen=True, slots=True)
class RuleReading:
    """What the rules read in a title: all hits, and those of the main part, after which extras follow a "+".

    What stands in parentheses decides nothing; it only lists the contents of a product that is named by none.
    """

    hits: tuple[Hit, ...]
    is_spirit: bool
    in_parentheses: tuple[Hit, ...] = ()

    @property
    def main(self) -> tuple[Hit, ...]:
        """The hits of the first part that has any, without those that only describe another one."""
        return tuple(hit for hit in self.hits if hit.part == self.hits[0].part and not hit.describes)

    @property
    def head(self) -> Hit | None:
        """The last hit that names a type; a closed one rather than an open one, of the first choice."""
        main = self.main
        first = [hit for hit in main if hit.choice == main[0].choice]
        typed = [hit for hit in first if hit.word.type] or [hit for hit in main if hit.word.type]
        closed = [hit for hit in typed if not hit.is_open] or typed
        named = [hit for hit in closed if hit.word.sort not in WEAK] or closed
        return _own(named) if named else None

    @property
    def finished_kind(self) -> Kind | None:
        """The kind of the last finished goods that the main part names, None without any."""
        named = [hit.word.sort for hit in self.main if hit.word.sort in FINISHED_KINDS]
        return Kind(named[-1]) if named else None

    def types_of(self, kind: Kind | None) -> tuple[str, ...]:
        """Types named in the main part, the head first, each once: of a kind, or all types if none is of it.

        What finished goods are made of and taste of is no type of theirs.
        """
        head = self.head
        if head is None:
            return ()
        named = [hit for hit in (head, *reversed(self.main)) if hit.word.type]
        alike = [hit for hit in named if hit.word.sort == kind]
        return tuple(dict.fromkeys(hit.word.type for hit in alike or named))

    def ingredients_of(self, kind: Kind) -> tuple[str, ...]:
        """The product's own ingredient and all of the same shelf that are named with it.

        The own one comes first, but for produce and fish, which are sold together and stay in order. The own one of
        finished goods is what these are made of; sweets, drinks and supplements have no other.
        """
        named = [hit for hit in self.hits if hit.word.ingredient and not hit.describes]
        finished = [hit for hit in self.main if hit.word.sort == kind and kind in FINISHED_KINDS]
        if kind not in {Kind.INGREDIENT, Kind.READY}:
            # Only what is an ingredient by itself (두유, 초콜릿), not what it is made of or akin to.
            words = (hit.word for hit in reversed(finished) if hit.word.ingredient)
            return tuple(word.ingredient for word in words if word.ingredient in word.type + word.shelf)[:1]
        if not named:
            listed = self.in_parentheses if kind is Kind.INGREDIENT else ()
            return tuple(dict.fromkeys(hit.word.ingredient for hit in listed if hit.word.ingredient))
        dishes = [hit for hit in finished if hit.word.ingredient and not hit.is_open]
        if dishes:
            return _alike(self._made_of(dishes[-1]), named, in_order=False)
        own = _own([hit for hit in named if hit.place == named[0].place]).word
        return _alike(own.ingredient, named, in_order=own.shelf in _LISTED)

    def _made_of(self, head: Hit) -> str:
        """The ingredient of a dish: its own, or what is named right before one that may be made of anything."""
        at = self.hits.index(head)
        before = self.hits[at - 1] if at else head
        shelves = lexicon.ingredients().kind
        is_animal = before.word.sort == Kind.INGREDIENT and before.word.shelf in _ANIMALS and before.word.ingredient
        own = head.word.ingredient
        is_general = head.word.type in lexicon.words("titles")["purpose"] or (
            shelves.get(own) not in _ANIMALS and (own not in head.word.type or shelves.get(own) in _VEGETABLES)
        )
        return before.word.ingredient if is_animal and is_general and before.place == head.place else own


def _own(named: Sequence[Hit]) -> Hit:
    """The hit that a product is: the last closed one. Of meat it is of the first animal, since cuts share names."""
    closed = [hit for hit in named if not hit.is_open] or named
    meat = [hit for hit in closed if hit.word.shelf in _MEAT]
    if meat and closed[-1].word.shelf in _MEAT:
        return [hit for hit in meat if hit.word.shelf == meat[0].word.shelf][-1]
    return closed[-1]


def _alike(own: str, named: Iterable[Hit], *, in_order: bool) -> tuple[str, ...]:
    """An ingredient and those of its shelf that are named, each once."""
    shelves = lexicon.ingredients().kind
    shelf = shelves.get(own, own)
    alike = [name for hit in named if shelves.get(name := hit.word.ingredient, name) == shelf]
    return tuple(dict.fromkeys(alike if in_order else [own, *alike]))
