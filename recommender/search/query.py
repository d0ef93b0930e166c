"""What a query asks for: its words and how much each counts, its key word, ingredients and form."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from recommender.search import words
from recommender.search.parts import Splitter
from recommender.search.texts import query_tokens
from recommender.text.units import SPELLINGS, unit_pattern

# How much a synonym and a word that goods for a concept use count beside the word itself.
SYNONYM, CONCEPT = 0.95, 0.6
# How much amounts and filler words count.
AMOUNT_WEIGHT, FILLER_WEIGHT = 0.3, 0.2
MAX_WORDS: Final = 12
MAX_SPELLINGS: Final = 24
MAX_REWRITTEN: Final = 3
_AMOUNT: Final = re.compile(rf"[\d.,~]+(?:{unit_pattern(SPELLINGS)}|키로|인분|구|입|호|과|미|팩|박스|세트)?")


class Spelled(NamedTuple):
    """A word to look for and how much it counts."""

    text: str
    weight: float


class QueryWord(NamedTuple):
    """A word of a query, the words that stand for it, and what it is or is made of."""

    text: str
    spelled: tuple[Spelled, ...]
    weight: float
    ingredients: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Query:
    """A query that has been read; ``key`` is the word that every answer must agree with.

    ``is_dish``: it asks for a dish or a way to cook, not for what that is made of.
    """

    words: tuple[QueryWord, ...]
    key: QueryWord
    forms: int
    is_dish: bool

    @property
    def phrase(self) -> str:
        """All words that count, without blanks."""
        return "".join(self.texts)

    @property
    def texts(self) -> list[str]:
        """The words that count."""
        return [word.text for word in self.words if word.weight == 1.0] or [self.key.text]

    @property
    def ingredients(self) -> frozenset[str]:
        """What the query's words are or are made of."""
        return frozenset[str]().union(*(word.ingredients for word in self.words))

    @property
    def is_plain_ingredient(self) -> bool:
        """Whether it names ingredients and no way to prepare or sell them."""
        return bool(self.ingredients) and not self.forms

    @property
    def weight(self) -> float:
        """How much all words count together."""
        return sum(word.weight for word in self.words)

    @property
    def tokens(self) -> list[str]:
        """The analyser's tokens of the words that count; one of a single syllable is part of too many words."""
        found = query_tokens(" ".join(word.text for word in self.words if word.weight > FILLER_WEIGHT))
        return [token for token in found if len(token) > 1]

    def rewritten(self, occurs: Callable[[str], bool]) -> Iterator[list[str]]:
        """The words that count with each synonym of the key word that ``occurs`` in its place."""
        texts = self.texts
        synonyms = (each.text for each in self.key.spelled[1:] if each.weight == SYNONYM and occurs(each.text))
        for synonym in islice(synonyms, MAX_REWRITTEN):
            yield [synonym if text == self.key.text else text for text in texts]


def read_query(texts: Sequence[str], splitter: Splitter, occurs: Callable[[str], bool]) -> Query | None:
    """Read the words of a query; None without any. ``occurs`` tells whether a document's name contains a word."""
    found = [_word(text, splitter) for whole in texts[:MAX_WORDS] for text in _known_words(whole, splitter, occurs)]
    if not found:
        return None
    key = _key(found)
    last = found[-1] if found[-1].weight == 1.0 else key
    forms = splitter.form_mask(last.text)
    return Query(tuple(found), key, forms, bool(forms) or splitter.is_dish(key.text))


def _known_words(text: str, splitter: Splitter, occurs: Callable[[str], bool]) -> list[str]:
    """The word itself, or its parts if no document contains it and all of it is known."""
    if len(text) < 4 or occurs(text) or any(occurs(other) for other in _synonyms(text)):
        return [text]
    parts = splitter.parts(text)
    return [part.text for part in parts] if len(parts) > 1 and splitter.covers(text) else [text]


def _word(text: str, splitter: Splitter) -> QueryWord:
    if _AMOUNT.fullmatch(text):
        return QueryWord(text, (Spelled(text, 1.0),), AMOUNT_WEIGHT)
    if text in words.fillers():
        return QueryWord(text, (Spelled(text, 1.0),), FILLER_WEIGHT)
    concept = words.concepts().get(text, ())
    # Dishes that stand for a concept (장조림 for 반찬) do not ask for what they are made of.
    named = [word for word in concept if not splitter.is_dish(word)] if concept else [text]
    parts = [part for word in named for part in splitter.parts(word)]
    ingredients = frozenset(part.ingredient for part in parts if part.ingredient)
    spelled = {text: 1.0}
    for other in _synonyms(text):
        spelled.setdefault(other, SYNONYM)
    for other in concept:
        spelled.setdefault(other, CONCEPT)
    return QueryWord(text, tuple(Spelled(*item) for item in list(spelled.items())[:MAX_SPELLINGS]), 1.0, ingredients)


@lru_cache(maxsize=4096)
def _synonyms(text: str) -> tuple[str, ...]:
    """The synonyms of a word, and the word with its start or end replaced by a synonym of two syllables and more."""
    known = words.synonyms()
    found = dict.fromkeys(known.get(text, ()))
    for size in range(len(text) - 1, 1, -1):
        start, end = text[:size], text[-size:]
        found |= dict.fromkeys(other + text[size:] for other in known.get(start, ()) if len(other) > 1)
        found |= dict.fromkeys(text[:-size] + other for other in known.get(end, ()) if len(other) > 1)
    return tuple(word for word in found if word != text)


def _key(found: Sequence[QueryWord]) -> QueryWord:
    """The last word that counts; where that is only a form (구이) or a concept, the last ingredient before it."""
    counting = [word for word in found if word.weight == 1.0] or list(found)
    last = counting[-1]
    if last.ingredients and last.text not in words.forms():
        return last
    before = [word for word in counting[:-1] if word.ingredients]
    return before[-1] if before and (last.text in words.forms() or last.text in words.concepts()) else last
