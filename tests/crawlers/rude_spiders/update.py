from scrapy.settings import BaseSettings

from crawlers.spiders.kok import KokSpider


class ByUpdate(KokSpider):
    name = "update"

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        super().update_settings(settings)
        settings.set("AUTOTHROTTLE_ENABLED", False, priority="spider")
        settings.set("DOWNLOAD_SLOTS", {"127.0.0.1": {"delay": 0, "concurrency": 8}}, priority="spider")
