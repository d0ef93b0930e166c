"""Settings of the crawler: base URLs of the sources, politeness, browser, images."""

from datetime import timedelta
from ipaddress import ip_address
from shutil import which
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from ukok import __version__
from ukok.settings import Settings, parse_list


def _base_url(url: str) -> str:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{url!r} is not an http(s) base URL")
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


BaseUrl = Annotated[str, AfterValidator(_base_url)]
Names = Annotated[frozenset[str], NoDecode, BeforeValidator(parse_list)]


class SpiderSettings(Settings):
    """Settings of the registry: packages that hold a spider module for each source."""

    spider_modules: tuple[str, ...] = ("crawlers.spiders",)


class CrawlSettings(SpiderSettings):
    """Base URL of each host, and how the crawler behaves.

    The path after a base URL is that of the real site, so a base URL may have a path prefix. ``contact`` (a mail
    address or a web page) is part of the user agent; a crawl of the real hosts (https) requires it. A further source is
    a module in one of ``spider_modules``; its base URLs are in ``more_urls``, under the source's name or a name that
    starts with it and ``_``.
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
    crawl_retries: int = Field(default=3, ge=0, description="Retries after a lost connection, a timeout or a 5xx")
    crawl_max_wait_seconds: float = Field(
        default=300.0, ge=0, description="Longest wait accepted from a host's Retry-After or Crawl-delay"
    )
    crawl_outage_seconds: float = Field(
        default=300.0, ge=0, description="How long a crawl waits for a host that no longer answers"
    )
    crawl_daily_requests: int = Field(default=20_000, ge=1, description="Most requests to one source in a Korean day")
    crawl_page_age_days: float = Field(
        default=7.0,
        ge=0,
        le=3_650,
        description="Interval between two fetches of a product page; up to four times as long while it stays unchanged",
    )
    crawl_browser: Names = Field(default=frozenset(), description="Sources whose pages a browser renders")
    chromium: str | None = Field(default=None, description="Path of the Chromium program; by default searched on PATH")
    crawl_images: bool = Field(default=False, description="Store copies of product images")
    crawl_images_megabytes: int = Field(default=500, ge=20, description="Most image bytes of one crawl")
    image_url: BaseUrl | None = Field(default=None, description="Base URL that replaces all image hosts, for tests")
    contact: str = ""

    @property
    def user_agent(self) -> str:
        """Name of the crawler and contact of who runs it."""
        name = f"ukok/{__version__}"
        return f"{name} (+{self.contact})" if self.contact else name

    @property
    def chromium_path(self) -> str | None:
        """Path of the Chromium program; None if there is none."""
        programs = (self.chromium,) if self.chromium else ("chromium", "chromium-browser", "google-chrome")
        return next(filter(None, map(which, programs)), None)

    @property
    def page_age(self) -> timedelta:
        """Interval between two fetches of a product page."""
        return timedelta(days=self.crawl_page_age_days)

    def is_standin(self, source: str) -> bool:
        """Return whether a source is served from this machine: a stand-in, whose clock may show any day."""
        return all(_is_loopback(urlsplit(base).hostname or "") for base in self.bases(source))

    def bases(self, source: str) -> list[str]:
        """Return the base URLs of a source: those named after it, or after it and ``_``."""
        known = {
            name.removesuffix("_url"): getattr(self, name) for name in type(self).model_fields if name != "image_url"
        }
        urls = {name: url for name, url in known.items() if isinstance(url, str)} | self.more_urls
        return [url for name, url in urls.items() if name.split("_")[0] == source]
