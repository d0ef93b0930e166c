"""Helpers to read product pages: text, tables of product facts, images, prices."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from lxml import etree
from parsel import Selector, SelectorList
from scrapy.http import Response, TextResponse

from crawlers.items import Detail
from crawlers.parsing import Price, image_url, parse_given_rate, text_or_none
from crawlers.quality.contracts import BadRow, BrokenPage, reading
from crawlers.quality.coverage import Coverage

MAX_TEXT = 20_000
MAX_LABEL = 100
IMAGE_ATTRIBUTES = ("data-src", "data-original", "data-lazy", "data-echo", "data-image", "data-img", "src")

WITH_PRICE = ("price", "price_kind", "discount_rate")
"""Fields that are unread where the price is: a discount rate says nothing of another price."""

_INLINE = frozenset(
    ("a", "abbr", "b", "code", "del", "em", "font", "i", "ins", "mark", "small", "span", "strong", "sub", "sup", "u")
)
_SILENT = frozenset(("script", "style", "noscript", "template"))
_SPACE = re.compile(r"\s+")
_CSS_URL = re.compile(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^)"']*))\s*\)""")
_SRCSET_URL = re.compile(r"(\S*[^\s,])(?:\s+[\d.]+[wx])?\s*(?:,|$)")
_REFORMATTED = re.compile(r"format/(?:avif|webp)")

Value = TypeVar("Value")


def parse_or_fault(
    coverage: Coverage,
    field: str,
    response: Response,
    parse: Callable[[], Value],
    unread: Iterable[str] | None = None,
) -> Value | None:
    """Return the result of ``parse``. If it fails, count a fault of the field, and return None.

    ``unread``: the fields of the item that count as unread then; by default ``field``, or what it is a part of.
    """
    try:
        with reading(field):
            return parse()
    except BadRow as error:
        coverage.fault(error.field, response, str(error))
        for name in [field.partition(".")[0]] if unread is None else unread:
            coverage.mark_unread(name, response)
        return None


def first_text(nodes: Selector | SelectorList[Selector]) -> str | None:
    """Return the text of the first element, without the line breaks of its page; None if there is none."""
    first = nodes[:1] if isinstance(nodes, SelectorList) else nodes
    return text_or_none("".join(first.xpath(".//text()").getall()))


def plain_text(nodes: SelectorList[Selector]) -> str | None:
    """Return the running text of elements, white space collapsed, at most ``MAX_TEXT`` characters."""
    text = "".join(part for node in nodes for part in _texts(node.root))
    return _SPACE.sub(" ", text).strip()[:MAX_TEXT].strip() or None


def stated_parameter(page: TextResponse, name: str) -> str | None:
    """Return a parameter of the URL that a page states as its own, in ``og:url`` or as canonical; None without one."""
    for url in page.css("meta[property='og:url']::attr(content), link[rel='canonical']::attr(href)").getall():
        try:
            values = parse_qs(urlsplit(url.strip()).query).get(name)
        except ValueError:  # such as an unpaired bracket
            continue
        if values:
            return values[0].strip()
    return None


def require_product(product_id: int, stated: str | int | None) -> None:
    """Raise ``BrokenPage`` if a page states that it is of another product; leading zeros make no other one."""
    if stated is not None and str(stated).strip().lstrip("0") != str(product_id):
        raise BrokenPage("source_product_id", f"the page is of product {stated}, asked for {product_id}")


def detail_rows(tables: Iterable[Selector]) -> tuple[Detail, ...]:
    """Return the rows of tables: a ``th`` and its ``td``, or the first two ``td`` of a row without a ``th``."""
    return tuple(detail for table in tables for row in _rows(table) for detail in _details(row))


