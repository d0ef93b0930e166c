"""The job of one crawl, and the files that runner and spider process exchange in its folder."""

from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from crawlers.parsing import kst_day
from crawlers.settings import CrawlSettings

ModelT = TypeVar("ModelT", bound=BaseModel)


class DamagedFile(RuntimeError):
    """A file that the spider process left is not of its form; the message names the file and the first problem."""


class Progress(BaseModel):
    """Progress of a crawl: requests made, requests known to be needed, items found, seconds since the start."""

    requests: int
    known: int
    items: int
    seconds: float


class Job(BaseModel):
    """A crawl of one source: the KST days whose schedules are read, the instant at which it reads them, its folder."""

    source: str
    day: date
    days: int = Field(ge=1)
    now: AwareDatetime
    settings: CrawlSettings
    folder: Path
    requests_left: int = Field(ge=0, description="Requests that the source may still get today")
    record_url: str | None = Field(default=None, description="The one page to read and record, instead of a crawl")
    record_folder: Path | None = Field(default=None, description="Where it is recorded; missing if no page came")

    @property
    def today(self) -> date:
        """The KST day of the crawl: its files and its budget belong to it, whichever days it reads."""
        return kst_day(self.now)

    @property
    def requested_days(self) -> list[date]:
        """The days ``day`` … ``day + days - 1``."""
        return [self.day + timedelta(days=ahead) for ahead in range(self.days)]

    @property
    def budget_error(self) -> str:
        """Error message for a request that exceeds the daily budget."""
        limit = self.settings.crawl_daily_requests
        return (
            f"the {limit:,} requests that {self.source} may get on {self.today} are used up: go on tomorrow, or set "
            "UKOK_CRAWL_DAILY_REQUESTS higher"
        )

    def items_file(self, dataset: str) -> Path:
        """Items of a dataset, one JSON object a line."""
        return self.folder / f"{dataset}.jsonl"

    @property
    def previous_pages_file(self) -> Path:
        """Page state that the last crawl left, a row of JSON a line."""
        return self.folder / "previous_pages.jsonl"

    @property
    def pages_file(self) -> Path:
        """Page state that this crawl leaves, in the same form."""
        return self.folder / "pages.jsonl"

    @property
    def taken_over_file(self) -> Path:
        """Product pages that killed crawls had read, the newest first; see `state.checkpoints`."""
        return self.folder / "taken_over.jsonl"

    @property
    def checkpoints_folder(self) -> Path:
        """Checkpoints that the crawl writes while it runs."""
        return self.folder / "checkpoints"

    @property
    def progress_file(self) -> Path:
        """Current :class:`Progress`; replaced every second."""
        return self.folder / "progress.json"

    @property
    def saved_pages_folder(self) -> Path:
        """Bodies of pages with faults, gzipped."""
        return self.folder / "saved_pages"

    @property
    def summary_file(self) -> Path:
        """:class:`~crawlers.run_report.CrawlSummary`; written when the crawl is over."""
        return self.folder / "summary.json"

    @property
    def error_file(self) -> Path:
        """Why the crawl could not run, in one line."""
        return self.folder / "error.txt"


def read_file(path: Path, model: type[ModelT]) -> ModelT:
    """Read a file that the spider process left. Raise :class:`DamagedFile` if it is not of its form."""
    try:
        return model.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        reason = ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))
        raise DamagedFile(f"its file {path.name} is damaged: {reason}") from error
