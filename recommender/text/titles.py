"""Korean product and recipe text: a title without its packaging, and the tokens that search is built on."""

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final

from recommender.text.amounts import DECIMAL
from recommender.text.units import SPELLINGS, unit_pattern
from ukok.text import visible

if TYPE_CHECKING:
    from kiwipiepy import Kiwi

BRACKETS: Final = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|\{[^{}]*\}|<[^<>]*>|★[^★]*★")
# A number or several: 1,000 and 3,4.
_NUMBERS: Final = rf"{DECIMAL}(?:,{DECIMAL})*"
# Units that a word may follow without a blank: 200g두부.
_GLUED: Final = unit_pattern({unit.name for unit in SPELLINGS.values() if unit.rank == "measure"})
_AMOUNT: Final = re.compile(
    rf"(?:약|총|각|x|\*|×)?\s*{_NUMBERS}\s*(?:[~\-/]\s*{_NUMBERS}\s*)?{unit_pattern(SPELLINGS)}"
    rf"(?:내외|이상|미만|이내|구성)?(?![a-z가-힣])|{_NUMBERS}{_GLUED}|"
    rf"[x*×]\s*\d+|\d+\s*\+\s*\d+|{_NUMBERS}\s*%|{_NUMBERS}\+*"
)
PROMOTION: Final = re.compile(
    r"(?:방송(?:에서만|중|한정|특가)?|론칭|런칭|단독|초특가|특가|무료\s?배송|무배|당일\s?발송|산지\s?직송|골라\s?담기|모음전|기획전|특집전|특집|"
    r"사은품|증정|추가\s?증정|택\s?\d|중\s?택|한정\s?수량|할인|세일|최저가|무이자|신상품|리뉴얼|선착순|쿠폰|빠른배송|새벽배송|당일출고|"
    r"쇼핑백|전용\s?케이스|보자기|보냉백|선물\s?세트|명절|추석|설날|설\s?선물|구정|한가위)"
)
_NOISE: Final = re.compile(r"[^0-9a-z가-힣+,/&·]+")
_CONTENT_TAGS: Final = ("NN", "NR", "XR", "SL", "SH", "SN", "VV", "VA", "W_SERIAL")


def composed(title: str) -> str:
    """A title in NFC, without invisible characters: macOS writes the same syllables in parts."""
    return unicodedata.normalize("NFC", visible(title))


def plain(text: str) -> str:
    """Unicode-normalised (NFKC), lower-case `text` with single spaces and without invisible characters."""
    return " ".join(unicodedata.normalize("NFKC", visible(text)).lower().split())


def without_brackets(text: str) -> str:
    """`text` without bracketed parts, nested ones included."""
    previous = ""
    while previous != text:
        previous, text = text, BRACKETS.sub(" ", text)
    return text


def strip_packaging(text: str) -> str:
    """:func:`plain` `text` without amounts, units, counts and promotion words; list separators (+ , / & ·) stay."""
    text = _AMOUNT.sub(" ", PROMOTION.sub(" ", plain(text)))
    return " ".join(_NOISE.sub(" ", text).split())


def normalise_title(title: str) -> str:
    """The words of a product title that name the product: brackets, units, counts and promotions are stripped.

    A title that consists of brackets alone keeps their content.
    """
    cleaned = strip_packaging(without_brackets(plain(title)))
    return cleaned.strip("+,/&· ") or strip_packaging(title)


@cache
def _kiwi() -> "Kiwi":
    """The analyser of this process, loaded on first use (about 2 s and 300 MB)."""
    from kiwipiepy import Kiwi

    return Kiwi(num_workers=1, load_multi_dict=False)


def tokens(text: str) -> list[str]:
    """Content tokens of `text` for search: nouns, roots, stems, foreign words and numbers, in order."""
    return [token.form for token in _kiwi().tokenize(plain(text)) if token.tag.startswith(_CONTENT_TAGS)]
