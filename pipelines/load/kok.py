"""The mall U+콕: products and prices into the service database, their history into the warehouse."""

from collections import defaultdict
from collections.abc import Collection
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from artifacts.raw import read_report
from artifacts.store import Store
from crawlers.items import KokPrice, KokProduct
from pipelines.load.history import History, Key
from pipelines.load.intake import Intake
from pipelines.load.ledger import grow_version, lock_service, lock_warehouse, table_of
from pipelines.load.pending import Moment, Target
from pipelines.load.products import DERIVED, KOK, keep_resolved, resolve_waiting
from pipelines.load.step import Loading, load_step
from pipelines.load.tally import Tally
from pipelines.load.warehouse import LEDGER, PRICES, VERSIONS, close_versions
from pipelines.load.words import fit
from pipelines.report import Report
from sql.service import catalog
from sql.upsert import Counts, chunks, upsert

SOURCE = "kok"
DATASETS = ("products", "prices")
CATEGORIES = frozenset(f"16{number}" for number in (11, *range(13, 25)))
PRICE = History(
    table_of(catalog.KokPrice),
    key=("kok_product_id",),
    time="observed_at",
    values={"price": None, "price_kind": "unknown", "discount_rate": 0},
)
PAGE = ("store_name", "product_name", "list_price", "thumbnail_url", "review_score", "review_count")


def load_kok(service: Engine, warehouse: Engine, store: Store, *, accept: bool = False) -> Report:
    """Load pending files into ``kok_product`` and ``kok_price``; raises ``GateBroken`` when one is held back.

    A price of a product whose page was not read yet is kept. A product that no category lists any more has vanished;
    only a file that covers all categories can tell.
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


def _read(loading: Loading, moment: Moment) -> tuple[list[KokProduct], list[KokPrice]]:
    intake = Intake()
    products: list[KokProduct] = []
    prices: list[KokPrice] = []
    for run in moment.runs:
        if run.dataset == "products":
            products += intake.items(loading.store, run, KokProduct)
        else:
            prices += intake.items(loading.store, run, KokPrice)
    products = intake.unique(products, ["kok_product_id"], PAGE)
    prices = intake.unique(prices, ["kok_product_id"], list(PRICE.values))
    loading.admit(moment, intake)
    return products, prices


def _into_service(loading: Loading, conn: Connection, moment: Moment) -> None:
    products, prices = _read(loading, moment)
    tally = Tally()
    rows = [
        {
            "kok_product_id": product.kok_product_id,
            **{name: getattr(product, name) for name in PAGE},
            "store_name": fit(product.store_name, 255),
            "product_name": fit(product.product_name, 1000),
            "first_seen_at": moment.at,
        }
        for product in products
    ]
    rows = keep_resolved(conn, KOK, ["kok_product_id"], rows)
    tally.add(KOK, upsert(conn, KOK, rows, update_columns=[*PAGE, "first_seen_at", *DERIVED]))
    observed = {(price.kok_product_id,): price.model_dump(include=set(PRICE.values)) for price in prices}
    tally += PRICE.observe(conn, moment.at, observed)[0]
    listed = {price.kok_product_id for price in prices}
    tally.add(KOK, _mark_vanished(conn, moment, listed, certain=_lists_everything(loading, moment)))
    tally += resolve_waiting(conn, KOK, SOURCE)
    if tally.written:
        grow_version(conn, "kok")
    loading.count(moment, tally)


def _into_warehouse(loading: Loading, conn: Connection, moment: Moment) -> None:
    products, prices = _read(loading, moment)
    versions: dict[Key, dict[str, Any]] = {}
    priced: dict[Key, dict[str, Any]] = defaultdict(dict)
    for product in products:
        key = (SOURCE, product.kok_product_id)
        versions[key] = product.model_dump(include=set(VERSIONS.values))
        priced[key]["list_price"] = product.list_price
    for price in prices:
        priced[SOURCE, price.kok_product_id] |= price.model_dump(include=set(PRICE.values))
    tally, changed = VERSIONS.observe(conn, moment.at, versions)
    close_versions(conn, changed)
    tally += PRICES.observe(conn, moment.at, priced)[0]
    loading.count(moment, tally)


def _lists_everything(loading: Loading, moment: Moment) -> bool:
    """Whether the moment's files cover every category in full."""
    complete = {
        entry["scope"]["category"]
        for run in moment.runs
        if run.dataset == "prices"
        for entry in read_report(loading.store, run)["scopes"]
        if entry["complete"]
    }
    return complete >= CATEGORIES


def _mark_vanished(conn: Connection, moment: Moment, listed: Collection[int], *, certain: bool) -> Counts:
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
