"""The key of a product."""

from typing import Final, NamedTuple

# The mall as a source of products; every other source is a broadcaster.
KOK: Final = "kok"
# Digits that 64 bits hold, whatever the number.
LONGEST_ID: Final = 18


class ProductRef(NamedTuple):
    """A product of a source, :data:`KOK` or a broadcaster, by the id that the source gives it."""

    source: str
    product_id: int


def item_name(product: ProductRef) -> str:
    """A product as item2vec names it: ``kok:1471015``."""
    return f"{product.source}:{product.product_id}"


def product_of(name: str) -> ProductRef:
    """The product that :func:`item_name` named, its source in any case; raises ValueError for another text."""
    source, colon, number = (part.strip() for part in name.partition(":"))
    if not (source and colon and number.isascii() and number.isdecimal() and len(number) <= LONGEST_ID):
        raise ValueError(f"{name!r} is no product: expected a source and an id, such as kok:1471015")
    return ProductRef(source.lower(), int(number))
