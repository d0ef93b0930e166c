"""The key of a product."""

from typing import Final, NamedTuple

# The mall as a source of products; every other source is a broadcaster.
KOK: Final = "kok"


class ProductRef(NamedTuple):
    """A product of a source, :data:`KOK` or a broadcaster, by the id that the source gives it."""

    source: str
    product_id: int
