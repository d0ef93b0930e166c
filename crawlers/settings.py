"""Where the sources are and how politely they are read."""

import json
from datetime import timedelta
from shutil import which
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _base_url(url: str) -> str:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{url!r} is not an http(s) base URL")
    return url.rstrip("/")


def _names(value: object) -> object:
    """The names in a text of an environment variable: a JSON list, or names with commas between them."""
    if not isinstance(value, str):
        return value
    if value.strip().startswith("["):
        return json.loads(value)
    return [name.strip() for name in value.split(",") if name.strip()]


BaseUrl = Annotated[str, AfterValidator(_base_url)]
Names = Annotated[frozenset[str], NoDecode, BeforeValidator(_names)]


class SpiderSettings(BaseSettings):
    """Packages that hold a spider module for each source."""

    model_config = SettingsConfigDict(env_prefix="UKOK_", env_file=".env", extra="ignore")

    spider_modules: tuple[str, ...] = ("crawlers.spiders",)


class CrawlSettings(SpiderSettings):
    """Base URL of each host and the manners of the crawler.

    The path behind each base URL is exactly the one of the real site, so a base may carry a prefix of its own.
    ``contact`` (a mail address or a page) goes into the user agent; a crawl of the real, encrypted hosts needs it.
    A further source is a module in one of ``spider_modules``; its base URLs are in ``more_urls``, by host name or any
    other name that its spider asks for.
    """

    kok_url: BaseUrl = "https://kok.uplus.co.kr"
    hnsmall_url: BaseUrl = "https://www.hnsmall.com"
    hmall_api_url: BaseUrl = "https://wwwca.hmall.com"
    hmall_url: BaseUrl = "https://www.hmall.com"
    nsmall_api_url: BaseUrl = "https://mapi.nsmall.com"
    nsmall_url: BaseUrl = "https://m.nsmall.com"
    more_urls: dict[str, BaseUrl] = {}

    crawl_delay_seconds: float = Field(default=1.0, ge=0, description="Pause between two requests to one host")
    crawl_concurrency: int = Field(default=8, ge=1, description="Requests under way to one host at a time")
    crawl_retries: int = Field(default=3, ge=0, description="Further tries after a reset, a timeout or a 5xx answer")
    crawl_max_wait_seconds: float = Field(
        default=300.0, ge=0, description="Longest wait that a host may ask for, by Retry-After or Crawl-delay"
    )
    crawl_daily_requests: int = Field(default=20_000, ge=1, description="Requests to one source in a Korean day")
    crawl_page_age_days: float = Field(
        default=7.0,
        ge=0,
        description="A product page is read again after so long; up to four times as long if it rests",
    )
    crawl_browser: Names = Field(default=frozenset(), description="Sources whose pages a browser renders")
    chromium: str | None = Field(default=None, description="The browser's program; by default the one that is found")
    crawl_images: bool = Field(default=False, description="Keep a copy of product images in the artifact store")
    crawl_images_megabytes: int = Field(default=500, ge=20, description="Most image bytes that one crawl keeps")
    image_url: BaseUrl | None = Field(default=None, description="A host that stands in for all image hosts")
    contact: str = ""

    @property
    def user_agent(self) -> str:
        """Who is asking, honestly: the crawler's own name and where to reach its keeper."""
        return f"ukok/0.1 (+{self.contact})" if self.contact else "ukok/0.1"

    @property
    def chromium_path(self) -> str | None:
        """The program of the browser that renders pages; None where there is none."""
        programs = (self.chromium,) if self.chromium else ("chromium", "chromium-browser", "google-chrome")
        return next(filter(None, map(which, programs)), None)

    @property
    def page_age(self) -> timedelta:
        """How long a reading of a product page is good for."""
        return timedelta(days=self.crawl_page_age_days)

    def bases(self, source: str) -> list[str]:
        """The base URLs that belong to a source, by their names: its own, or those that begin with it."""
        known = {
            name.removesuffix("_url"): getattr(self, name) for name in type(self).model_fields if name != "image_url"
        }
        urls = {name: url for name, url in known.items() if isinstance(url, str)} | self.more_urls
        return [url for name, url in urls.items() if name.split("_")[0] == source]
