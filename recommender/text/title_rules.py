"""Read a product title by rules: its known words, its head and its ingredients.

Packaging is stripped, the title is cut into morphemes with the known words as user dictionary, and the longest known
words are taken. The last of them (the head of a Korean phrase) is what the product is; words in brackets never decide.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from kiwipiepy import Kiwi, Token

from recommender.text import lexicon
from recommender.text.title_reading import WEAK, Hit, RuleReading
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
# Ways to cook that make a dish of the ingredient before them in the same word ("장어구이").
_COOKED: Final = frozenset(
    [
        "구이",
        "볶음",
        "조림",
        "무침",
        "튀김",
        "찜",
        "탕",
        "국",
        "전골",
        "찌개",
        "덮밥",
        "볶음밥",
        "비빔밥",
        "국밥",
        "까스",
    ]
)
# What follows finished goods of these kinds or shelves and stands on those is their flavour ("요거트 딸기").
_FLAVOURED: Final = frozenset({Kind.SNACK, Kind.DRINK, Kind.SUPPLEMENT, "유제품"})
_FLAVOURS: Final = frozenset({"과일", "견과", "곡물", "콩", "채소"})
# Where something grows or lives that is likened to food from elsewhere.
_PLACES: Final = frozenset({"숲", "속", "숲속", "바다", "밭", "들", "땅", "땅속", "산", "강", "갯벌", "나무"})
# Plants in tea bags are tea; dried fish and stock come in bags, too.
_TEA_BAGS: Final = re.compile(r"\d\s*(?:삼각)?(?:티백|t백|tb)(?![a-z가-힣])")
_STEEPED: Final = frozenset({"곡물", "채소", "버섯", "과일", "견과", "콩", "차", "가루"})
TEA: Final = Word(Kind.DRINK, "차", "차")
UNKNOWN_DISH: Final = Word("unknown dish")


class TitleRules:
    """Reads titles with a dictionary of :func:`~recommender.text.title_words.title_words`.

    An instance holds a morphological analyser (300 MB, 2 s to create) and is immutable.
    """

    def __init__(self, words: Mapping[str, Word]) -> None:
        self._words = words
        self._transparent_or_known = lexicon.words("titles")["transparent"] | words.keys()
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
                _with_tea(_with_roles(self._scan(text, outer)), plain(title)),
                bool(_PROOF.search(title)),
                tuple(hit for hit, _, _ in self._scan(content, inner) if hit.word.ingredient),
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

    def _scan(self, text: str, tokens: list[Token]) -> Iterator[tuple[Hit, int, int]]:
        """The hits of a text, each with its start and end."""
        position = covered = 0
        for start, stop in self._spans(text, tokens):
            yield from self._unknown_dishes(text, tokens, position, start)
            begin, end = tokens[start].start, tokens[stop - 1].end
            if begin < covered:  # the way to cook of the dish before
                position = stop
                continue
            word = self._words[text[begin:end].replace(" ", "")]
            if word.sort == Kind.INGREDIENT and (cooked := _rest(text, end)) in _COOKED:
                word = Word(Kind.READY, cooked, "", word.ingredient)
                covered = end + len(cooked)
                yield Hit(word, *_place(text, begin), False), begin, covered
            else:
                yield Hit(word, *_place(text, begin), self._is_open(tokens, stop)), begin, end
            position = stop
        yield from self._unknown_dishes(text, tokens, position, len(tokens))

    def _spans(self, text: str, tokens: list[Token]) -> Iterator[tuple[int, int]]:
        """Token ranges of the known words, the longest first; words that only describe another are left out."""
        position = 0
        while position < len(tokens):
            for stop in range(min(position + _LONGEST, len(tokens)), position, -1):
                start, end = tokens[position].start, tokens[stop - 1].end
                word = self._words.get(text[start:end].replace(" ", ""))
                if word and _stands_alone(text, start, end) and not _ends_a_name(text, start, end, word):
                    if _describes(tokens, stop) or _is_negated_or_counts(tokens, position, stop):
                        continue
                    if self._is_likened(text, tokens, position, stop) or _is_night(tokens, position):
                        continue
                    yield position, stop
                    position = stop
                    break
            else:
                position += 1

    def _unknown_dishes(self, text: str, tokens: list[Token], start: int, stop: int) -> Iterator[tuple[Hit, int, int]]:
        for position in range(start, stop):
            token = tokens[position]
            is_dish = len(token.form) > 2 and token.tag.startswith("NN") and token.form[-1] in _DISH_SUFFIXES
            if is_dish and not _describes(tokens, position + 1):
                yield Hit(UNKNOWN_DISH, *_place(text, token.start), False), token.start, token.end

    def _is_likened(self, text: str, tokens: list[Token], start: int, stop: int) -> bool:
        """Whether something else, named next, is likened to a word: the butter of the woods is an avocado.

        ("숲 속의 버터 아보카도", "바다의 우유 굴", but not "명인의 된장 고추장")
        """
        if start < 2 or tokens[start - 1].tag != "JKG" or stop >= len(tokens):
            return False
        named = self._words.get(text[tokens[stop].start : tokens[stop].end])
        return tokens[start - 2].form in _PLACES and named is not None and named.sort == Kind.INGREDIENT

    def _is_open(self, tokens: list[Token], stop: int) -> bool:
        """Whether a noun that is not transparent follows in the same eojeol, unless a known word does."""
        rest = []
        while stop < len(tokens) and tokens[stop].start == tokens[stop - 1].end and tokens[stop].tag[0] in "NX":
            rest.append(tokens[stop].form)
            stop += 1
        tail = "".join(rest)
        known = self._transparent_or_known
        return bool(tail) and tail not in known and not all(part in known for part in rest)


def _with_roles(found: Iterable[tuple[Hit, int, int]]) -> list[Hit]:
    """The hits, with a mark at those that only describe another one."""
    scanned = list(found)
    joined = {
        at
        for at, ((hit, _, end), (after, begin, _)) in enumerate(pairwise(scanned))
        if hit.word.sort == Kind.INGREDIENT and end == begin and after.word.type and after.word.sort not in WEAK
    }
    hits = [hit._replace(describes=at in joined) for at, (hit, _, _) in enumerate(scanned)]
    starts = [begin for _, begin, _ in scanned]
    ends = {end for _, _, end in scanned}
    return [
        hit._replace(describes=hit.describes or (starts[at] not in ends and _is_flavour(hit, hits[:at])))
        for at, hit in enumerate(hits)
    ]


def _with_tea(hits: list[Hit], title: str) -> tuple[Hit, ...]:
    """The hits, and what is sold in tea bags as tea."""
    is_steeped = all(hit.word.sort == Kind.INGREDIENT and hit.word.shelf in _STEEPED for hit in hits if hit.word.type)
    if not is_steeped or not _TEA_BAGS.search(title):
        return tuple(hits)
    return (*hits, Hit(TEA, *(hits[0].place if hits else (0, 0)), False))


def _is_flavour(hit: Hit, before: Sequence[Hit]) -> bool:
    """Whether a hit is the flavour of finished goods that are named before it."""
    if hit.word.sort != Kind.INGREDIENT or hit.word.shelf not in _FLAVOURS:
        return False
    flavoured = (each for each in before if each.place == hit.place and not each.is_open)
    return any(each.word.sort in _FLAVOURED or each.word.shelf in _FLAVOURED for each in flavoured)


def _rest(text: str, end: int) -> str:
    """The rest of the word that goes on at `end`."""
    return re.split(r"[^0-9a-z가-힣]", text[end:], maxsplit=1)[0]


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


def _ends_a_name(text: str, start: int, end: int, word: Word) -> bool:
    """Whether two letters after a single one are a part of a name rather than goods that nobody eats (영양산)."""
    is_short = end - start == 2 and word.sort in {Kind.NONFOOD, Kind.SUPPLEMENT}
    return is_short and text[start - 1 : start].isalpha() and not text[start - 2 : start - 1].strip()


def _describes(tokens: list[Token], stop: int) -> bool:
    """Whether the token at `stop` turns the word before it into a modifier."""
    if stop >= len(tokens):
        return False
    # Not at the end: what is left out or inside is so of something that is named after it ("두부 듬뿍" is tofu).
    if tokens[stop].form in _ABSENT_FORMS | _INSIDE_FORMS and _names_more(tokens, stop + 1):
        return True
    if tokens[stop].start != tokens[stop - 1].end:
        return False
    return tokens[stop].tag.startswith(_MODIFYING_TAGS) or tokens[stop].form in _MODIFYING_FORMS


def _names_more(tokens: list[Token], start: int) -> bool:
    """Whether a noun follows."""
    return any(token.tag in {"NNG", "NNP"} for token in tokens[start:])


def _is_negated_or_counts(tokens: list[Token], start: int, stop: int) -> bool:
    """Whether the token right before the word says that it is left out, or is a number that the word counts."""
    if start == 0 or tokens[start - 1].end != tokens[start].start:
        return False
    before = tokens[start - 1]
    counts = stop == start + 1 and tokens[start].form in _COUNTERS and before.tag.startswith(_NUMBER_TAGS)
    return counts or before.form in _WITHOUT_FORMS


def _is_night(tokens: list[Token], start: int) -> bool:
    """Whether 밤 is the night, by what stands before it ("편한 밤")."""
    if tokens[start].form != "밤" or not start:
        return False
    before = [token.form for token in tokens[max(0, start - 3) : start] if token.tag not in {"ETM", "XSA", "XSV"}]
    night = lexicon.words("titles")["night"]
    return bool(before) and (before[-1] in night or f"{before[-1]}하" in night)


def _place(text: str, position: int) -> tuple[int, int]:
    return text.count("+", 0, position), text.count("/", 0, position)
