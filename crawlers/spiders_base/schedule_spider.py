"""Base of the broadcasters' spiders: which schedule pages are requested, and under which day a show is filed.

A page is requested by its day; a show is filed under the day in Korea on which it starts. The two differ where a page
lists a show past midnight, so the page of the day before the first is read too, and a day is complete only if both its
own page and the one before were read. A show on a day that was not requested is dropped and counted.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from scrapy import Request
from scrapy.http import Response

from crawlers.items import Show
from crawlers.job import Job
from crawlers.parsing import MAX_ID, UNKNOWN, Price, kst_day, parse_given_rate
from crawlers.quality.contracts import BadRow, Contract, FieldRule, reading
from crawlers.quality.coverage import Scope
from crawlers.spiders_base.contradictions import Contradictions
from crawlers.spiders_base.product_page import parse_or_fault, report_remarks
from crawlers.spiders_base.source_spider import SourceSpider

Row = Callable[[], dict[str, Any]]
"""Parses a row into the fields of its show: ``price`` and ``list_price`` are a ``Price``, ``discount_rate`` a text."""

# Contracts of every broadcaster; a spider adds the rules of its own.
SHOWS = Contract(
    "source_product_id",
    {
        "source_product_id": FieldRule(fill=1, minimum=1, maximum=MAX_ID),
        "product_name": FieldRule(fill=1),
        "ends_at": FieldRule(fill=1),
        "length": FieldRule(minimum=timedelta(minutes=1), maximum=timedelta(hours=12)),
        "price": FieldRule(fill=0.9, minimum=10, maximum=100_000_000),
        "list_price": FieldRule(minimum=10, maximum=100_000_000),
        "thumbnail_url": FieldRule(fill=0.9),
    },
    min_items=1,
)
PAGES = Contract(
    "source_product_id",
    {
        "source_product_id": FieldRule(fill=1, minimum=1, maximum=MAX_ID),
        "price": FieldRule(fill=0.9, minimum=10, maximum=100_000_000),
        "list_price": FieldRule(minimum=10, maximum=100_000_000),
        "details": FieldRule(fill=0.9),
        "images": FieldRule(fill=0.8),
    },
)


class ScheduleSpider(SourceSpider):
    """Reads the schedule of each channel and day. A subclass names its channels and their pages, and parses a page."""

    contracts: ClassVar = {"schedule": SHOWS, "products": PAGES}
    channels: ClassVar[dict[str, int]]

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._scopes = {
            (channel, day): self._open(channel, day) for channel in self.channels for day in job.requested_days
        }
        self._seen: dict[tuple[int, datetime, bool, int], str | None] = {}  # price of each row
        self._contradictions = Contradictions(Show)

    def page_url(self, channel: str, day: date) -> str:
        """Return the URL of the page that lists a day of a channel."""
        raise NotImplementedError

    def rows(self, response: Response, channel: str, day: date) -> Iterator[Row]:
        """Yield the rows of a page, each a function that parses it or raises ``BadRow``.

        Raise ``BrokenPage`` if the page is not a schedule.
        """
        raise NotImplementedError

    def listings(self) -> Iterator[Request]:
        for channel in self.channels:
            for day in (self.job.day - timedelta(days=1), *self.job.requested_days):
                yield self.first_request(channel, day, self._scopes_of_page(channel, day))

    def day_request(self, channel: str, day: date) -> Request:
        """Build the request for any day, in or outside the job's days; its night shows are filed under the next day."""
        for each in (day, day + timedelta(days=1)):
            if (channel, each) not in self._scopes:
                self._scopes[channel, each] = self._open(channel, each)
        return self.first_request(channel, day, self._scopes_of_page(channel, day))

    def first_request(self, channel: str, day: date, scopes: Sequence[Scope]) -> Request:
        """Build the first request for a day of a channel."""
        return self.build_request(
            self.page_url(channel, day), self.parse_schedule, "schedule", scopes, channel=channel, day=day
        )

    def parse_schedule(self, response: Response, scopes: Sequence[Scope], channel: str, day: date) -> Iterator[Show]:
        """Yield the shows of a schedule page."""
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
                # A page without any show of its day is more likely broken, or of another day, than a day off air.
                own.empty = True
                coverage.fail([own], "rows", response.url, f"the page lists no shows of {day}", response.body)

    def correct_items(self) -> None:
        self._contradictions.correct(self.job.items_file("schedule"))

    def _open(self, channel: str, day: date) -> Scope:
        return self.coverage["schedule"].scope(channel_id=self.channels[channel], day=day.isoformat())

    def _scopes_of_page(self, channel: str, day: date) -> list[Scope]:
        """Return the scopes to which a page can add a show: its own day and the next."""
        days = (day, day + timedelta(days=1))
        return [self._scopes[channel, each] for each in days if (channel, each) in self._scopes]

    def _show(self, row: Row, response: Response, channel: str, day: date) -> Show:
        values = row()
        starts_at: datetime | None = values["starts_at"]
        price: Price = values.pop("price")
        list_price: Price = values.pop("list_price", UNKNOWN)
        rate_text = values.pop("discount_rate", None)
        coverage = self.coverage["schedule"]
        report_remarks(coverage, response, price=price, list_price=list_price)
        rate = parse_or_fault(coverage, "discount_rate", response, partial(parse_given_rate, rate_text))
        unread = dict.fromkeys((*values.pop("unread", ()), *sorted(coverage.take_unread(response))))
        with reading("show"):
            return Show(
                **values,
                unread=tuple(unread),
                price=price.amount,
                price_kind=price.kind,
                list_price=list_price.amount,
                discount_rate=rate,
                channel_id=self.channels[channel],
                requested_day=day if starts_at is None else kst_day(starts_at),
                on_air=starts_at is None,
                observed_at=self.job.now,
                page_url=response.url,
            )

    def _file(self, show: Show, channel: str, page: Scope | None, response: Response) -> bool:
        """Count a show under its day and return True; False if the day was not requested or the show is a duplicate.

        A duplicate with another price is a fault of the day, and neither price is filed: one of the two is wrong.
        """
        scope = self._scopes.get((channel, show.requested_day))
        if scope is None:
            if page is not None:
                page.dropped["starts on a day not requested"] += 1
            return False
        # Before the check for duplicates, so that the order of the rows does not matter.
        self.page_state.mark_listed(show.source_product_id, None if show.is_past else show.listed_price)
        if show.row in self._seen:
            try:
                self._contradictions.check(show, self._seen[show.row])
                scope.dropped["listed twice"] += 1
            except BadRow as error:
                self.coverage["schedule"].bad_row(error, response, [scope])
            return False
        self._seen[show.row] = show.price_label
        self.coverage["schedule"].count_item(show, scope, response)
        return True
