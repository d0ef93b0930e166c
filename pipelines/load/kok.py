"""Load the mall U+콕: products and prices into the service database, their history into the warehouse."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from artifacts.store import Store
from crawlers.items import CATEGORIES, KokPrice, KokProduct
from crawlers.run_report import read_crawl_report
from pipelines.load.crawl_batch import CrawlBatch, Target
from pipelines.load.history import History, Key
from pipelines.load.item_validator import ItemValidator
from pipelines.load.kok_categories import categories_of, write_categories
from pipelines.load.kok_pages import CONTENT, product_row, write_page_content
from pipelines.load.ledger import increment_version, lock_service, lock_warehouse, table_of
from pipelines.load.load_step import LoadRun, load_step
from pipelines.load.product_fields import known_products
from pipelines.load.products import KOK_PRODUCT, resolve_pending_titles, write_products
from pipelines.load.warehouse_history import LEDGER, PRICES, VERSIONS, close_versions
from pipelines.report import Report
from recommender.product_ref import KOK
from sql.service import catalog
from sql.upsert import Counts, chunks

DATASETS = ("products", "prices")
PRICE = History(
    table_of(catalog.KokPrice),
    key=("kok_product_id",),
    time="observed_at",
    values={"price": None, "price_kind": "unknown", "discount_rate": 0},
)


def load_kok(service: Engine, warehouse: Engine, store: Store, *, accept: bool = False) -> Report:
    """Load pending files into ``kok_product``, its child tables, and ``kok_price``.

    Prices may precede the page of their product. A product has vanished when a file that covers all categories does not
    list it; pages, which are fetched now and then, are ignored here. Raises ``FileHeldBack`` when a file is held back.
    """
    return load_step(
        "load_kok",
        warehouse,
        lambda load_run: Target(
            service,
            table_of(catalog.LoadedFile),
            partial(lock_service, datasets=["kok"]),
            partial(_into_service, load_run),
        ),
        store,
        KOK,
        datasets=DATASETS,
        items_in=(KOK_PRODUCT, PRICE.table),
        accept=accept,
    )


def load_kok_history(warehouse: Engine, store: Store, *, accept: bool = False) -> Report:
    """Load pending files into ``dim_product`` and ``fct_price``; raises ``FileHeldBack`` when one is held back."""
    return load_step(
        "load_kok_history",
        warehouse,
        lambda load_run: Target(
            warehouse, LEDGER, partial(lock_warehouse, name=KOK), partial(_into_warehouse, load_run)
        ),
        store,
        KOK,
        datasets=DATASETS,
        items_in=(VERSIONS.table, PRICES.table),
        accept=accept,
    )


@dataclass(frozen=True)
class _Crawled:
    """The items of a batch; ``listed``: ids of all products, rejected ones included, None for an unreadable id."""

    pages: list[KokProduct]
    prices: list[KokPrice]
    categories: dict[int, str]
    listed: set[int | None]


def _read(load_run: LoadRun, batch: CrawlBatch) -> _Crawled:
    validator = ItemValidator()
    pages: list[KokProduct] = []
    prices: list[KokPrice] = []
    for run in batch.runs:
        if run.dataset == "products":
            pages += validator.items(load_run.store, run, KokProduct)
        else:
            prices += validator.items(load_run.store, run, KokPrice)
    pages = validator.unique(pages, ["kok_product_id"], CONTENT)
    categories = categories_of(prices)
    prices = validator.unique(prices, ["kok_product_id"], list(PRICE.values))
    validator.landed = len(pages) + len(prices)
    load_run.check_gates(batch, validator)
    rejected = [item.get("kok_product_id") for item, _, _ in validator.rejects]
    listed = {price.kok_product_id for price in prices} | {each if isinstance(each, int) else None for each in rejected}
    return _Crawled(pages, prices, categories, listed)


def _into_service(load_run: LoadRun, conn: Connection, batch: CrawlBatch) -> None:
    crawled = _read(load_run, batch)
    row_counts = write_page_content(conn, crawled.pages)
    rows = [product_row(page, crawled.categories, row_counts.cut) for page in crawled.pages]
    row_counts.add(KOK_PRODUCT, write_products(conn, KOK_PRODUCT, rows, batch.at))
    row_counts.add(KOK_PRODUCT, write_categories(conn, crawled.categories, batch.at))
    observed = {(price.kok_product_id,): price.model_dump(include=set(PRICE.values)) for price in crawled.prices}
    row_counts += PRICE.observe(conn, batch.at, observed)[0]
    complete = None not in crawled.listed and _covers_all_categories(load_run, batch)
    row_counts.add(KOK_PRODUCT, _mark_vanished(conn, batch, crawled.listed, complete=complete))
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
        versions[key] = page.model_dump(include=set(VERSIONS.values))
        priced[key]["list_price"] = page.list_price
    for price in crawled.prices:
        priced[KOK, price.kok_product_id] |= price.model_dump(include=set(PRICE.values))
    known = known_products(conn, VERSIONS.table.c.valid_from, KOK, crawled.categories.keys(), batch.at)
    for product_id, category in crawled.categories.items():
        if product_id in known or (KOK, product_id) in versions:
            versions.setdefault((KOK, product_id), {})["category"] = category
    row_counts, changed = VERSIONS.observe(conn, batch.at, versions)
    close_versions(conn, changed)
    row_counts += PRICES.observe(conn, batch.at, priced)[0]
    load_run.add_rows(batch, row_counts)


def _covers_all_categories(load_run: LoadRun, batch: CrawlBatch) -> bool:
    """Return whether the files of a batch cover every category in full."""
    complete = {
        entry.key["category"]
        for run in batch.runs
        if run.dataset == "prices"
        for entry in read_crawl_report(load_run.store, run).scopes
        if entry.complete
    }
    return complete.issuperset(CATEGORIES)


def _mark_vanished(conn: Connection, batch: CrawlBatch, listed: Collection[int | None], *, complete: bool) -> Counts:
    """Set or clear ``vanished_at``; products that are not listed have vanished only if the lists are ``complete``."""
    back, gone = [], []
    stored = conn.execute(select(KOK_PRODUCT.c.kok_product_id, KOK_PRODUCT.c.first_seen_at, KOK_PRODUCT.c.vanished_at))
    for product_id, first_seen_at, vanished_at in stored:
        if product_id in listed:
            if vanished_at is not None:
                back.append(product_id)
        elif complete and first_seen_at <= batch.at and (vanished_at is None or vanished_at > batch.at):
            gone.append(product_id)
    for ids, vanished_at in ((back, None), (gone, batch.at)):
        for chunk in chunks(ids):
            conn.execute(
                update(KOK_PRODUCT).where(KOK_PRODUCT.c.kok_product_id.in_(chunk)).values(vanished_at=vanished_at)
            )
    return Counts(updated=len(back) + len(gone))
