"""The broadcasters' schedules: shows and products into the service database, their history into the warehouse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, or_, select, tuple_, update

from artifacts.raw import RawRun
from artifacts.store import Store
from crawlers.items import HomeShoppingProduct, Show
from crawlers.parsing import KST
from crawlers.run_report import read_crawl_report
from pipelines.load import product_pages
from pipelines.load.history import History, Key
from pipelines.load.intake import Intake
from pipelines.load.ledger import grow_version, lock_service, lock_warehouse, table_of
from pipelines.load.on_air import find_starts
from pipelines.load.parts import write_details
from pipelines.load.pending import Moment, Target
from pipelines.load.product_pages import Pages, known_products, speakers, told, without_unlisted
from pipelines.load.products import HOME_SHOPPING, resolve_waiting, write_products
from pipelines.load.step import Loading, load_step
from pipelines.load.tally import Tally
from pipelines.load.warehouse import LEDGER, PRICES, VERSIONS, close_versions
from pipelines.report import Report
from recommender.text.cleaning import LONGEST_TEXT, fit
from sql.service import catalog
from sql.upsert import Counts, chunks, upsert
from sql.warehouse.history import FctBroadcast

DATASETS = ("schedule", "products")
BROADCAST, FCT_BROADCAST = table_of(catalog.Broadcast), table_of(FctBroadcast)

KEY = ("channel_id", "starts_at", "source", "source_product_id")
SAID = ("ends_at", "slot", "title", "list_price", "price", "price_kind")
CONTENT = ("ends_at", "product_name", "price", "list_price", "price_kind")

Scope = tuple[int, date]  # channel and day in Korea


@dataclass(frozen=True)
class _Crawled:
    """The items of a moment; ``certain``: scopes of which the files tell everything."""

    shows: list[Show]
    certain: list[Scope]
    products: dict[int, dict[str, Any]]
    pages: Pages


def load_schedules(source: str, service: Engine, warehouse: Engine, store: Store, *, accept: bool = False) -> Report:
    """Load pending files of a broadcaster into ``broadcast``, ``home_shopping_product`` and what belongs to it.

    A complete scope is the full truth about its channel and day: shows that it lacks are cancelled, shows that return
    are not. Raises ``GateBroken`` when a file is held back.
    """
    return load_step(
        f"load_{source}",
        warehouse,
        lambda loading: Target(
            service,
            table_of(catalog.LoadedFile),
            partial(lock_service, datasets=["schedule"]),
            partial(_into_service, loading, source),
        ),
        store,
        source,
        datasets=DATASETS,
        items_in=(BROADCAST,),
        accept=accept,
    )


def load_schedules_history(source: str, warehouse: Engine, store: Store, *, accept: bool = False) -> Report:
    """Load pending files of a broadcaster into ``fct_broadcast``, ``fct_price`` and ``dim_product``."""
    return load_step(
        f"load_{source}_history",
        warehouse,
        lambda loading: Target(
            warehouse, LEDGER, partial(lock_warehouse, name=source), partial(_into_warehouse, loading, source)
        ),
        store,
        source,
        datasets=DATASETS,
        items_in=(FCT_BROADCAST,),
        accept=accept,
    )


def _into_service(loading: Loading, source: str, conn: Connection, moment: Moment) -> None:
    crawled = _read(loading, conn, BROADCAST, HOME_SHOPPING.c.first_seen_at, source, moment)
    tally = _write_shows(conn, BROADCAST, source, crawled, moment.at)
    rows = [
        {"source": source, "source_product_id": product_id, **_fitted(said)}
        for product_id, said in crawled.products.items()
    ]
    tally.add(HOME_SHOPPING, write_products(conn, HOME_SHOPPING, rows, moment.at))
    tally += write_details(conn, source, crawled.pages)
    tally += resolve_waiting(conn, HOME_SHOPPING, source)
    if tally.written:
        grow_version(conn, "schedule")
    loading.count(moment, tally)


def _into_warehouse(loading: Loading, source: str, conn: Connection, moment: Moment) -> None:
    crawled = _read(loading, conn, FCT_BROADCAST, VERSIONS.table.c.valid_from, source, moment)
    tally = _write_shows(conn, FCT_BROADCAST, source, crawled, moment.at)
    written, changed = VERSIONS.observe(conn, moment.at, _said(VERSIONS, source, crawled))
    close_versions(conn, changed)
    tally += written
    tally += PRICES.observe(conn, moment.at, _said(PRICES, source, crawled))[0]
    loading.count(moment, tally)


def _read(
    loading: Loading, conn: Connection, table: Table, seen_at: Column[Any], source: str, moment: Moment
) -> _Crawled:
    """Read a moment's files; ``table`` holds the known shows, ``seen_at`` since when products are known."""
    intake = Intake()
    schedules = [run for run in moment.runs if run.dataset == "schedule"]
    listed = [show for run in schedules for show in intake.items(loading.store, run, Show)]
    shows = find_starts(conn, table, listed, intake)
    shows.sort(key=lambda show: show.slot)  # a product both main and sub in one show is its main
    shows = intake.unique(shows, ["channel_id", "starts_at", "source_product_id"], CONTENT)
    certain = _certain_scopes(loading, schedules, intake)
    read = [
        page
        for run in moment.runs
        if run not in schedules
        for page in intake.items(loading.store, run, HomeShoppingProduct)
    ]
    pages: Pages = {
        page.source_product_id: page for page in intake.unique(read, ["source_product_id"], product_pages.CONTENT)
    }
    speaking = speakers(shows)
    known = known_products(conn, seen_at, source, pages.keys() - speaking.keys(), moment.at)
    pages = without_unlisted(pages, known | speaking.keys(), intake)
    intake.landed = len(shows) + len(pages)
    loading.admit(moment, intake)
    return _Crawled(shows, certain, told(speaking, pages), pages)


