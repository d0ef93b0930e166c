from crawlers.spiders.kok import KokSpider


class BySettings(KokSpider):
    name = "settings"
    custom_settings = {"DOWNLOAD_DELAY": 0, "AUTOTHROTTLE_ENABLED": False}  # noqa: RUF012 (Scrapy's form)
