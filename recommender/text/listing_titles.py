"""Parse the title of a listing into words, brand and amounts, for linking."""

import re
from dataclasses import dataclass
from typing import Final

from recommender.text import lexicon
from recommender.text.pack_sizes import Amounts, read_amounts
from recommender.text.titles import PROMOTION, plain

# An offer to choose from: the title does not say which product is delivered.
_CHOICE: Final = re.compile(r"택\s?\d|중\s?택|골라\s?담기|선택|모음전|옵션|랜덤")
_PRICE: Final = re.compile(
    r"\d[\d,]*\s*(?:만\s*)?원(?:\s*(?:세일|할인|대|특가))?|\d+\s*(?:%|프로)\s*(?:세일|할인|off|특가)|100\s*%|"
    r"(?:방송에서만|방송중)\s*(?:이\s?)?가격|무료\s?체험\s*\d*일?"
)
# "1+" and "1++" are grades of beef; "1+1" and "스틱3+세럼1" are not.
_GRADE: Final = re.compile(r"(\d)(\+\+|\+(?=\s*(?:등급|이상|한우|$|[)\]])))")
_WORD: Final = re.compile(r"[0-9a-z가-힣.\-]+")
_LEADING: Final = re.compile(r"(?:\s*(?:\[[^\]]*\]|\([^)]*\)))+")
_REMARKS: Final = lexicon.words("listings")["remark"]


@dataclass(frozen=True, slots=True)
class Title:
    """``words`` name the product; ``brand`` is the store and what stands in brackets before the name.

    ``text`` is all words without blanks, since titles differ in these. ``is_choice``: the customer picks the product.
    """

    words: tuple[str, ...]
    brand: tuple[str, ...]
    text: str
    amounts: Amounts
    is_choice: bool


def read_title(name: str, store: str | None = None) -> Title:
    """Parse a product's name; ``store`` is its store or brand where the source names it."""
    text = _GRADE.sub(lambda found: f"{found[1]}{'투뿔' if len(found[2]) == 2 else '원뿔'}", plain(name))
    is_choice = bool(_CHOICE.search(text))
    amounts, text = read_amounts(PROMOTION.sub(" ", _PRICE.sub(" ", text)))
    leading = _LEADING.match(text)
    if leading and not _words(text[leading.end() :]):
        leading = None  # nothing but brackets
    start = leading.end() if leading else 0
    brand = dict.fromkeys([*_words(text[:start]), *_words(plain(store or ""))])
    words = tuple(_words(text[start:]))
    return Title(words, tuple(brand), f"{''.join(_words(text[:start]))} {''.join(words)}", amounts, is_choice)


def _words(text: str) -> list[str]:
    found = (word.strip(".-") for word in _WORD.findall(text))
    return [word for word in found if word and word not in _REMARKS]
