"""What the spiders of broadcasters share: which pages are asked for, and under which day a show is filed.

A page is asked for by its day, a show is filed under the day in Korea on which it starts. The two differ where a page
names a show past midnight, so the page of the day before the first is read too, and a day counts as complete only when
both its own page and the one before were read. A show whose day was not asked for is dropped and counted.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from scrapy import Request
from scrapy.http import Response

from crawlers.items import Show
from crawlers.job import Job
from crawlers.parsing import KST, MAX_ID, Price, kst_day
from crawlers.quality.contracts import BadRow, Contract, Owed, reading
from crawlers.quality.coverage import Scope
from crawlers.spiders_base.source_spider import SourceSpider

Row = Callable[[], dict[str, Any]]

# What every broadcaster owes; a spider says how much more its own does.
SHOWS = Contract(
    "source_product_id",
    {
        "source_product_id": Owed(fill=1, least=1, most=MAX_ID),
        "product_name": Owed(fill=1),
        "ends_at": Owed(fill=1),
        "length": Owed(least=timedelta(minutes=1), most=timedelta(hours=12)),
        "price": Owed(fill=0.9, least=10, most=100_000_000),
        "list_price": Owed(least=10, most=100_000_000),
        "thumbnail_url": Owed(fill=0.9),
    },
    items=1,
)
PAGES = Contract(
    "source_product_id",
    {
        "source_product_id": Owed(fill=1, least=1, most=MAX_ID),
        "price": Owed(fill=0.9, least=10, most=100_000_000),
        "list_price": Owed(least=10, most=100_000_000),
        "details": Owed(fill=0.9),
        "images": Owed(fill=0.8),
    },
)


class ScheduleSpider(SourceSpider):
    """Asks for the schedule of each channel and day. A subclass names its channels, their pages and how to read one."""

    contracts: ClassVar = {"schedule": SHOWS, "products": PAGES}
    channels: ClassVar[dict[str, int]]

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._scopes = {(channel, day): self._open(channel, day) for channel in self.channels for day in job.asked_days}
        self._seen: set[tuple[str, datetime, bool, int]] = set()

    def page_url(self, channel: str, day: date) -> str:
        """Address of the page that lists a day of a channel."""
        raise NotImplementedError

    def rows(self, response: Response, channel: str, day: date) -> Iterator[Row]:
        """The rows of a page, each a function that parses it or raises ``BadRow``; ``BrokenPage`` if it has none."""
        raise NotImplementedError

    def listings(self) -> Iterator[Request]:
        for channel in self.channels:
            for day in (self.job.day - timedelta(days=1), *self.job.asked_days):
                yield self.first_request(channel, day, self._touched(channel, day))

    def day_request(self, channel: str, day: date) -> Request:
        """A request for the schedule of a day whatever days are asked for; the nights after it count as well."""
        for each in (day, day + timedelta(days=1)):
            if (channel, each) not in self._scopes:
                self._scopes[channel, each] = self._open(channel, each)
        return self.first_request(channel, day, self._touched(channel, day))

    def first_request(self, channel: str, day: date, scopes: Sequence[Scope]) -> Request:
        """What is asked first for a day of a channel."""
        return self.ask(self.page_url(channel, day), self.parse_schedule, "schedule", scopes, channel=channel, day=day)

    def parse_schedule(self, response: Response, scopes: Sequence[Scope], channel: str, day: date) -> Iterator[Show]:
        """Read a page of shows."""
        coverage = self.coverage["schedule"]
        with coverage.reading(response, scopes):
            own = self._scopes.get((channel, day))
            of_its_day = 0
            for row in self.rows(response, channel, day):
                try:
                    show = self._show(row, response, channel, day)
                except BadRow as error:
                    coverage.bad_row(error, response, scopes)
                    continue
                of_its_day += show.requested_day == day
                if self._file(show, channel, own, response):
                    yield show
            if own is not None and not of_its_day:
                # Not even one: rather a page gone wrong, or of another day, than a day without programme.
                own.empty = True
                coverage.fail([own], "rows", response.url, f"the page lists no shows of {day}", response.body)

    def _open(self, channel: str, day: date) -> Scope:
        return self.coverage["schedule"].scope(channel_id=self.channels[channel], day=day.isoformat())

    def _touched(self, channel: str, day: date) -> list[Scope]:
        """The scopes to which a page can add a show: its own day and the next."""
        days = (day, day + timedelta(days=1))
        return [self._scopes[channel, each] for each in days if (channel, each) in self._scopes]

    def _show(self, row: Row, response: Response, channel: str, day: date) -> Show:
        values = row()
        starts_at: datetime | None = values["starts_at"]
        price: Price = values.pop("price")
        with reading("show"):
            return Show(
                **values,
                price=price.amount,
                price_kind=price.kind,
                channel_id=self.channels[channel],
                requested_day=day if starts_at is None else kst_day(starts_at),
                on_air=starts_at is None,
                observed_at=self.job.now,
                page_url=response.url,
            )

    def _file(self, show: Show, channel: str, page: Scope | None, response: Response) -> bool:
        """Count a show under its day, unless that was not asked for or the show is there already."""
        scope = self._scopes.get((channel, show.requested_day))
        if scope is None:
            if page is not None:
                page.dropped["starts on a day not asked for"] += 1
            return False
        # Also of a row that is listed twice, so that it does not matter which of them came first.
        self.memory.see(show.source_product_id, show.shown)
        key = (channel, show.starts_at or show.ends_at, show.on_air, show.source_product_id)
        if key in self._seen:
            scope.dropped["listed twice"] += 1
            return False
        self._seen.add(key)
        self.coverage["schedule"].found(show, scope, response)
        if show.starts_at is not None:
            scope.hours.add(show.starts_at.astimezone(KST).hour)
        return True
