"""What one crawl is asked to do, and the files in which its process leaves what it found."""

from datetime import date, timedelta
from pathlib import Path
from typing import Literal, get_args

from pydantic import AwareDatetime, BaseModel, Field

from crawlers.settings import CrawlSettings

Source = Literal["kok", "hnsmall", "hmall", "nsmall"]
SOURCES: tuple[Source, ...] = get_args(Source)


class Job(BaseModel):
    """A crawl of one source: the KST days whose schedules are asked for, the instant it counts as, and its folder."""

    source: Source
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
