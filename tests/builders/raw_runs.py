"""Raw files like those of a crawl, for tests of loading."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Table, select

from artifacts.raw import RawRun, new_run_id, write_run
from artifacts.store import Store
from crawlers.gates.gate import LISTINGS, check_listing, check_products
from crawlers.items import CATEGORIES
from crawlers.run_report import (
    BudgetReport,
    CrawlRunReport,
    GateResult,
    LatencyReport,
    ScopeReport,
    TrafficReport,
    read_crawl_report,
)
from ukok.korea import KST

DAY = date(2025, 8, 6)
Item = dict[str, Any]


def kst(clock: str, day: date = DAY) -> datetime:
    """Return the instant ``HH:MM`` of a day in Korea; hours of 24 and more are the next day's."""
    hours, minutes = (int(part) for part in clock.split(":"))
    return (datetime(day.year, day.month, day.day, tzinfo=KST) + timedelta(hours=hours, minutes=minutes)).astimezone(
        UTC
    )


def price(product_id: int, won: int | None = 1000, rate: int = 0, kind: str = "amount", category: str = "1611") -> Item:
    return {
        "kok_product_id": product_id,
        "category": category,
        "price": won,
        "price_kind": kind,
        "discount_rate": rate,
        "page_url": "http://kok/list",
    }


def product(product_id: int, name: str = "국내산 감자 1kg", **changes: object) -> Item:
    return {
        "kok_product_id": product_id,
        "store_name": "햇살농장",
        "product_name": name,
        "list_price": 2000,
        "thumbnail_url": "https://image/1.jpg",
        "review_score": 4.5,
        "review_count": 12,
        "page_url": "http://kok/product",
    } | changes


def review(text: str | None = "맛있어요", **changes: object) -> Item:
    return {
        "nickname": "김**",
        "written_on": date(2025, 8, 1),
        "score": 5,
        "price_opinion": "저렴해요",
        "delivery_opinion": "빨라요",
        "taste_opinion": "맛있어요",
        "text": text,
    } | changes


def seller(**changes: object) -> Item:
    return {
        "seller_name": "햇살농장",
        "ceo_name": "홍길동",
        "registration_number": "123-45-67890",
        "ecommerce_registration": None,
        "phone": "02-000-0000",
        "verified_item": "사업자등록번호",
        "verified_on": "2024.01.02",
        "address": "서울",
        "return_address": None,
        "exchange_address": None,
    } | changes


def page(product_id: int, **changes: object) -> Item:
    """A broadcaster's product page, without name and price unless ``changes`` have them."""
    return {
        "source_product_id": product_id,
        "product_name": None,
        "store_name": "햇살식품",
        "price": None,
        "price_kind": "amount" if changes.get("price") else "unknown",
        "list_price": None,
        "page_url": "http://page",
    } | changes


def show(
    start: str | None, end: str, product_id: int = 1, *, channel_id: int = 1, day: date = DAY, **changes: object
) -> Item:
    """A show of ``day``; without a start it is on air."""
    return {
        "channel_id": channel_id,
        "requested_day": day,
        "slot": "main",
        "on_air": start is None,
        "starts_at": None if start is None else kst(start, day),
        "ends_at": kst(end, day),
        "title": "오늘의 방송",
        "source_product_id": product_id,
        "product_name": f"상품 {product_id}",
        "list_price": None,
        "price": 59900,
        "price_kind": "amount",
        "thumbnail_url": f"https://image/{product_id}.jpg",
        "page_url": "http://schedule",
    } | changes


def scope(complete: bool, items: int = 0, **key: str | int) -> ScopeReport:
    return ScopeReport(key=key, complete=complete, items=items, reason=None if complete else "HTTP 503")


def crawl_report(run: RawRun, at: datetime, items: int = 0, requests: int = 1) -> CrawlRunReport:
    """The report of a run that was crawled at ``at``, without scopes and contract check."""
    latency = LatencyReport(p50=None, p90=None, p99=None, max=0, histogram=[])
    return CrawlRunReport(
        run_id=run.run_id,
        source=run.source,
        dataset=run.dataset,
        day=run.day,
        items=items,
        started_at=at,
        finished_at=at,
        taken_over={},
        budget=BudgetReport(limit=20_000, used_before=0),
        traffic=TrafficReport(
            requests=requests, by_status={}, retries=0, bytes=0, seconds=0, latency_ms=latency, timeline=[]
        ),
        requests=requests,
    )


def put(
    store: Store,
    source: str,
    dataset: str,
    at: datetime,
    items: Iterable[Item],
    scopes: Sequence[ScopeReport],
    *,
    gated: bool = True,
    **values: object,
) -> RawRun:
    """Write a raw file crawled at ``at``, ``gated`` as a crawl does. ``values`` are further fields of its report."""
    run = RawRun(new_run_id(at), source, dataset, at.astimezone(KST).date())
    rows = [json.loads(json.dumps(item | {"observed_at": at}, default=_plain)) for item in items]
    report = crawl_report(run, at, len(rows)).model_copy(update={"scopes": list(scopes), **values})
    if not gated:
        gate = GateResult()
    elif dataset in LISTINGS:
        gate = check_listing(store, run, report, rows)
    else:
        gate = check_products(store, run, report, rows, None)
    write_run(store, run, rows, report.model_copy(update={"gate": gate}))
    return run


def _plain(value: date) -> str:
    return value.isoformat()


def gate_of(store: Store, run: RawRun) -> GateResult:
    """Return what the gates found when a file was written."""
    gate = read_crawl_report(store, run).gate
    assert gate is not None
    return gate


def put_prices(
    store: Store,
    at: datetime,
    items: Sequence[Item],
    *,
    missing: Iterable[str] = (),
    shifted: Iterable[str] = (),
    gated: bool = True,
) -> RawRun:
    """Write the category lists; those in ``missing`` could not be read, those in ``shifted`` changed meanwhile."""
    scopes = [
        scope(category not in missing, sum(item["category"] == category for item in items), category=category)
        for category in sorted(CATEGORIES)
    ]
    changed = set(shifted)
    scopes = [each.model_copy(update={"shifted": each.key["category"] in changed}) for each in scopes]
    return put(store, "kok", "prices", at, items, scopes, gated=gated)


def put_products(store: Store, at: datetime, items: Sequence[Item], *, source: str = "kok") -> RawRun:
    """Write the product pages that a crawl read."""
    return put(store, source, "products", at, items, [scope(complete=True, items=len(items), products="due")])


def put_shows(
    store: Store,
    at: datetime,
    items: Sequence[Item],
    *,
    source: str = "hnsmall",
    channels: Sequence[int] = (1,),
    days: Sequence[date] = (DAY,),
    complete: bool = True,
    gated: bool = True,
) -> RawRun:
    """Write the schedule of some days."""
    scopes = [
        scope(
            complete,
            sum(item["channel_id"] == channel and item["requested_day"] == day for item in items),
            channel_id=channel,
            day=day.isoformat(),
        )
        for channel in channels
        for day in days
    ]
    return put(store, source, "schedule", at, items, scopes, gated=gated)


def rows(engine: Engine | Connection, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    """Rows of a table by the named columns, sorted by them."""
    statement = select(*(table.c[name] for name in columns)).order_by(*(table.c[name] for name in columns))
    if isinstance(engine, Connection):
        return [tuple(row) for row in engine.execute(statement)]
    with engine.connect() as conn:
        return [tuple(row) for row in conn.execute(statement)]
