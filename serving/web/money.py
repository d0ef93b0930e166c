"""Prices as the frontend needs them: numbers, 0 when unknown."""

from typing import NamedTuple


class ShownPrice(NamedTuple):
    """Struck out price, price to pay and the discount in percent; ``kind`` says why a price is 0."""

    sale: int
    dc: int
    rate: int
    kind: str


def shown_price(list_price: int | None, price: int | None, kind: str, rate: int | None) -> ShownPrice:
    """Return what to show for prices in won, either of which may be unknown.

    ``rate``: the discount that the source gives with the price; without one it is computed.
    """
    sale = list_price if list_price is not None else price or 0
    if rate is None:
        rate = round((sale - price) * 100 / sale) if price is not None and sale > price else 0
    return ShownPrice(sale, price or 0, rate, kind)
