"""The mall U+콕: products and prices into the service database, their history into the warehouse."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from artifacts.store import Store
from crawlers.items import CATEGORIES, KokPrice, KokProduct
from crawlers.run_report import read_crawl_report
from pipelines.load.history import History, Key
from pipelines.load.intake import Intake
from pipelines.load.kok_pages import CONTENT, SOURCE, product_row, write_parts
from pipelines.load.ledger import grow_version, lock_service, lock_warehouse, table_of
from pipelines.load.pending import Moment, Target
from pipelines.load.products import KOK, resolve_waiting, write_products
from pipelines.load.step import Loading, load_step
from pipelines.load.warehouse import LEDGER, PRICES, VERSIONS, close_versions
from pipelines.report import Report
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
    """Load pending files into ``kok_product``, what belongs to it, and ``kok_price``.

    A price of a product whose page was not read yet is kept. A product that no category lists any more has vanished;
    only a file that covers all categories can tell. Pages are read now and then, so they tell nothing of that. Raises
    ``GateBroken`` when a file is held back.
    """
    return load_step(
        "load_kok",
        warehouse,
        lambda loading: Target(
            service,
            table_of(catalog.LoadedFile),
            partial(lock_service, datasets=["kok"]),
            partial(_into_service, loading),
        ),
        store,
        SOURCE,
        datasets=DATASETS,
        items_in=(KOK, PRICE.table),
        accept=accept,
    )


def load_kok_history(warehouse: Engine, store: Store, *, accept: bool = False) -> Report:
    """Load pending files into ``dim_product`` and ``fct_price``; raises ``GateBroken`` when one is held back."""
    return load_step(
        "load_kok_history",
        warehouse,
        lambda loading: Target(
            warehouse, LEDGER, partial(lock_warehouse, name=SOURCE), partial(_into_warehouse, loading)
        ),
        store,
        SOURCE,
        datasets=DATASETS,
        items_in=(VERSIONS.table, PRICES.table),
        accept=accept,
    )


@dataclass(frozen=True)
class _Crawled:
    """The items of a moment; ``listed``: every product of which an item told, be it rejected. None: of which one?"""

    pages: list[KokProduct]
    prices: list[KokPrice]
    listed: set[int | None]


def _read(loading: Loading, moment: Moment) -> _Crawled:
    intake = Intake()
    pages: list[KokProduct] = []
    prices: list[KokPrice] = []
    for run in moment.runs:
        if run.dataset == "products":
            pages += intake.items(loading.store, run, KokProduct)
        else:
            prices += intake.items(loading.store, run, KokPrice)
    pages = intake.unique(pages, ["kok_product_id"], CONTENT)
    prices = intake.unique(prices, ["kok_product_id"], list(PRICE.values))
    intake.landed = len(pages) + len(prices)
    loading.admit(moment, intake)
    rejected = [item.get("kok_product_id") for item, _, _ in intake.rejects]
    listed = {price.kok_product_id for price in prices} | {each if isinstance(each, int) else None for each in rejected}
    return _Crawled(pages, prices, listed)


def _into_service(loading: Loading, conn: Connection, moment: Moment) -> None:
    crawled = _read(loading, moment)
    tally = write_parts(conn, crawled.pages)
    tally.add(KOK, write_products(conn, KOK, [product_row(page) for page in crawled.pages], moment.at))
    observed = {(price.kok_product_id,): price.model_dump(include=set(PRICE.values)) for price in crawled.prices}
    tally += PRICE.observe(conn, moment.at, observed)[0]
    certain = None not in crawled.listed and _lists_everything(loading, moment)
    tally.add(KOK, _mark_vanished(conn, moment, crawled.listed, certain=certain))
    tally += resolve_waiting(conn, KOK, SOURCE)
    if tally.written:
        grow_version(conn, "kok")
    loading.count(moment, tally)


def _into_warehouse(loading: Loading, conn: Connection, moment: Moment) -> None:
    crawled = _read(loading, moment)
    versions: dict[Key, dict[str, Any]] = {}
    priced: dict[Key, dict[str, Any]] = defaultdict(dict)
    for page in crawled.pages:
        key = (SOURCE, page.kok_product_id)
        versions[key] = page.model_dump(include=set(VERSIONS.values))
        priced[key]["list_price"] = page.list_price
    for price in crawled.prices:
        priced[SOURCE, price.kok_product_id] |= price.model_dump(include=set(PRICE.values))
    tally, changed = VERSIONS.observe(conn, moment.at, versions)
    close_versions(conn, changed)
    tally += PRICES.observe(conn, moment.at, priced)[0]
    loading.count(moment, tally)


def _lists_everything(loading: Loading, moment: Moment) -> bool:
    """Whether the moment's files cover every category in full."""
    complete = {
        entry.key["category"]
        for run in moment.runs
        if run.dataset == "prices"
        for entry in read_crawl_report(loading.store, run).scopes
        if entry.complete
    }
    return complete.issuperset(CATEGORIES)


def _mark_vanished(conn: Connection, moment: Moment, listed: Collection[int | None], *, certain: bool) -> Counts:
    """Products listed are there; the others have vanished, if it is ``certain`` that the lists are whole."""
    back, gone = [], []
    stored = conn.execute(select(KOK.c.kok_product_id, KOK.c.first_seen_at, KOK.c.vanished_at))
    for product_id, first_seen_at, vanished_at in stored:
        if product_id in listed:
            if vanished_at is not None:
                back.append(product_id)
        elif certain and first_seen_at <= moment.at and (vanished_at is None or vanished_at > moment.at):
            gone.append(product_id)
    for ids, vanished_at in ((back, None), (gone, moment.at)):
        for chunk in chunks(ids):
            conn.execute(update(KOK).where(KOK.c.kok_product_id.in_(chunk)).values(vanished_at=vanished_at))
    return Counts(updated=len(back) + len(gone))
