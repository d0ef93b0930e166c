from collections.abc import Iterator

from scrapy import Request

from crawlers.spiders.kok import KokSpider


class BySlots(KokSpider):
    name = "slots"

    def listings(self) -> Iterator[Request]:
        for request in super().listings():
            yield request.replace(meta=request.meta | {"download_slot": request.url})
