"""Base URLs of the sources, politeness and limits of crawls."""

import json
from datetime import timedelta
from shutil import which
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from ukok import __version__
from ukok.settings import Settings


def _base_url(url: str) -> str:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{url!r} is not an http(s) base URL")
    return url.rstrip("/")


def _names(value: object) -> object:
    """Parse a JSON list or comma-separated names."""
    if not isinstance(value, str):
        return value
    if value.strip().startswith("["):
        return json.loads(value)
    return [name.strip() for name in value.split(",") if name.strip()]


BaseUrl = Annotated[str, AfterValidator(_base_url)]
Names = Annotated[frozenset[str], NoDecode, BeforeValidator(_names)]


class SpiderSettings(Settings):
    """Packages with a spider module for each source."""

    spider_modules: tuple[str, ...] = ("crawlers.spiders",)


class CrawlSettings(SpiderSettings):
    """Base URL of each host, politeness and limits of the crawler.

    Paths below a base URL are those of the real site; a base URL may have a prefix. ``contact`` (a mail address or a
    page) is part of the user agent and required for crawls of real hosts. A further source is a module in one of
    ``spider_modules``; ``more_urls`` holds its base URLs by the names that its spider uses.
    """

    kok_url: BaseUrl = "https://kok.uplus.co.kr"
    hnsmall_url: BaseUrl = "https://www.hnsmall.com"
    hmall_api_url: BaseUrl = "https://wwwca.hmall.com"
    hmall_url: BaseUrl = "https://www.hmall.com"
    nsmall_api_url: BaseUrl = "https://mapi.nsmall.com"
    nsmall_url: BaseUrl = "https://m.nsmall.com"
    more_urls: dict[str, BaseUrl] = Field(default={})

    crawl_delay_seconds: float = Field(default=1.0, ge=0, description="Pause between two requests to one host")
    crawl_concurrency: int = Field(default=8, ge=1, description="Concurrent requests to one host")
    crawl_retries: int = Field(default=3, ge=0, description="Retries after a reset, a timeout or a 5xx response")
    crawl_max_wait_seconds: float = Field(
        default=300.0, ge=0, description="Longest Retry-After or Crawl-delay that is obeyed"
    )
    crawl_daily_requests: int = Field(default=20_000, ge=1, description="Requests to one source per KST day")
    crawl_page_age_days: float = Field(
        default=7.0,
        ge=0,
        description="Age at which a product page is fetched again; up to four times that for pages that do not change",
    )
    crawl_browser: Names = Field(default=frozenset(), description="Sources whose pages a browser renders")
    chromium: str | None = Field(default=None, description="Browser executable; found automatically by default")
    crawl_images: bool = Field(default=False, description="Keep a copy of product images in the artifact store")
    crawl_images_megabytes: int = Field(default=500, ge=20, description="Image megabytes that one crawl stores at most")
    image_url: BaseUrl | None = Field(default=None, description="Host that replaces all image hosts")
    contact: str = ""

    @property
    def user_agent(self) -> str:
        """Name and version of the crawler, and where to reach its operator."""
        name = f"ukok/{__version__}"
        return f"{name} (+{self.contact})" if self.contact else name

    @property
    def chromium_path(self) -> str | None:
        """Path of the browser executable, None without one."""
        programs = (self.chromium,) if self.chromium else ("chromium", "chromium-browser", "google-chrome")
        return next(filter(None, map(which, programs)), None)

    @property
    def page_age(self) -> timedelta:
        """Age at which a product page is fetched again."""
        return timedelta(days=self.crawl_page_age_days)

    def bases(self, source: str) -> list[str]:
        """Base URLs of a source: those whose names are or begin with its name."""
        known = {
            name.removesuffix("_url"): getattr(self, name) for name in type(self).model_fields if name != "image_url"
        }
        urls = {name: url for name, url in known.items() if isinstance(url, str)} | self.more_urls
        return [url for name, url in urls.items() if name.split("_")[0] == source]
