"""The key of a product."""

from typing import NamedTuple


class ProductRef(NamedTuple):
    """A product of a source, ``kok`` or a broadcaster, by the id that the source gives it."""

    source: str
    product_id: int
