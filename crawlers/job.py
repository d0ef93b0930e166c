"""What one crawl is asked to do, and the files in which its process leaves what it found."""

from datetime import date, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, Field

from crawlers.settings import CrawlSettings


class Progress(BaseModel):
    """How far a crawl is: requests made of those known to be needed, items found, and seconds since it began."""

    requests: int
    known: int
    items: int
    seconds: float


class Job(BaseModel):
    """A crawl of one source: the KST days whose schedules are asked for, the instant it counts as, and its folder."""

    source: str
    day: date
    days: int = Field(ge=1)
    now: AwareDatetime
    settings: CrawlSettings
    folder: Path
    requests_left: int = Field(ge=0, description="Requests that the source may still get on this day")
    page: str | None = Field(default=None, description="The one page that is read instead, and recorded")
    recorded: Path | None = Field(default=None, description="The folder for that; there is none if no page came")

    @property
    def asked_days(self) -> list[date]:
        """The days ``day`` … ``day + days - 1``."""
        return [self.day + timedelta(days=ahead) for ahead in range(self.days)]

    @property
    def no_requests_left(self) -> str:
        """Why a request is refused when none is left."""
        most = self.settings.crawl_daily_requests
        return (
            f"the {most:,} requests that {self.source} may get on {self.day} are used up: go on tomorrow, or set "
            "UKOK_CRAWL_DAILY_REQUESTS higher"
        )

    def items_file(self, dataset: str) -> Path:
        """The items of a dataset, one JSON object a line."""
        return self.folder / f"{dataset}.jsonl"

    @property
    def recalled_file(self) -> Path:
        """What earlier crawls remember of product pages, a line of JSON each."""
        return self.folder / "recalled.jsonl"

    @property
    def remembered_file(self) -> Path:
        """The same as this crawl leaves it."""
        return self.folder / "remembered.jsonl"

    @property
    def left_file(self) -> Path:
        """Readings of product pages that killed crawls left, the newest first; see `state.checkpoints`."""
        return self.folder / "left.jsonl"

    @property
    def parts_folder(self) -> Path:
        """Readings of product pages, finished parts of them while the crawl runs."""
        return self.folder / "parts"

    @property
    def progress_file(self) -> Path:
        """How far the crawl is, as :class:`Progress`; replaced every second."""
        return self.folder / "progress.json"

    @property
    def pages_folder(self) -> Path:
        """Bodies of pages with faults, gzipped."""
        return self.folder / "pages"

    @property
    def summary_file(self) -> Path:
        """Scopes, faults and requests of each dataset; written when the crawl is over."""
        return self.folder / "summary.json"

    @property
    def error_file(self) -> Path:
        """Why the crawl could not run, in one line."""
        return self.folder / "error.txt"
