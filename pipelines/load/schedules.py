"""Load broadcasters' schedules: shows and products into the service database, their history into the warehouse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Engine, Table, or_, select, tuple_, update

from artifacts.raw import RawRun, instant_of
from artifacts.store import Store
from crawlers.items import HomeShoppingProduct, Show
from pipelines.load import product_fields
from pipelines.load.child_rows import write_page_details
from pipelines.load.crawl_batch import CrawlBatch, Target
from pipelines.load.history import History, Key
from pipelines.load.item_validator import ItemValidator
from pipelines.load.ledger import increment_version, lock_service, lock_warehouse, table_of
from pipelines.load.load_step import LoadRun, load_step
from pipelines.load.moved_shows import BROADCAST, KEY, keep_ids, scheduled_shows
from pipelines.load.on_air import find_starts
from pipelines.load.product_fields import (
    Pages,
    ProductFields,
    best_shows,
    known_products,
    merge_product_fields,
    reject_unlisted,
)
from pipelines.load.products import HOME_SHOPPING, resolve_pending_titles, write_products
from pipelines.load.row_counts import RowCounts
from pipelines.load.texts import fit_row
from pipelines.load.warehouse_history import LEDGER, PRICES, VERSIONS, close_versions
from pipelines.report import Report
from sql.service import catalog
from sql.upsert import Counts, chunks, upsert
from sql.warehouse.history import FctBroadcast
from ukok.korea import KST

DATASETS = ("schedule", "products")
FCT_BROADCAST = table_of(FctBroadcast)

SAME_END = ("channel_id", "ends_at", "source_product_id")
SHOW_COLUMNS = ("ends_at", "slot", "title", "list_price", "price", "price_kind", "discount_rate")
CONTENT = ("ends_at", "product_name", "price", "list_price", "price_kind", "discount_rate")


class _CompleteDay(NamedTuple):
    """A channel's day that a file covers in full, and when its page was read."""

    channel_id: int
    day: date
    read_at: datetime


@dataclass(frozen=True)
class _Crawled:
    """The items of a batch, without the shows of days that are held back; ``complete``: days it covers in full."""

    shows: list[Show]
    complete: list[_CompleteDay]
    products: dict[int, ProductFields]
    pages: Pages


def load_schedules(
    source: str, service: Engine, warehouse: Engine, store: Store, *, accept: bool, now: datetime
) -> Report:
    """Load pending files of a broadcaster into ``broadcast``, ``home_shopping_product`` and its child tables.

    A complete scope lists every show of its channel and day that is still to come: missing ones are cancelled,
    returning ones are no longer. Raises ``FileHeldBack`` when something is held back.
    """
    return load_step(
        f"load_{source}",
        warehouse,
        lambda load_run: Target(
            service,
            table_of(catalog.LoadedFile),
            partial(lock_service, datasets=["schedule"]),
            partial(_into_service, load_run, source),
            (BROADCAST,),
        ),
        store,
        source,
        datasets=DATASETS,
        accept=accept,
        now=now,
    )


def load_schedules_history(
    source: str,
    warehouse: Engine,
    store: Store,
    *,
    accept: bool,
    now: datetime,
) -> Report:
    """Load pending files of a broadcaster into ``fct_broadcast``, ``fct_price`` and ``dim_product``.

    Raises ``FileHeldBack`` when something is held back.
    """
    return load_step(
        f"load_{source}_history",
        warehouse,
        lambda load_run: Target(
            warehouse,
            LEDGER,
            partial(lock_warehouse, name=source),
            partial(_into_warehouse, load_run, source),
            (FCT_BROADCAST,),
        ),
        store,
        source,
        datasets=DATASETS,
        accept=accept,
        now=now,
    )


