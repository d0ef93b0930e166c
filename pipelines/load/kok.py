"""Load the mall U+콕: products and prices into the service database, their history into the warehouse."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine

from artifacts.store import Store
from crawlers.items import KokPrice, KokProduct
from pipelines.load.crawl_batch import CrawlBatch, Target
from pipelines.load.history import History, Key, drop_rate_of_other_price, read_fields
from pipelines.load.item_validator import ItemValidator
from pipelines.load.kok_categories import categories_of, write_categories
from pipelines.load.kok_pages import CONTENT, product_row, write_page_content
from pipelines.load.ledger import increment_version, lock_service, lock_warehouse, table_of
from pipelines.load.load_step import LoadRun, load_step
from pipelines.load.product_fields import known_products
from pipelines.load.products import KOK_PRODUCT, resolve_pending_titles, write_products
from pipelines.load.vanished import complete_categories, mark_vanished
from pipelines.load.warehouse_history import LEDGER, PRICES, VERSIONS, close_versions
from pipelines.report import Report
from recommender.product_ref import KOK
from sql.service import catalog

DATASETS = ("products", "prices")
PRICE = History(
    table_of(catalog.KokPrice),
    key=("kok_product_id",),
    time="observed_at",
    values={"price": None, "price_kind": "unknown", "discount_rate": 0},
    reconcile=partial(drop_rate_of_other_price, none=0),
)


def load_kok(service: Engine, warehouse: Engine, store: Store, *, accept: bool, now: datetime) -> Report:
    """Load pending files into ``kok_product``, its child tables, and ``kok_price``.

    Prices may precede the page of their product. Which products have vanished follows from the lists alone
    (:mod:`pipelines.load.vanished`). Raises ``FileHeldBack`` when something is held back.
    """
    return load_step(
        "load_kok",
        warehouse,
        lambda load_run: Target(
            service,
            table_of(catalog.LoadedFile),
            partial(lock_service, datasets=["kok"]),
            partial(_into_service, load_run),
            (KOK_PRODUCT, PRICE.table),
        ),
        store,
        KOK,
        datasets=DATASETS,
        accept=accept,
        now=now,
    )


def load_kok_history(warehouse: Engine, store: Store, *, accept: bool, now: datetime) -> Report:
    """Load pending files into ``dim_product`` and ``fct_price``; raises ``FileHeldBack`` when one is."""
    return load_step(
        "load_kok_history",
        warehouse,
        lambda load_run: Target(
            warehouse,
            LEDGER,
            partial(lock_warehouse, name=KOK),
            partial(_into_warehouse, load_run),
            (VERSIONS.table, PRICES.table),
        ),
        store,
        KOK,
        datasets=DATASETS,
        accept=accept,
        now=now,
    )


@dataclass(frozen=True)
class _Crawled:
    """The items of a batch, without the categories that are held back.

    ``listed``: ids of all products on the lists. ``complete``: what the files prove of the categories that they cover
    in full.
    """

    pages: list[KokProduct]
    prices: list[KokPrice]
    categories: dict[int, str]
    listed: set[int]
    complete: dict[str, int]


def _read(load_run: LoadRun, batch: CrawlBatch) -> _Crawled:
    validator = ItemValidator()
    pages: list[KokProduct] = []
    cards: list[KokPrice] = []
    prices: list[KokPrice] = []
    complete: dict[str, int] = {}
    for run in batch.runs:
        if run.dataset == "products":
            pages += validator.items(load_run.store, run, KokProduct)
            continue
        held = {dict(name)["category"] for name in load_run.files.holds(run).names}
        found = validator.items(load_run.store, run, KokPrice)
        cards += found
        prices += (card for card in found if card.category not in held)
        complete |= complete_categories(load_run.files, run)
    validator.held = len(cards) - len(prices)
    pages = validator.unique(pages, ["kok_product_id"], CONTENT)
    categories = categories_of(prices)
    prices = validator.unique(prices, ["kok_product_id"], list(PRICE.values))
    validator.landed = len(pages) + len(prices)
    load_run.check_gates(batch, validator)
    rejected = [item for item, _, _ in validator.rejects]
    listed = {card.kok_product_id for card in cards}
    listed |= {number for item in rejected if isinstance(number := item.get("kok_product_id"), int)}
    unreadable = {item.get("category") for item in rejected if not isinstance(item.get("kok_product_id"), int)}
    proven = {name: proof for name, proof in complete.items() if name not in unreadable}
    return _Crawled(pages, prices, categories, listed, proven)


def _into_service(load_run: LoadRun, conn: Connection, batch: CrawlBatch) -> None:
    crawled = _read(load_run, batch)
    row_counts = write_page_content(conn, crawled.pages)
    rows = [product_row(page, crawled.categories, row_counts.cut) for page in crawled.pages]
    row_counts.add(KOK_PRODUCT, write_products(conn, KOK_PRODUCT, rows, batch.at))
    row_counts.add(KOK_PRODUCT, write_categories(conn, crawled.categories, batch.at))
    observed = {(price.kok_product_id,): read_fields(price, PRICE) for price in crawled.prices}
    row_counts += PRICE.observe(conn, batch.at, observed)[0]
    row_counts.add(KOK_PRODUCT, mark_vanished(conn, load_run.files, batch, crawled.listed, crawled.complete))
    row_counts += resolve_pending_titles(conn, KOK_PRODUCT, KOK)
    if row_counts.written:
        increment_version(conn, "kok")
    load_run.add_rows(batch, row_counts)


def _into_warehouse(load_run: LoadRun, conn: Connection, batch: CrawlBatch) -> None:
    crawled = _read(load_run, batch)
    versions: dict[Key, dict[str, Any]] = {}
    priced: dict[Key, dict[str, Any]] = defaultdict(dict)
    for page in crawled.pages:
        key = (KOK, page.kok_product_id)
        versions[key] = read_fields(page, VERSIONS)
        if "list_price" not in page.unread:
            priced[key]["list_price"] = page.list_price
    for price in crawled.prices:
        priced[KOK, price.kok_product_id] |= read_fields(price, PRICE)
    known = known_products(conn, VERSIONS.table.c.valid_from, KOK, crawled.categories.keys(), batch.at)
    for product_id, category in crawled.categories.items():
        if product_id in known or (KOK, product_id) in versions:
            versions.setdefault((KOK, product_id), {})["category"] = category
    row_counts, changed = VERSIONS.observe(conn, batch.at, versions)
    close_versions(conn, changed)
    row_counts += PRICES.observe(conn, batch.at, priced)[0]
    load_run.add_rows(batch, row_counts)
