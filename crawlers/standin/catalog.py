"""Catalog of the products and shows that the stand-in serves, read from a folder.

``kok_products.jsonl`` and ``broadcasts.jsonl`` hold one row a line. Values that a KOK row lacks, such as the price of
the day, are derived from the product id by ``digest(id, key)``, the first eight bytes of BLAKE2b over ``"<id>:<key>"``
as a big-endian number, so that every run serves the same:

==================  ==================================================================================================
``category``        ``CATEGORIES[digest % 13]``
``discount_rate``   5 + digest % 46 percent where there is a list price, else 0
``price``           the list price less the rate, rounded to 10 won; without a list price 5,000 + 100 * (digest % 451)
``review_score``    1.0 + 0.1 * (digest % 41) for every tenth product (digest % 10 = 0), else none
``review_count``    1 + digest % 300 for the same products
``thumbnail_url``   protocol-relative, from the id
==================  ==================================================================================================

A broadcast row's ``broadcast_date`` is the day of the page that lists it; for the two hmall channels it is the
broadcast day, which turns at 05:20.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b
from itertools import count, islice
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from crawlers.items import CATEGORIES
from crawlers.parsing import parse_clock, parse_day

DEMO = Path(__file__).parent / "demo"


class KokRow(BaseModel):
    """A product of the mobile mall with its current price, in won."""

    model_config = ConfigDict(frozen=True)

    product_id: int
    store_name: str
    product_name: str
    category: str
    price: int
    list_price: int | None
    discount_rate: int
    thumbnail_url: str
    review_score: float | None
    review_count: int | None

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, row: dict[str, Any]) -> dict[str, Any]:
        number: int = row["product_id"]
        list_price: int | None = row.get("list_price")
        rate: int = row.get("discount_rate", 5 + digest(number, "discount_rate") % 46 if list_price else 0)
        if list_price:
            price = max(10, round(list_price * (100 - rate) / 1000) * 10)
        else:
            price = 5_000 + 100 * (digest(number, "price") % 451)
        reviewed = digest(number, "reviewed") % 10 == 0
        derived = {
            "list_price": None,
            "category": CATEGORIES[digest(number, "category") % len(CATEGORIES)],
            "discount_rate": rate,
            "price": price,
            "review_score": 1 + digest(number, "review_score") % 41 / 10 if reviewed else None,
            "review_count": 1 + digest(number, "review_count") % 300 if reviewed else None,
            "thumbnail_url": f"//d-img.picnique.co.kr/product/normal/admin/{number}.jpg",
        }
        return derived | row


class ShowRow(BaseModel):
    """A product in a show, with the source's own field names; ``start`` and ``end`` are ``HH:MM``, hours up to 47."""

    model_config = ConfigDict(frozen=True)

    channel_id: int
    broadcast_date: Annotated[date, BeforeValidator(parse_day)]
    start: str
    end: str
    slot: Literal["main", "sub"]
    title: str | None
    product_id: int
    product_name: str
    price_text: str | None
    sale_price: int | None
    dc_price: int | None
    dc_rate_text: str | None
    thumbnail_url: str | None

    @model_validator(mode="after")
    def _times_are_times(self) -> Self:
        parse_clock(self.start)
        parse_clock(self.end)
        return self


@dataclass(frozen=True, slots=True)
class Catalog:
    """Products and shows to serve."""

    kok: tuple[KokRow, ...]
    shows: tuple[ShowRow, ...]

    def shifted(self, to: date) -> "Catalog":
        """Return the catalog with all dates shifted, so that the first broadcast date becomes ``to``."""
        if not self.shows:
            return self
        by = to - min(show.broadcast_date for show in self.shows)
        moved = (show.model_copy(update={"broadcast_date": show.broadcast_date + by}) for show in self.shows)
        return replace(self, shows=tuple(moved))

    def multiplied(self, products: int) -> "Catalog":
        """Return the catalog with exactly ``products`` products of the mall: its own, repeated with further ids."""
        if not self.kok:
            raise ValueError("the catalog has no product of the mall to repeat")
        step = 10 ** len(str(max(product.product_id for product in self.kok)))
        repeated = (
            product.model_copy(update={"product_id": product.product_id + turn * step}) if turn else product
            for turn in count()
            for product in self.kok
        )
        return replace(self, kok=tuple(islice(repeated, products)))


def load_catalog(folder: Path = DEMO, shift_to: date | None = None) -> Catalog:
    """Read a catalog folder. Raise ``ValueError`` with the place of a missing file or an invalid row."""
    catalog = Catalog(
        kok=tuple(_rows(folder / "kok_products.jsonl", KokRow)),
        shows=tuple(_rows(folder / "broadcasts.jsonl", ShowRow)),
    )
    return catalog if shift_to is None else catalog.shifted(shift_to)


def digest(of: int | str, key: str) -> int:
    """Return a number below 2**64 that depends on a product id (or a name) and a key alone."""
    return int.from_bytes(blake2b(f"{of}:{key}".encode(), digest_size=8).digest(), "big")


Row = TypeVar("Row", bound=BaseModel)


def _rows(path: Path, row: type[Row]) -> Iterator[Row]:
    if not path.is_file():
        raise ValueError(f"the catalog lacks {path}")
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield row.model_validate(json.loads(line))
            except (ValueError, KeyError) as error:
                raise ValueError(f"{path}, line {number}: {error}") from error