def fact_rows(description: SelectorList[Selector]) -> tuple[Detail, ...]:
    """Return the facts in the tables of a description: rows of a label and its value, unlike those that lay out images.

    A ``th`` labels the ``td`` beside it; without one, a row of exactly two ``td`` is a fact if the first is short.
    """
    return tuple(
        detail
        for table in description.xpath(".//table")
        for row in _rows(table)
        if not row.xpath("./*[.//table or .//img]") and (row.xpath("./th") or len(row.xpath("./td")) == 2)
        for detail in _details(row)
        if detail.value and len(detail.name) <= MAX_LABEL
    )


def image_urls(urls: Iterable[str], page: Response) -> tuple[str, ...]:
    """Make the image URLs of a page absolute; each once and in order."""
    return tuple(dict.fromkeys(filter(None, (image_url(url, page.url) for url in urls))))


def described_images(description: SelectorList[Selector]) -> Iterator[str]:
    """Yield the images of a description in order: those of ``img`` elements, lazily loaded ones included, and of CSS.

    ``format/avif`` and ``format/webp`` mark copies of images that the description holds as well.
    """
    for node in description.xpath(".//img | .//*[@style] | .//style"):
        if node.root.tag == "img":
            found = _image_url(node)
        else:
            found = _backgrounds(node.attrib.get("style") or node.xpath("string()").get(""))
        yield from (url for url in found if not _REFORMATTED.search(url))


def report_remarks(coverage: Coverage, response: Response, **prices: Price) -> None:
    """Count a fault for each price, given by its field, that could not be read as written.

    One of which nothing could be read is marked as unread, with the fields that belong to it.
    """
    for field, price in prices.items():
        if price.remark is None:
            continue
        coverage.fault(field, response, price.remark)
        if price.amount is None:
            for name in WITH_PRICE if field == "price" else (field,):
                coverage.mark_unread(name, response)


def prices(
    list_price: Price, price: Price, rate: str | float | None, coverage: Coverage, response: Response
) -> dict[str, Any]:
    """Return the price fields of an item; ``rate`` is the discount that the page gives.

    A list price that is not above the price counts as none.
    """
    report_remarks(coverage, response, price=price, list_price=list_price)
    struck_out = list_price.amount
    if struck_out is not None and price.amount is not None and struck_out <= price.amount:
        if struck_out < price.amount:
            coverage.fault("list_price", response, f"the list price {struck_out} is below the price {price.amount}")
        struck_out = None
    return {
        "price": price.amount,
        "price_kind": price.kind,
        "list_price": struck_out,
        "discount_rate": parse_or_fault(coverage, "discount_rate", response, partial(parse_given_rate, rate)),
    }


def _texts(root: etree._Element) -> Iterator[str]:
    """Yield the texts under an element, with a space between different blocks."""
    steps = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in steps:
        named = event in ("start", "end")
        block = named and element.tag not in _INLINE
        if event == "start":
            if element.tag in _SILENT:
                steps.skip_subtree()
            else:
                yield f" {element.text or ''}" if block else element.text or ""
            continue
        if block:
            yield " "
        if element is not root:
            yield element.tail or ""


def _rows(table: Selector) -> SelectorList[Selector]:
    """Return the rows of a table, without those of a nested table."""
    return table.xpath("./tr | ./tbody/tr | ./thead/tr | ./tfoot/tr")


def _details(row: Selector) -> Iterator[Detail]:
    heads, cells = row.xpath("./th"), row.xpath("./td")
    pairs = zip(heads, cells, strict=False) if heads else [(cells[0], cells[1])] if len(cells) > 1 else []
    for head, cell in pairs:
        if name := first_text(head):
            yield Detail(name=name, value=first_text(cell) or "")


def _image_url(image: Selector) -> list[str]:
    """Return the URL of an image: the one for a lazy-loading script first, else the browser's."""
    for name in IMAGE_ATTRIBUTES:
        url = image.attrib.get(name, "").strip()
        if url and not url.startswith(("data:", "about:")):
            return [url]
    return _SRCSET_URL.findall(image.attrib.get("srcset", ""))[-1:]


def _backgrounds(css: str) -> list[str]:
    return ["".join(match.groups(default="")).strip() for match in _CSS_URL.finditer(css)]