def _certain_scopes(loading: Loading, schedules: Sequence[RawRun], intake: Intake) -> list[Scope]:
    """Channels and days of which the files tell everything: complete, not empty, and no show of theirs was rejected."""
    lost = {(str(item.get("channel_id")), str(item.get("requested_day"))) for item, _, _ in intake.rejects}
    if any("None" in scope for scope in lost):
        return []
    entries = [entry for run in schedules for entry in read_crawl_report(loading.store, run).scopes]
    keys = [
        (str(entry.key["channel_id"]), str(entry.key["day"])) for entry in entries if entry.complete and entry.items
    ]
    return [(int(channel_id), date.fromisoformat(day)) for channel_id, day in keys if (channel_id, day) not in lost]


def _write_shows(conn: Connection, table: Table, source: str, crawled: _Crawled, at: datetime) -> Tally:
    """Upsert the shows and cancel what the certain scopes lack."""
    rows = [
        {
            "source": source,
            **{name: getattr(show, name) for name in (*KEY, *SAID) if name != "source"},
            "title": fit(show.title, 500),
            "cancelled_at": None,
        }
        for show in crawled.shows
    ]
    tally = Tally()
    tally.add(table, upsert(conn, table, rows, update_columns=[*SAID, "cancelled_at"], key=KEY))
    seen = {tuple(row[name] for name in KEY) for row in rows}
    for channel_id, day in crawled.certain:
        tally.add(table, _cancel_others(conn, table, (channel_id, source, day), seen, at))
    return tally


def _said(history: History, source: str, crawled: _Crawled) -> dict[Key, Mapping[str, Any]]:
    """What was told of the columns that a history holds."""
    return {
        (source, product_id): {name: said[name] for name in history.values if name in said}
        for product_id, said in crawled.products.items()
    }


def _fitted(said: Mapping[str, Any]) -> dict[str, Any]:
    lengths = {"product_name": 1000, "store_name": 255, "description": LONGEST_TEXT}
    return {name: fit(value, lengths[name]) if name in lengths else value for name, value in said.items()}


def _cancel_others(
    conn: Connection, table: Table, scope: tuple[int, str, date], seen: set[tuple[Any, ...]], at: datetime
) -> Counts:
    """Mark shows of a channel and day that were not seen as cancelled, unless they already were."""
    channel_id, source, day = scope
    begin = datetime.combine(day, time(), KST)
    keys = [table.c[name] for name in KEY]
    stored = conn.execute(
        select(*keys).where(
            table.c.channel_id == channel_id,
            table.c.source == source,
            table.c.starts_at >= begin,
            table.c.starts_at < begin + timedelta(days=1),
            or_(table.c.cancelled_at.is_(None), table.c.cancelled_at > at),
        )
    )
    gone = [tuple(row) for row in stored if tuple(row) not in seen]
    for chunk in chunks(gone):
        conn.execute(update(table).where(tuple_(*keys).in_(chunk)).values(cancelled_at=at))
    return Counts(updated=len(gone))
