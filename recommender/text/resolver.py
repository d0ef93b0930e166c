"""Resolve a product title to its cooking ingredients, to food or not, and to ingredient or finished dish.

Rules, not a model: packaging is stripped, the title is cut into morphemes with the ingredient vocabulary as user
dictionary, the longest known words are taken, and the last of them (the head of a Korean phrase) is the product.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from kiwipiepy import Kiwi, Token

from recommender.text import amounts, lexicon, units
from recommender.text import titles as title_text

_LONGEST: Final = 5
_LIST_SEPARATORS: Final = frozenset("+,/&·")
# Tokens that turn the word before them in the same eojeol into a modifier ("딸기맛", "마늘로").
_MODIFYING_TAGS: Final = ("JKB", "JKS", "JKO", "JKG", "JX", "VV", "XSV", "XSA", "VCP")
_MODIFYING_FORMS: Final = frozenset({"맛", "향", "용", "대신", "함유", "첨가", "농장", "색", "급", "성", "안주"})
# Tokens after a word that say the product is made without it ("설탕 없는 초콜릿").
_ABSENT_FORMS: Final = frozenset({"없", "없이", "프리", "무첨가", "대신", "빼"})
# Alcohol by volume before the volume: a drink, whatever it is made of ("인삼주 23도 375ml").
_PROOF: Final = re.compile(r"\d도\s+\d+\s*ml", re.IGNORECASE)
# Last letters of dishes unknown as a whole ("카사바칩"): finished, but no sign that a title is about food.
_DISH_SUFFIXES: Final = frozenset("칩탕찜빵떡죽즙")
# Single letters that are a word at the end of a longer one ("여주쌀", "한방차"); the second group is none by itself.
_ENDINGS: Final = frozenset("쌀꿀즙죽탕국찜회전차술면")
_NEVER_ALONE: Final = frozenset("탕국찜회전차술면")
_EDIBLE: Final = frozenset({"ingredient", "finished", "purpose", "food"})


@dataclass(frozen=True, slots=True)
class ResolvedTitle:
    """`ingredients`: canonical names, the product itself first. `is_ingredient`: raw rather than a finished dish."""

    ingredients: tuple[str, ...]
    is_food: bool
    is_ingredient: bool


class _Hit(NamedTuple):
    """A known word; `part` counts the "+" before it, `choice` the "/"."""

    sort: str
    name: str
    part: int
    choice: int


class TitleResolver:
    """Resolves titles with a vocabulary of `variant -> canonical ingredient name` (the ingredient tables).

    An instance holds a morphological analyser (300 MB, 2 s to create) and is immutable.
    """

    def __init__(self, vocabulary: Mapping[str, str]) -> None:
        self._known = _known_words(vocabulary)
        self._kinds = lexicon.ingredients().kind
        self._kiwi = Kiwi(num_workers=1, load_multi_dict=False)
        for word in self._known:
            if len(word) > 1:
                self._kiwi.add_user_word(word, "NNP", 3.0)
        self.version: str = resolver_version(vocabulary)

    def resolve(self, title: str, *, known_food: bool = False) -> ResolvedTitle:
        """Resolve one title. `known_food`: the shop sells only food, so this is not decided from the title."""
        return self.resolve_many([title], known_food=known_food)[0]

    def resolve_many(self, titles: Iterable[str], *, known_food: bool = False) -> list[ResolvedTitle]:
        """Resolve titles in order, several thousand a second."""
        outer, inner, spirits = [], [], []
        for title in titles:
            outer.append(title_text.normalise_title(title))
            inner.append(title_text.strip_packaging(title))
            spirits.append(bool(_PROOF.search(title)))
        found = zip(self._hits(outer), self._hits(inner), spirits, strict=True)
        return [self._assess(clean, full, known_food=known_food, is_spirit=spirit) for clean, full, spirit in found]

    def _assess(self, clean: list[_Hit], full: list[_Hit], *, known_food: bool, is_spirit: bool) -> ResolvedTitle:
        main = _main(clean) or _main(full)
        is_food = known_food or _is_food(main, full)
        if not is_food or not main:
            return ResolvedTitle((), is_food, False)
        sorts = {hit.sort for hit in main}
        finished = is_spirit or bool(sorts & {"finished", "supplement", "unknown dish"}) or main[-1].sort == "purpose"
        named = [hit for hit in clean if hit.name] or [hit for hit in full if hit.name and not finished]
        ingredients = _listed(named, self._kinds)
        return ResolvedTitle(ingredients, True, not finished and bool(ingredients or "ingredient" in sorts))

    def _hits(self, texts: list[str]) -> Iterator[list[_Hit]]:
        for text, tokens in zip(texts, self._kiwi.tokenize(texts), strict=True):
            yield list(self._scan(text, tokens))

    def _scan(self, text: str, tokens: list[Token]) -> Iterator[_Hit]:
        position = 0
        while position < len(tokens):
            for stop in range(min(position + _LONGEST, len(tokens)), position, -1):
                start, end = tokens[position].start, tokens[stop - 1].end
                found = self._known.get(text[start:end].replace(" ", ""))
                if found and _stands_alone(text, start, end) and not _describes(tokens, stop):
                    yield _Hit(*found, *_place(text, start))
                    position = stop
                    break
            else:
                if _unknown_dish(tokens, position):
                    yield _Hit("unknown dish", "", *_place(text, tokens[position].start))
                position += 1


def _known_words(vocabulary: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Word -> (sort, canonical ingredient name or ""). Of the lists that hold a word the last one below decides."""
    words = lexicon.words("titles")
    names = {variant.replace(" ", "").lower(): name for variant, name in vocabulary.items()}
    canonical = set(vocabulary.values())
    for variant, name in lexicon.ingredients().canonical.items():
        names.setdefault(variant, name if name in canonical else "")
    dishes = dict(pair.split("=") for pair in words["dish"])
    known = dict.fromkeys(words["food"], ("food", ""))
    for word, name in names.items():
        if _usable(word, words["ambiguous"]):
            # "다크초콜릿" is as finished as "초콜릿".
            known[word] = ("finished" if name in words["finished"] else "ingredient", name)
    for word in words["finished"] | words["purpose"] | dishes.keys():
        made_of = names.get(word) or names.get(dishes.get(word, ""), "") or _first_ingredient(word, names)
        known[word] = ("purpose" if word in words["purpose"] else "finished", made_of)
    known |= dict.fromkeys(words["supplement"], ("supplement", ""))
    return known | dict.fromkeys(words["nonfood"], ("nonfood", ""))


