"""What one crawl is asked to do, and the files in which its process leaves what it found."""

from datetime import date, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, Field

from crawlers.settings import CrawlSettings


class Job(BaseModel):
    """A crawl of one source: the KST days whose schedules are asked for, the instant it counts as, and its folder."""

    source: str
    day: date
    days: int = Field(ge=1)
    now: AwareDatetime
    settings: CrawlSettings
    folder: Path

    @property
    def asked_days(self) -> list[date]:
        """The days ``day`` … ``day + days - 1``."""
        return [self.day + timedelta(days=ahead) for ahead in range(self.days)]

    def items_file(self, dataset: str) -> Path:
        """The items of a dataset, one JSON object a line."""
        return self.folder / f"{dataset}.jsonl"

    @property
    def recalled_file(self) -> Path:
        """What earlier crawls remember of product pages, a line of JSON each; there is none at the first crawl."""
        return self.folder / "recalled.jsonl"

    @property
    def remembered_file(self) -> Path:
        """The same as this crawl leaves it."""
        return self.folder / "remembered.jsonl"

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