def _into_service(load_run: LoadRun, source: str, conn: Connection, batch: CrawlBatch) -> None:
    crawled = _read(load_run, conn, BROADCAST, HOME_SHOPPING.c.first_seen_at, source, batch)
    row_counts = _write_shows(conn, BROADCAST, source, crawled, batch.at)
    rows = [
        fit_row(HOME_SHOPPING, {"source": source, "source_product_id": product_id, **fields}, row_counts.cut)
        for product_id, fields in crawled.products.items()
    ]
    row_counts.add(HOME_SHOPPING, write_products(conn, HOME_SHOPPING, rows, batch.at))
    row_counts += write_page_details(conn, source, crawled.pages)
    row_counts += resolve_pending_titles(conn, HOME_SHOPPING, source)
    if row_counts.written:
        increment_version(conn, "schedule")
    load_run.add_rows(batch, row_counts)


def _into_warehouse(load_run: LoadRun, source: str, conn: Connection, batch: CrawlBatch) -> None:
    crawled = _read(load_run, conn, FCT_BROADCAST, VERSIONS.table.c.valid_from, source, batch)
    row_counts = _write_shows(conn, FCT_BROADCAST, source, crawled, batch.at)
    written, changed = VERSIONS.observe(conn, batch.at, _history_values(VERSIONS, source, crawled))
    close_versions(conn, changed)
    row_counts += written
    row_counts += PRICES.observe(conn, batch.at, _history_values(PRICES, source, crawled))[0]
    load_run.add_rows(batch, row_counts)


def _read(
    load_run: LoadRun, conn: Connection, table: Table, seen_at: Column[Any], source: str, batch: CrawlBatch
) -> _Crawled:
    """Read and check a batch; ``table`` holds the stored shows, ``seen_at`` when products were first seen."""
    validator = ItemValidator()
    schedules = [run for run in batch.runs if run.dataset == "schedule"]
    listed, held = _listed(load_run, schedules, validator)
    shows = find_starts(conn, table, listed, validator)
    shows.sort(key=lambda show: show.slot)  # a product that is main and sub of one show counts as main
    shows = validator.unique(shows, ["channel_id", "starts_at", "source_product_id"], CONTENT)
    complete = _complete_days(load_run, schedules, validator)
    read = [
        page
        for run in batch.runs
        if run not in schedules
        for page in validator.items(load_run.store, run, HomeShoppingProduct)
    ]
    pages: Pages = {
        page.source_product_id: page for page in validator.unique(read, ["source_product_id"], product_fields.CONTENT)
    }
    # A day is held back for what it lacks; what it says of a product holds, and the product's page refers to it.
    shown = best_shows(held) | best_shows(shows)
    known = known_products(conn, seen_at, source, pages.keys() - shown.keys(), batch.at)
    pages = reject_unlisted(pages, known | shown.keys(), validator)
    validator.landed = len(shows) + len(pages)
    load_run.check_gates(batch, validator)
    return _Crawled(shows, complete, merge_product_fields(shown, pages), pages)


def _listed(load_run: LoadRun, schedules: Sequence[RawRun], validator: ItemValidator) -> tuple[list[Show], list[Show]]:
    """Return the shows of the files, and those of days that are held back."""
    listed: list[Show] = []
    held: list[Show] = []
    for run in schedules:
        names = {(name["channel_id"], name["day"]) for name in map(dict, load_run.files.holds(run).names)}
        for show in validator.items(load_run.store, run, Show):
            is_held = (str(show.channel_id), show.requested_day.isoformat()) in names
            (held if is_held else listed).append(show)
    validator.held = len(held)
    return listed, [show for show in held if show.starts_at is not None]


def _complete_days(load_run: LoadRun, schedules: Sequence[RawRun], validator: ItemValidator) -> list[_CompleteDay]:
    """Return the days that the files cover in full, unless a show of them was rejected."""
    rejected = {(str(item.get("channel_id")), str(item.get("requested_day"))) for item, _, _ in validator.rejects}
    if any("None" in scope for scope in rejected):
        return []
    return [
        _CompleteDay(
            int(entry.key["channel_id"]), date.fromisoformat(str(entry.key["day"])), entry.read_at or instant_of(run)
        )
        for run in schedules
        for entry in load_run.files.complete_scopes(run)
        if (entry.items or entry.empty) and (str(entry.key["channel_id"]), str(entry.key["day"])) not in rejected
    ]


