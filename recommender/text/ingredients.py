"""Canonical ingredient names: `다진 마늘(약간)`, `깐마늘 3쪽` and `마늘` are all 마늘."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from recommender.text import lexicon
from recommender.text.titles import plain
from recommender.text.units import SPELLINGS, unit_pattern

# A rarer name that is not in the lexicon is more often a note or a typing error than an ingredient.
MIN_RECIPES: Final = 3

_SECTION: Final = re.compile(r"^\s*\[[^\]]*\]|^[^\[]*\]|^[^()]*\)(?=[^()]*$)|^.*?[:>]\s*(?=\S)")
_PARENTHESES: Final = re.compile(r"\(([^()]*)\)")
_AMOUNT: Final = re.compile(rf"\d[\d./~½⅓¼⅔¾ \-]*(?:{unit_pattern(SPELLINGS)})?(?![가-힣])")
_SPLIT: Final = re.compile(r"\s(?:or|and|또는|혹은|or\.?)\s|[,/+&·|=~*]|or(?=[가-힣])|혹은|또는")
_JUNK: Final = re.compile(r"[^0-9a-z가-힣 ]+")
_GLUED: Final = (
    "다진",
    "간",
    "데친",
    "삶은",
    "볶은",
    "구운",
    "불린",
    "말린",
    "마른",
    "냉동",
    "생",
    "햇",
    "깐",
    "통",
    "채썬",
)
_CUTS: Final = ("다진것", "썬것", "간것", "슬라이스", "통조림", "살", "채", "잎", "싹", "캔")
_NAME: Final = re.compile(r"[가-힣a-z][0-9가-힣a-z ]{0,14}")
# What separates names in a list; in parentheses it separates kinds of one ingredient, and in 1/2 numbers.
_BETWEEN_NAMES: Final = re.compile(r"(?:[,，、;；|·ㆍ・\n\r\t]|(?<!\d)/|/(?!\d))(?![^()]*\))")


@lru_cache(maxsize=1 << 16)
def canonical_name(raw: str) -> str | None:
    """The canonical name of an ingredient as written in a recipe, or None if it names no ingredient.

    `다진 마늘` -> 마늘, `파(대파)` -> 대파, `[양념] 간장 2큰술` -> 간장, `키친타월` -> None. A name that is not in the
    lexicon keeps its cleaned spelling, so that no ingredient of a recipe is lost. Depends on the lexicon alone.
    """
    text = plain(raw)
    stripped = _SECTION.sub("", text).strip()
    base, inner = _parenthesised(stripped or text)
    known = _specific(base, inner) or _lookup(base)
    if known:
        return known
    name = _trim(base)
    compact = name.replace(" ", "")
    if (
        compact in lexicon.words("remarks")["nothing"]
        or len(compact) < 2
        or len(name.split()) > 3
        or not _NAME.fullmatch(name)
    ):
        return None
    return name


def written_name(raw: str) -> str:
    """The most specific ingredient that a text names: `고추(꽈리고추)` -> 꽈리고추, `마늘(다진 것)` -> 마늘."""
    base, inner = _parenthesised(plain(raw))
    known = lexicon.ingredients().canonical
    return next((part for part in inner if part.replace(" ", "") in known), base) or raw


def known_name(written: str, spellings: Mapping[str, str]) -> str:
    """The canonical name of an ingredient in any spelling and spacing; an unknown one stays as it is.

    ``spellings`` maps names, with and without blanks, to canonical names. One that is written as in a recipe, with
    amounts and remarks (`고추(꽈리고추)`), is known too.
    """
    name = plain(written)
    known = spellings.get(name) or spellings.get(name.replace(" ", ""))
    if known:
        return known
    canonical = canonical_name(name)
    return spellings.get(canonical or "") or canonical or " ".join(written.split())


def split_names(text: str) -> list[str]:
    """The names in a text that lists several: `감자, 양파·당근` are three, `고추(청양,꽈리)` is one."""
    return [name for part in _BETWEEN_NAMES.split(text) if (name := part.strip())]


def title_vocabulary(recipe_counts: Mapping[str, int]) -> dict[str, str]:
    """Variant -> canonical name for resolving product titles, from the canonical names that recipes use.

    `recipe_counts`: canonical name -> number of recipes. Names outside the lexicon need `MIN_RECIPES` recipes.
    """
    listed = lexicon.ingredients()
    names = {name for name, count in recipe_counts.items() if name in listed.kind or count >= MIN_RECIPES}
    vocabulary = {variant: name for variant, name in listed.canonical.items() if name in names}
    return vocabulary | {name: name for name in names}


def _parenthesised(text: str) -> tuple[str, list[str]]:
    """`간장(진간장, 국간장)` -> ("간장", ["진간장", "국간장"]); of nested parentheses the innermost comes first."""
    inner: list[str] = []
    previous = ""
    while previous != text:
        previous = text
        inner += [part.strip() for group in _PARENTHESES.findall(text) for part in re.split(r"[,/]", group)]
        text = _PARENTHESES.sub(" ", text)
    cleaned = _SPLIT.split(text.replace("(", " ").replace(")", " "))
    return next((" ".join(part.split()) for part in cleaned if part.strip()), ""), [part for part in inner if part]


def _specific(base: str, inner: list[str]) -> str | None:
    """A known name in parentheses that specifies the base: "파(대파)", "돼지고기(목살)"; not "꿀(설탕)"."""
    listed = lexicon.ingredients()
    compact = base.replace(" ", "")
    for part in inner:
        name = part.replace(" ", "")
        found = listed.canonical.get(name)
        if found and compact and name != compact and (name.endswith(compact) or listed.kind[found] == compact):
            return found
    return None


def _trim(text: str) -> str:
    """`text` without amounts and remarks."""
    words, remarks = _JUNK.sub(" ", _AMOUNT.sub(" ", text)).split(), lexicon.words("remarks")
    while len(words) > 1 and words[-1] in remarks["trailing"]:
        words.pop()
    while len(words) > 1 and words[0] in remarks["leading"]:
        words.pop(0)
    return " ".join(words)


def _lookup(text: str) -> str | None:
    """The longest known name: the whole text, its end (the head of a Korean phrase), its start, or a word's end."""
    known = lexicon.ingredients().canonical
    words, remarks = _JUNK.sub(" ", _AMOUNT.sub(" ", text)).split(), lexicon.words("remarks")
    while words and words[-1] in remarks["trailing"]:
        words.pop()
    ends = [words[start:] for start in range(1, len(words))]
    beginnings = [words[:stop] for stop in range(len(words) - 1, 0, -1)]
    for span in [words, *ends, *beginnings]:
        for form in _spellings("".join(span)):
            if form in known and (len(form) > 1 or span[:1] == words[:1]):
                return known[form]
    last = words[-1] if words else ""
    return next((known[last[start:]] for start in range(1, len(last) - 2) if last[start:] in known), None)


def _spellings(word: str) -> list[str]:
    """`word`, and the word without a prefixed preparation or a suffixed cut ("다진마늘", "꽁치살")."""
    bare = [word.removeprefix(start) for start in _GLUED if word.startswith(start) and len(word) > len(start) + 1]
    return [word, *bare, *(word.removesuffix(end) for end in _CUTS if word.endswith(end) and len(word) > len(end))]
