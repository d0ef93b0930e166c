"""Read a product title by rules: its known words, its head and its ingredients.

Packaging is stripped, the title is cut into morphemes with the known words as user dictionary, and the longest known
words are taken. The last of them (the head of a Korean phrase) is what the product is; words in brackets never decide.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from kiwipiepy import Kiwi, Token

from recommender.text import lexicon
from recommender.text.title_words import Kind, Word
from recommender.text.titles import normalise_title, plain, strip_packaging

_LONGEST: Final = 5
_LIST_SEPARATORS: Final = frozenset("+,/&·")
# Tokens that turn the word before them in the same eojeol into a modifier ("딸기맛", "마늘로").
_MODIFYING_TAGS: Final = ("JKB", "JKS", "JKO", "JKG", "JX", "VV", "XSV", "XSA", "VCP")
_MODIFYING_FORMS: Final = frozenset(
    ["맛", "향", "용", "대신", "함유", "첨가", "농장", "색", "급", "성", "안주", "컬러"]
)
# Tokens after a word that say it is left out ("설탕 없는 초콜릿") or only inside ("비타민 가득 달걀").
_ABSENT_FORMS: Final = frozenset({"없", "없이", "프리", "무첨가", "대신", "빼", "제로"})
_INSIDE_FORMS: Final = frozenset(
    {"가득", "듬뿍", "함유", "첨가", "가능", "넣", "담", "품", "먹이", "들어가", "더하", "채우"}
)
# Tokens right before a word that say the product is made without it ("no설탕").
_WITHOUT_FORMS: Final = frozenset({"no", "non"})
# Words that count after a number ("다섯가지", "2배").
_COUNTERS: Final = frozenset({"가지", "배"})
_NUMBER_TAGS: Final = ("NR", "MM", "SN")
# Alcohol by volume before the volume: a drink, whatever it is made of ("인삼주 23도 375ml").
_PROOF: Final = re.compile(r"\d도\s+\d+\s*ml", re.IGNORECASE)
_CONTENTS: Final = re.compile(r"\(([^()]*)\)")
# Last letters of dishes unknown as a whole ("카사바칩"): finished, but no sign that a title is about food.
_DISH_SUFFIXES: Final = frozenset("칩탕찜빵떡죽즙")
# Single letters that are a word at the end of a longer one ("여주쌀", "한방차"); the second group is none by itself.
_ENDINGS: Final = frozenset("쌀꿀즙죽탕국찜회전차술면")
_NEVER_ALONE: Final = frozenset("탕국찜회전차술면")
# A word of these sorts is the head only of a title that names nothing else.
_WEAK: Final = frozenset({"purpose", "qualifier"})
_FINISHED: Final = frozenset({Kind.READY, Kind.SNACK, Kind.DRINK, Kind.SUPPLEMENT})
UNKNOWN_DISH: Final = Word("unknown dish")


class Hit(NamedTuple):
    """A known word of a title; ``part`` counts the "+" before it, ``choice`` the "/".

    ``is_open``: an unknown word follows without a blank, so that the known one only describes it (김치플러스).
    """

    word: Word
    part: int
    choice: int
    is_open: bool


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
        """The hits of the first part that has any."""
        return tuple(hit for hit in self.hits if hit.part == self.hits[0].part)

    @property
    def head(self) -> Hit | None:
        """The last hit that names a type; a closed one rather than an open one, of the first choice."""
        main = self.main
        first = [hit for hit in main if hit.choice == main[0].choice]
        typed = [hit for hit in first if hit.word.type] or [hit for hit in main if hit.word.type]
        closed = [hit for hit in typed if not hit.is_open] or typed
        named = [hit for hit in closed if hit.word.sort not in _WEAK] or closed
        return named[-1] if named else None

    @property
    def finished_kind(self) -> Kind | None:
        """The kind of the last finished goods that the main part names, None without any."""
        named = [hit.word.sort for hit in self.main if hit.word.sort in _FINISHED]
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
        """The product's own ingredient and all of the same shelf that are named with it, in order.

        The own one of finished goods is what these are made of; sweets, drinks and supplements have no other.
        """
        shelves = lexicon.ingredients().kind
        named = [hit for hit in self.hits if hit.word.ingredient]
        finished = [hit for hit in self.main if hit.word.sort == kind and kind in _FINISHED]
        if kind not in {Kind.INGREDIENT, Kind.READY}:
            made_of = (hit.word.ingredient for hit in reversed(finished) if hit.word.ingredient)
            return tuple(dict.fromkeys(made_of))[:1]
        if not named and kind is Kind.INGREDIENT:
            return tuple(dict.fromkeys(hit.word.ingredient for hit in self.in_parentheses if hit.word.ingredient))
        if not named:
            return ()
        first = [hit for hit in named if (hit.part, hit.choice) == (named[0].part, named[0].choice)]
        closed = [hit for hit in first if not hit.is_open] or first
        made_of_head = [hit for hit in finished if hit.word.ingredient]
        own = (made_of_head or closed)[-1].word.ingredient
        shelf = shelves.get(own, own)
        listed = [hit.word.ingredient for hit in named]
        alike = [name for name in listed if shelves.get(name, name) == shelf]
        return tuple(dict.fromkeys([own, *alike] if made_of_head else alike))


class TitleRules:
    """Reads titles with a dictionary of :func:`~recommender.text.title_words.title_words`.

    An instance holds a morphological analyser (300 MB, 2 s to create) and is immutable.
    """

    def __init__(self, words: Mapping[str, Word]) -> None:
        self._words = words
        self._transparent = lexicon.words("titles")["transparent"]
        self._kiwi = Kiwi(num_workers=1, load_multi_dict=False)
        for word in words:
            if len(word) > 1:
                self._kiwi.add_user_word(word, "NNP", 3.0)

    def read_many(self, titles: Sequence[str]) -> list[RuleReading]:
        """Read titles in order, several thousand a second."""
        texts = [normalise_title(title) for title in titles]
        contents = [strip_packaging(" ".join(_CONTENTS.findall(plain(title)))) for title in titles]
        tokens = zip(self._kiwi.tokenize(texts), self._kiwi.tokenize(contents), strict=True)
        return [
            RuleReading(
                tuple(self._scan(text, outer)),
                bool(_PROOF.search(title)),
                tuple(hit for hit in self._scan(content, inner) if hit.word.ingredient),
            )
            for title, text, content, (outer, inner) in zip(titles, texts, contents, tokens, strict=True)
        ]

    def unknown_words(self, titles: Iterable[str]) -> Iterator[str]:
        """The nouns of titles that no list knows, once for each title that has them."""
        texts = [normalise_title(title) for title in titles]
        for text, tokens in zip(texts, self._kiwi.tokenize(texts), strict=True):
            known: set[int] = set()
            for start, stop in self._spans(text, tokens):
                known.update(range(start, stop))
            nouns = (token for number, token in enumerate(tokens) if number not in known and token.tag == "NNG")
            yield from dict.fromkeys(noun.form for noun in nouns if len(noun.form) > 1)

    def _scan(self, text: str, tokens: list[Token]) -> Iterator[Hit]:
        position = 0
        for start, stop in self._spans(text, tokens):
            yield from self._unknown_dishes(text, tokens, position, start)
            begin, end = tokens[start].start, tokens[stop - 1].end
            word = self._words[text[begin:end].replace(" ", "")]
            yield Hit(word, *_place(text, begin), self._is_open(tokens, stop))
            position = stop
        yield from self._unknown_dishes(text, tokens, position, len(tokens))

    def _spans(self, text: str, tokens: list[Token]) -> Iterator[tuple[int, int]]:
        """Token ranges of the known words, the longest first; words that only describe another are left out."""
        position = 0
        while position < len(tokens):
            for stop in range(min(position + _LONGEST, len(tokens)), position, -1):
                start, end = tokens[position].start, tokens[stop - 1].end
                if text[start:end].replace(" ", "") in self._words and _stands_alone(text, start, end):
                    if _describes(tokens, stop) or _is_negated_or_counts(tokens, position, stop):
                        continue
                    yield position, stop
                    position = stop
                    break
            else:
                position += 1

    def _unknown_dishes(self, text: str, tokens: list[Token], start: int, stop: int) -> Iterator[Hit]:
        for position in range(start, stop):
            token = tokens[position]
            is_dish = len(token.form) > 2 and token.tag.startswith("NN") and token.form[-1] in _DISH_SUFFIXES
            if is_dish and not _describes(tokens, position + 1):
                yield Hit(UNKNOWN_DISH, *_place(text, token.start), False)

    def _is_open(self, tokens: list[Token], stop: int) -> bool:
        """Whether a noun that is not transparent follows in the same eojeol, unless a known word does."""
        rest = []
        while stop < len(tokens) and tokens[stop].start == tokens[stop - 1].end and tokens[stop].tag[0] in "NX":
            rest.append(tokens[stop].form)
            stop += 1
        tail = "".join(rest)
        return bool(tail) and tail not in self._transparent and tail not in self._words


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] is a word of its own; only single letters may not be."""
    if end - start > 1:
        return True
    before, after = text[start - 1 : start], text[end : end + 1]
    closed = not after or after == " " or after in _LIST_SEPARATORS
    opened = not before or before == " " or before in _LIST_SEPARATORS
    if opened:
        return closed and text[start] not in _NEVER_ALONE
    return closed and text[start] in _ENDINGS and before.isalpha()


def _describes(tokens: list[Token], stop: int) -> bool:
    """Whether the token at `stop` turns the word before it into a modifier."""
    if stop >= len(tokens) or tokens[stop].form in _ABSENT_FORMS | _INSIDE_FORMS:
        return stop < len(tokens)
    if tokens[stop].start != tokens[stop - 1].end:
        return False
    return tokens[stop].tag.startswith(_MODIFYING_TAGS) or tokens[stop].form in _MODIFYING_FORMS


def _is_negated_or_counts(tokens: list[Token], start: int, stop: int) -> bool:
    """Whether the token right before the word says that it is left out, or is a number that the word counts."""
    if start == 0 or tokens[start - 1].end != tokens[start].start:
        return False
    before = tokens[start - 1]
    counts = stop == start + 1 and tokens[start].form in _COUNTERS and before.tag.startswith(_NUMBER_TAGS)
    return counts or before.form in _WITHOUT_FORMS


def _place(text: str, position: int) -> tuple[int, int]:
    return text.count("+", 0, position), text.count("/", 0, position)
