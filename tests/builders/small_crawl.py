"""Small catalogs, and a crawl of them with its items and reports."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from artifacts.open import open_store
from artifacts.raw import RawRun, read_items
from artifacts.store import Store
from crawlers.run_report import ContractCheck, CrawlRunReport, FieldFault, ScopeReport, read_crawl_report
from crawlers.runner.crawl import crawl
from crawlers.settings import CrawlSettings
from crawlers.standin.catalog import Catalog, KokRow, ShowRow
from crawlers.state.page_state import PageRow

DAY = date(2025, 8, 6)
NOON = datetime(2025, 8, 6, 3, tzinfo=UTC)  # 12:00 in Korea


def day(ahead: int) -> date:
    return DAY + timedelta(days=ahead)


def kok(number: int, **values: object) -> KokRow:
    return KokRow.model_validate(
        {
            "product_id": number,
            "store_name": "초록상회",
            "product_name": f"햇감자 {number}g",
            "list_price": 10_000,
            "category": "1611",
        }
        | values
    )


def show(channel: int, start: str, end: str, number: int, slot: str = "main", on: int = 0, **values: object) -> ShowRow:
    """A row ``on`` days after DAY."""
    return ShowRow.model_validate(
        {
            "channel_id": channel,
            "broadcast_date": f"{day(on):%Y%m%d}",
            "start": start,
            "end": end,
            "slot": slot,
            "title": "김치 특집",
            "product_id": number,
            "product_name": f"포기김치 {number}",
            "price_text": "39,900",
            "sale_price": 39_900,
            "dc_price": 35_900,
            "dc_rate_text": "10",
            "thumbnail_url": f"https://image.example/{number}.jpg",
        }
        | values
    )


def page_row(product_id: int, **values: Any) -> PageRow:
    """Row of the page state of a product that was read at NOON."""
    row = PageRow(product_id, "9900", NOON.isoformat(), NOON.isoformat(), "9900", 1, None, None, "digest", 0)
    return replace(row, **values)


def catalog(*, kok: Iterable[KokRow] = (), shows: Iterable[ShowRow] = ()) -> Catalog:
    return Catalog(tuple(kok), tuple(shows))


@dataclass(frozen=True)
class Crawled:
    """The items and reports of a crawl, by dataset."""

    store: Store
    runs: list[RawRun]
    items: dict[str, list[dict[str, Any]]]
    reports: dict[str, CrawlRunReport]

    @property
    def shows(self) -> list[dict[str, Any]]:
        return self.items["schedule"]

    def scope(self, dataset: str, **key: object) -> ScopeReport:
        (found,) = [scope for scope in self.reports[dataset].scopes if scope.key == key]
        return found

    def day(self, channel: int, ahead: int) -> ScopeReport:
        return self.scope("schedule", channel_id=channel, day=day(ahead).isoformat())

    def check(self, dataset: str) -> ContractCheck:
        """Return the contract check of a dataset."""
        check = self.reports[dataset].contract_check
        assert check is not None
        return check

    def faults(self, dataset: str, field: str) -> list[FieldFault]:
        return [fault for fault in self.reports[dataset].faults if fault.field == field]


def crawl_into(folder: Path, source: str, settings: CrawlSettings, days: int = 1, now: datetime = NOON) -> Crawled:
    store = open_store(str(folder))
    runs = crawl(source, DAY, days, now, store, settings)
    return Crawled(
        store,
        runs,
        {run.dataset: list(read_items(store, run)) for run in runs},
        {run.dataset: read_crawl_report(store, run) for run in runs},
    )