def _first_ingredient(dish: str, names: Mapping[str, str]) -> str:
    """The ingredient that a compound dish name starts with ("꼬막무침" -> 꼬막), or ""."""
    return next((names[dish[:size]] for size in range(len(dish) - 1, 1, -1) if dish[:size] in names), "")


def _usable(word: str, ambiguous: AbstractSet[str]) -> bool:
    return word not in ambiguous and (len(word) > 1 or word in lexicon.ingredients().canonical)


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


def _unknown_dish(tokens: list[Token], position: int) -> bool:
    token = tokens[position]
    is_dish = len(token.form) > 2 and token.tag.startswith("NN") and token.form[-1] in _DISH_SUFFIXES
    return is_dish and not _describes(tokens, position + 1)


def _describes(tokens: list[Token], stop: int) -> bool:
    """Whether the token at `stop` turns the word before it into a modifier."""
    if stop >= len(tokens) or tokens[stop].form in _ABSENT_FORMS:
        return stop < len(tokens)
    if tokens[stop].start != tokens[stop - 1].end:
        return False
    return tokens[stop].tag.startswith(_MODIFYING_TAGS) or tokens[stop].form in _MODIFYING_FORMS


def _place(text: str, position: int) -> tuple[int, int]:
    return text.count("+", 0, position), text.count("/", 0, position)


def _main(hits: list[_Hit]) -> list[_Hit]:
    """The hits of the first part that has any; parts after a "+" are extras."""
    return [hit for hit in hits if hit.part == hits[0].part]


def _is_food(main: list[_Hit], full: list[_Hit]) -> bool:
    sorts = {hit.sort for hit in main}
    if "nonfood" in sorts:
        return False
    if "supplement" in sorts | {hit.sort for hit in full if hit.part == 0}:
        return False
    return bool(sorts & _EDIBLE)


def _listed(hits: list[_Hit], kinds: Mapping[str, str]) -> tuple[str, ...]:
    """The last ingredient of the first choice (the product) and all ingredients of its kind, in order, each once."""
    if not hits:
        return ()
    head = [hit.name for hit in hits if (hit.part, hit.choice) == (hits[0].part, hits[0].choice)][-1]
    kind = kinds.get(head, head)
    return tuple(dict.fromkeys(hit.name for hit in hits if kinds.get(hit.name, hit.name) == kind))


def resolver_version(vocabulary: Mapping[str, str]) -> str:
    """The `version` of a :class:`TitleResolver`, without creating one.

    Twelve hex digits over the rules (this code, the text rules, the numbers, the units, the lists) and the vocabulary.
    """
    digest = hashlib.sha256(lexicon.fingerprint_source())
    for path in (*map(Path, (__file__, title_text.__file__, amounts.__file__, units.__file__)), units.TABLE):
        digest.update(path.read_bytes())
    for pair in sorted(vocabulary.items()):
        digest.update("\t".join(pair).encode())
    return digest.hexdigest()[:12]