def _write_shows(conn: Connection, table: Table, source: str, crawled: _Crawled, at: datetime) -> RowCounts:
    """Upsert the shows and cancel those that complete scopes lack."""
    row_counts = RowCounts()
    rows = [
        fit_row(
            BROADCAST,  # the warehouse holds titles of the same length
            {
                "source": source,
                **{name: getattr(show, name) for name in (*KEY, *SHOW_COLUMNS) if name != "source"},
                "cancelled_at": None,
            },
            row_counts.cut,
        )
        for show in crawled.shows
    ]
    seen = {tuple(row[name] for name in KEY) for row in rows}
    appeared = seen - scheduled_shows(conn, seen) if table is BROADCAST else set()
    for unread in {show.unread for show in crawled.shows}:
        chosen = [row for row, show in zip(rows, crawled.shows, strict=True) if show.unread == unread]
        read = [name for name in (*SHOW_COLUMNS, "cancelled_at") if name not in unread]
        if "price" in read and "discount_rate" not in read:
            _drop_rates_of_other_prices(conn, table, chosen)
        row_counts.add(table, upsert(conn, table, chosen, update_columns=read, key=KEY))
    ends = {tuple(row[name] for name in SAME_END) for row in rows}
    cancelled = [key for day in crawled.complete for key in _cancel_others(conn, table, source, day, seen, ends, at)]
    row_counts.add(table, Counts(updated=len(cancelled)))
    if appeared and cancelled:
        keep_ids(conn, appeared, cancelled)
    return row_counts


def _drop_rates_of_other_prices(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Drop the stored rate of shows whose price has changed; the new rate could not be read."""
    for row in rows:
        same_show = [table.c[name] == row[name] for name in KEY]
        other_price = table.c.price.is_distinct_from(row["price"])
        conn.execute(update(table).where(*same_show, other_price).values(discount_rate=None))


def _history_values(history: History, source: str, crawled: _Crawled) -> dict[Key, Mapping[str, Any]]:
    """Return the values of the columns of a history."""
    return {
        (source, product_id): {name: value for name, value in fields.items() if name in history.values}
        for product_id, fields in crawled.products.items()
    }


def _cancel_others(
    conn: Connection,
    table: Table,
    source: str,
    scope: _CompleteDay,
    seen: set[Key],
    ends: set[Key],
    at: datetime,
) -> list[Key]:
    """Cancel the shows of a channel and day that were not seen, unless they already are, and return them.

    A show that had begun when the page was read may be missing because it is over. But one that was seen to end at the
    same instant (``ends``) with another start is the same show: the page had hidden its start while it was on air.
    """
    begin = datetime.combine(scope.day, time(), KST)
    keys = [table.c[name] for name in KEY]
    stored = conn.execute(
        select(*keys, table.c.ends_at).where(
            table.c.channel_id == scope.channel_id,
            table.c.source == source,
            table.c.starts_at >= begin,
            table.c.starts_at < begin + timedelta(days=1),
            or_(table.c.cancelled_at.is_(None), table.c.cancelled_at > at),
        )
    )
    missing = []
    for *key, ends_at in stored:
        show = dict(zip(KEY, key, strict=True)) | {"ends_at": ends_at}
        to_come = show["starts_at"] > max(scope.read_at, at)
        if tuple(key) not in seen and (to_come or tuple(show[name] for name in SAME_END) in ends):
            missing.append(tuple(key))
    for chunk in chunks(missing):
        conn.execute(update(table).where(tuple_(*keys).in_(chunk)).values(cancelled_at=at))
    return missing
