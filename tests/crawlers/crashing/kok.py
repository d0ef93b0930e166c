"""The mall's spider with two bugs: one category, and the URL of one product."""

from collections.abc import Iterator, Sequence

from scrapy import Request
from scrapy.http import Response

from crawlers.items import KokPrice
from crawlers.quality.coverage import Scope
from crawlers.spiders import kok

CATEGORY = "1613"
PRODUCT = 1_000_005


class KokSpider(kok.KokSpider):
    """Raises an exception for a category and for a product."""

    def parse_list(
        self, response: Response, scopes: Sequence[Scope], category: str, page: int, after_gap: bool
    ) -> Iterator[list[KokPrice] | Request]:
        if category == CATEGORY:
            raise KeyError("price")
        yield from super().parse_list(response, scopes, category, page, after_gap)

    def product_url(self, product_id: int) -> str:
        if product_id == PRODUCT:
            raise ZeroDivisionError("no address")
        return super().product_url(product_id)
