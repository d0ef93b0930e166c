"""Cards of a category list of U+콕: their texts, read in one pass, because a crawl parses far more cards than pages."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from lxml import etree
from parsel import css2xpath
from parsel.selector import create_root_node

from crawlers.parsing import parse_id
from crawlers.quality.contracts import BadRow, BrokenPage, reading

CARD = "div.card.product-section-ul-li"
ID = "data-product-id"
_find_cards = etree.XPath(css2xpath(CARD), smart_strings=False)
_find_ids = etree.XPath(f"//@{ID}", smart_strings=False)


@dataclass(frozen=True, slots=True)
class Card:
    """A card as it is written: the ids on it and inside it, the price and the discount rate."""

    element: etree._Element
    ids: tuple[str, ...]
    price: str | None
    rate: str | None

    @property
    def is_of_event(self) -> bool:
        """Whether it has ids, but none of a product; a card without any is a fault of its own."""
        return any(self.ids) and not any(map(_is_product, self.ids))

    def product_id(self) -> int:
        """Return the product id: on the card, inside it, or on an element that wraps this card alone."""
        with reading("kok_product_id"):
            own = self.element.get(ID, "")
            if _is_product(own):
                return parse_id(own)
            inside = set(filter(_is_product, self.ids))
            if inside:
                if len(inside) > 1:
                    raise ValueError(f"the card holds {len(inside)} product ids")
                return parse_id(inside.pop())
            wrapper = next((element for element in self.element.iterancestors() if ID in element.attrib), None)
            if wrapper is not None and len(_find_cards(wrapper)) == 1:
                return parse_id(wrapper.attrib[ID])
            raise ValueError("the card has no product id")


def read_cards(html: str) -> list[Card]:
    """Return all cards of a list page, those of events included."""
    # Not Scrapy's selector: it also looks for the base URL, and its elements take twice as long to walk through.
    return [_card(element) for element in _find_cards(create_root_node(html, etree.HTMLParser))]


def cards_of_products(cards: list[Card], html: str, *, first: bool) -> list[Card]:
    """Return the cards of products. Only ids of digits are products; ``evt-7`` and ``recent-7`` are not.

    Raise ``BrokenPage`` if page 1 has no product, or a page has ids of products without cards.
    """
    of_products = [card for card in cards if not card.is_of_event]
    if not of_products:
        products = list(filter(_is_product, _find_ids(create_root_node(html, etree.HTMLParser))))
        if first or products:
            raise BrokenPage("cards", f"no {CARD} on the page, but {len(products)} product ids")
    return of_products


def product_ids(cards: Iterable[Card]) -> list[int]:
    """Return the ids of the products that cards show, in their order; a card without one does not count."""
    found = []
    for card in cards:
        with suppress(BadRow):
            found.append(card.product_id())
    return found


def _card(element: etree._Element) -> Card:
    ids: list[str] = []
    price = rate = None
    for part in element.iter("*"):
        if (number := part.get(ID)) is not None:
            ids.append(number)
        if (names := part.get("class")) is None:
            continue
        classes = names.split()
        if price is None and "card-info_price" in classes:
            price = _first_text(part.iterdescendants("strong"))
        if rate is None and "card-info_rate" in classes:
            rate = _first_text([part])
    return Card(element, tuple(ids), price, rate)


def _first_text(elements: Iterable[etree._Element]) -> str | None:
    """Return the first text directly in one of the elements, as ``::text`` does."""
    texts = (text for element in elements for text in (element.text, *(child.tail for child in element)))
    return next(filter(None, texts), None)


def _is_product(number: str) -> bool:
    return number.isascii() and number.isdigit()
