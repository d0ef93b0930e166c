"""No spider may be less polite than the settings."""

import time
from datetime import UTC, datetime

import pytest
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from crawlers.registry import sources
from crawlers.scrapy_process.politeness import retry_after, scrapy_settings
from crawlers.settings import CrawlSettings
from ukok import __version__

NOW = datetime(2025, 8, 6, 3, tzinfo=UTC)
POLITENESS = (
    "DOWNLOAD_DELAY",
    "DOWNLOAD_DELAY_JITTER",
    "DOWNLOAD_SLOTS",
    "CONCURRENT_REQUESTS",
    "CONCURRENT_REQUESTS_PER_DOMAIN",
    "AUTOTHROTTLE_ENABLED",
    "AUTOTHROTTLE_TARGET_CONCURRENCY",
    "ROBOTSTXT_OBEY",
    "ROBOTSTXT_USER_AGENT",
    "DOWNLOADER_MIDDLEWARES",
    "HTTPCACHE_ENABLED",
    "RETRY_TIMES",
    "USER_AGENT",
)


@pytest.mark.parametrize("source", sources())
def test_a_spider_leaves_politeness_to_the_settings(source: str) -> None:
    general = Settings(scrapy_settings(CrawlSettings(contact="someone@example.org"), source))
    spider = SpiderLoader.from_settings(general).load(source)
    own = general.copy()
    spider.update_settings(own)
    assert {name: own[name] for name in POLITENESS} == {name: general[name] for name in POLITENESS}
    for attribute in ("download_delay", "max_concurrent_requests", "user_agent"):
        assert not hasattr(spider, attribute)


def test_defaults_pause_a_second_and_identify_the_crawler() -> None:
    settings = scrapy_settings(CrawlSettings(contact="someone@example.org"), "kok")
    assert settings["DOWNLOAD_DELAY"] * (1 - settings["DOWNLOAD_DELAY_JITTER"]) >= 1.0
    assert settings["AUTOTHROTTLE_ENABLED"]
    assert settings["AUTOTHROTTLE_START_DELAY"] >= settings["DOWNLOAD_DELAY"]
    assert settings["ROBOTSTXT_OBEY"]
    assert not settings["HTTPCACHE_ENABLED"]
    assert settings["USER_AGENT"] == f"ukok/{__version__} (+someone@example.org)"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Wed, 06 Aug 2025 03:00:30 GMT", 30.0),
        ("Wed, 06 Aug 2025 02:00:00 GMT", 0.0),
        ("soon", None),
        ("\N{SUPERSCRIPT TWO}", None),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after(header, lambda: NOW) == seconds


def test_a_retry_after_without_a_zone_is_not_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()
    try:
        assert retry_after("Wed, 06 Aug 2025 03:00:30 -0000", lambda: NOW) == 30
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_base_url_loses_its_last_slash_and_must_be_http() -> None:
    assert CrawlSettings(kok_url="http://127.0.0.1:1/kok/").kok_url == "http://127.0.0.1:1/kok"
    with pytest.raises(ValueError, match="is not an http"):
        CrawlSettings(kok_url="kok.uplus.co.kr")
