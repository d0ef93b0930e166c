"""What somebody took; without the libraries of the rankers, so that the API can import it without a release."""

from typing import NamedTuple

from recommender.product_ref import ProductRef


class Taken(NamedTuple):
    """A product that somebody looked at, chose or bought, and when (Unix time)."""

    product: ProductRef
    at: float
