"""Group listings of the same product into items: block by rare trigrams and amounts, compare pairs, assign.

A listing joins the item whose first listing it matches best, else it starts an item. Every member thus matches the
first listing of its item; similarity is not transitive along a chain of members.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Final, Literal

from rapidfuzz import fuzz

from recommender.text.listing_titles import Title, read_title

Method = Literal["first", "title", "remark"]

# Prices of one product differ between shops and days by at most this factor; by less where the titles differ.
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
        """Id of the item that starts with this listing."""
        return f"{self.source}:{self.product_id}"


@dataclass(frozen=True, slots=True)
class Link:
    """Membership of a listing in an item; ``score`` is the similarity to the title of its first listing, 0 to 1.

    ``method``: ``first`` listing of the item; same words, brand and amount (``title``); or the same except for a remark
    in brackets before the name (``remark``).
    """

    listing: Listing
    item_id: str
    score: float
    method: Method


def listing(source: str, product_id: int, name: str, store: str | None, price: int | None) -> Listing:
    """A listing with its title parsed."""
    return Listing(source, product_id, read_title(name, store), price)


def link(listings: Sequence[Listing]) -> list[Link]:
    """Assign every listing to an item, in their order; an item takes the id of its earliest listing."""
    keys = _blocks(listings)
    firsts: dict[str, list[int]] = defaultdict(list)
    links = []
    for position, each in enumerate(listings):
        candidates = sorted({first for key in keys[position] for first in firsts[key]})
        found = (_link_to(each, listings[first]) for first in candidates)
        best = max((link for link in found if link), key=lambda link: link.score, default=None)
        if best is None:
            for key in keys[position]:
                firsts[key].append(position)
            best = Link(each, each.item_id, 1.0, "first")
        links.append(best)
    return links


def same_item(one: Listing, other: Listing) -> Method | None:
    """How two listings are known to be one product; None where it is not certain."""
    a, b = one.title, other.title
    if a.is_choice != b.is_choice or not _same_amount(a, b):
        return None
    if not (_covers(b, a.words) and _covers(a, b.words)):
        return None
    if _covers(b, a.brand) and _covers(a, b.brand):
        return "title" if _near(one.price, other.price, PRICE_FACTOR) else None
    # A word in brackets that the other title lacks is taken for a brand, unless both titles name one.
    both_name_it = any(_contains(b, word) for word in a.brand) or any(_contains(a, word) for word in b.brand)
    one_says_more = _covers(b, a.brand) or _covers(a, b.brand)
    near = _near(one.price, other.price, REMARK_PRICE_FACTOR)
    return "remark" if both_name_it and one_says_more and near else None


def _link_to(each: Listing, first: Listing) -> Link | None:
    method = same_item(each, first)
    score = fuzz.token_sort_ratio(each.title.text, first.title.text) / 100
    return Link(each, first.item_id, round(score, 4), method) if method else None


def _same_amount(a: Title, b: Title) -> bool:
    if a.is_choice or not (a.amounts.totals or b.amounts.totals):
        return a.amounts.written == b.amounts.written
    return a.amounts.agree(b.amounts)


def _covers(title: Title, words: Iterable[str]) -> bool:
    """Whether a title contains each of the words, with or without blanks between them."""
    return all(_contains(title, word) for word in words)


def _contains(title: Title, word: str) -> bool:
    if word in title.words or word in title.brand:
        return True
    if len(word) == 1 and not word.isascii():
        return False  # "배" occurs in "배송", too
    text = title.text
    at = text.find(word)
    while at >= 0:
        if _is_boundary(text[at - 1 : at], word[0]) and _is_boundary(
            text[at + len(word) : at + len(word) + 1], word[-1]
        ):
            return True
        at = text.find(word, at + 1)
    return False


def _is_boundary(outside: str, inside: str) -> bool:
    """Whether a word can end between two characters: numbers and Latin words are not cut."""
    if not outside or not outside.isascii():
        return True
    return not (outside.isdigit() and inside.isdigit()) and not (
        outside.isalpha() and inside.isascii() and inside.isalpha()
    )


def _near(one: int | None, other: int | None, factor: float) -> bool:
    return one is None or other is None or max(one, other) <= factor * min(one, other)


def _blocks(listings: Sequence[Listing]) -> list[list[str]]:
    """Blocking keys of each listing: its rarest trigrams that another listing shares, combined with each amount."""
    pieces = [list(_pieces(each.title)) for each in listings]
    common = Counter(piece for groups in pieces for group in groups for piece in group)
    return [[piece for group in groups for piece in _rarest(group, common)] for groups in pieces]


def _rarest(group: Iterable[str], common: Counter[str]) -> list[str]:
    shared = (piece for piece in group if common[piece] > 1)
    return nsmallest(_RARE_PIECES, shared, key=lambda piece: (common[piece], piece))


def _pieces(title: Title) -> Iterator[list[str]]:
    """Trigrams of a title combined with an amount; one list for each amount."""
    text = title.text.replace(" ", "")
    grams = sorted({text[at : at + 3] for at in range(max(len(text) - 2, 1))})
    amounts = [f"{number:g}{unit}" for unit, number in title.amounts.totals.items()]
    if title.is_choice or title.amounts.contradictory or not amounts:
        amounts = [" ".join(title.amounts.written)]
    for amount in amounts:
        yield [f"{gram} {amount}" for gram in grams]
