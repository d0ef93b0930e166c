"""Where the sources are and how politely they are read."""

from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class CrawlSettings(BaseSettings):
    """Base URL of each host and the manners of the crawler.

    The path behind each base URL is exactly the one of the real site, so a base may carry a prefix of its own.
    ``contact`` (a mail address or a page) goes into the user agent; a crawl of the real, encrypted hosts needs it.
    """

    model_config = SettingsConfigDict(env_prefix="UKOK_", env_file=".env", extra="ignore")

    kok_url: str = "https://kok.uplus.co.kr"
    hnsmall_url: str = "https://www.hnsmall.com"
    hmall_api_url: str = "https://wwwca.hmall.com"
    hmall_url: str = "https://www.hmall.com"
    nsmall_api_url: str = "https://mapi.nsmall.com"
    nsmall_url: str = "https://m.nsmall.com"

    crawl_delay_seconds: float = Field(default=1.0, ge=0, description="Pause between two requests to one host")
    crawl_concurrency: int = Field(default=8, ge=1, description="Requests under way to one host at a time")
    crawl_retries: int = Field(default=3, ge=0, description="Further tries after a reset, a timeout or a 5xx answer")
    crawl_max_wait_seconds: float = Field(default=300.0, ge=0, description="Longest Retry-After that is waited out")
    contact: str = ""

    @field_validator("kok_url", "hnsmall_url", "hmall_api_url", "hmall_url", "nsmall_api_url", "nsmall_url")
    @classmethod
    def _base_url(cls, url: str) -> str:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"{url!r} is not an http(s) base URL")
        return url.rstrip("/")

    @property
    def user_agent(self) -> str:
        """Who is asking, honestly: the crawler's own name and where to reach its keeper."""
        return f"ukok/0.1 (+{self.contact})" if self.contact else "ukok/0.1"
