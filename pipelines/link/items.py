"""Which listings are the same goods: compared in pairs that share a rare piece of text and an amount, then grouped.

A listing joins the item whose first listing it matches best, else it begins an item. Every member thus matches the
listing that names the item; likeness is never passed on from one member to the next.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Final, Literal

from rapidfuzz import fuzz

from recommender.text.listing_titles import Title, read_title

Method = Literal["first", "title", "remark"]

# Prices of one product differ between shops and days, but by no more than this factor; less where the titles differ.
PRICE_FACTOR: Final = 2.0
REMARK_PRICE_FACTOR: Final = 1.4
_RARE_PIECES: Final = 6


@dataclass(frozen=True, slots=True)
class Listing:
    """A product as one source lists it; ``price`` in won, None when unknown."""

    source: str
    product_id: int
    title: Title
    price: int | None

    @property
    def item_id(self) -> str:
        """Name of the item that this listing begins."""
        return f"{self.source}:{self.product_id}"


@dataclass(frozen=True, slots=True)
class Link:
    """A listing belongs to an item: how alike its title is to the one of the item's first listing (0 to 1), and why.

    ``method``: ``first`` names the item, ``title`` has the same words, brand and amount, ``remark`` the same but for
    what one of the two remarks in brackets before the name.
    """

    listing: Listing
    item_id: str
    score: float
    method: Method


def listing(source: str, product_id: int, name: str, store: str | None, price: int | None) -> Listing:
    """A listing with its title taken apart."""
    return Listing(source, product_id, read_title(name, store), price)


def link(listings: Sequence[Listing]) -> list[Link]:
    """The item of every listing, in their order; the earlier ones name the items."""
    keys = _blocks(listings)
    firsts: dict[str, list[int]] = defaultdict(list)
    links = []
    for position, each in enumerate(listings):
        candidates = sorted({first for key in keys[position] for first in firsts[key]})
        found = (_joined(each, listings[first]) for first in candidates)
        best = max((joined for joined in found if joined), key=lambda joined: joined.score, default=None)
        if best is None:
            for key in keys[position]:
                firsts[key].append(position)
            best = Link(each, each.item_id, 1.0, "first")
        links.append(best)
    return links


def same_goods(one: Listing, other: Listing) -> Method | None:
    """Whether a customer would take the two for one product, and by what; None where it is not certain."""
    a, b = one.title, other.title
    if a.is_choice != b.is_choice or not _same_amount(a, b):
        return None
    if not (_covers(b, a.words) and _covers(a, b.words)):
        return None
    if _covers(b, a.brand) and _covers(a, b.brand):
        return "title" if _near(one.price, other.price, PRICE_FACTOR) else None
    # What stands in brackets and is not in the other title is a brand, unless both name one.
    both_name_it = any(_says(b, word) for word in a.brand) or any(_says(a, word) for word in b.brand)
    one_says_more = _covers(b, a.brand) or _covers(a, b.brand)
    near = _near(one.price, other.price, REMARK_PRICE_FACTOR)
    return "remark" if both_name_it and one_says_more and near else None


def _joined(each: Listing, first: Listing) -> Link | None:
    method = same_goods(each, first)
    score = fuzz.token_sort_ratio(each.title.text, first.title.text) / 100
    return Link(each, first.item_id, round(score, 4), method) if method else None


def _same_amount(a: Title, b: Title) -> bool:
    if a.is_choice or not (a.amounts.totals or b.amounts.totals):
        return a.amounts.written == b.amounts.written
    return a.amounts.agree(b.amounts)


def _covers(title: Title, words: Iterable[str]) -> bool:
    """Whether a title says each of the words, however it sets its blanks."""
    return all(_says(title, word) for word in words)


def _says(title: Title, word: str) -> bool:
    if word in title.words or word in title.brand:
        return True
    if len(word) == 1 and not word.isascii():
        return False  # "배" is in every "배송"
    text = title.text
    at = text.find(word)
    while at >= 0:
        if _ends(text[at - 1 : at], word[0]) and _ends(text[at + len(word) : at + len(word) + 1], word[-1]):
            return True
        at = text.find(word, at + 1)
    return False


def _ends(outside: str, inside: str) -> bool:
    """Whether a word can end between two letters: a number or a Latin word is not cut."""
    if not outside or not outside.isascii():
        return True
    return not (outside.isdigit() and inside.isdigit()) and not (
        outside.isalpha() and inside.isascii() and inside.isalpha()
    )


def _near(one: int | None, other: int | None, factor: float) -> bool:
    return one is None or other is None or max(one, other) <= factor * min(one, other)


def _blocks(listings: Sequence[Listing]) -> list[list[str]]:
    """Of each listing its rarest pieces that another one has as well, with each of its amounts."""
    pieces = [list(_pieces(each.title)) for each in listings]
    common = Counter(piece for groups in pieces for group in groups for piece in group)
    return [[piece for group in groups for piece in _rarest(group, common)] for groups in pieces]


def _rarest(group: Iterable[str], common: Counter[str]) -> list[str]:
    shared = (piece for piece in group if common[piece] > 1)
    return nsmallest(_RARE_PIECES, shared, key=lambda piece: (common[piece], piece))


def _pieces(title: Title) -> Iterator[list[str]]:
    """Three letters in a row, with one amount: of each amount a list of its own."""
    text = title.text.replace(" ", "")
    grams = sorted({text[at : at + 3] for at in range(max(len(text) - 2, 1))})
    amounts = [f"{number:g}{unit}" for unit, number in title.amounts.totals.items()]
    if title.is_choice or title.amounts.contradictory or not amounts:
        amounts = [" ".join(title.amounts.written)]
    for amount in amounts:
        yield [f"{gram} {amount}" for gram in grams]
