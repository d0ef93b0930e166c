"""What the databases hold after a drill, compared with what the sources show."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, select

from crawlers.standin.catalog import Catalog
from sql.service.catalog import Broadcast, KokPrice, KokProduct
from sql.warehouse.events import FctUserEvent, RejectedEvent, UserEvent
from sql.warehouse.history import DimProduct, FctBroadcast, FctPrice
from tests.builders.truth import CHANNELS, instants
from ukok.korea import KST

Rows = set[tuple[Any, ...]]


def compare_mall(catalog: Catalog, service: Engine, warehouse: Engine) -> str:
    """Compare the products of the mall and their present prices in both databases with the catalog."""
    products = {(row.product_id,) for row in catalog.kok}
    prices = {(row.product_id, row.price) for row in catalog.kok}
    current = DimProduct.valid_to.is_(None)
    return _worded(
        f"{len(products)} products of the mall with their prices",
        [
            ("service products", products, _rows(service, select(KokProduct.kok_product_id))),
            ("service prices", prices, _latest(service, KokPrice.kok_product_id, KokPrice, True)),
            (
                "warehouse products",
                products,
                _rows(warehouse, select(DimProduct.source_product_id).where(DimProduct.source == "kok", current)),
            ),
            (
                "warehouse prices",
                prices,
                _latest(warehouse, FctPrice.source_product_id, FctPrice, FctPrice.source == "kok"),
            ),
        ],
    )


def compare_schedules(catalog: Catalog, service: Engine, warehouse: Engine, sources: tuple[str, ...]) -> str:
    """Compare the coming shows of broadcasters in both databases with the catalog."""
    # The show on air at the crawl may be listed without its start: the comparison begins with the next hour but one.
    since = datetime.now(KST) + timedelta(hours=2)
    channels = [channel for source in sources for channel in CHANNELS[source]]
    expected = {
        (row.channel_id, instants(row)[0], row.product_id)
        for row in catalog.shows
        if row.channel_id in channels and instants(row)[0] >= since
    }
    found = []
    for name, engine, table in (("service", service, Broadcast), ("warehouse", warehouse, FctBroadcast)):
        statement = select(table.channel_id, table.starts_at, table.source_product_id).where(
            table.cancelled_at.is_(None), table.starts_at >= since, table.channel_id.in_(channels)
        )
        found.append((f"{name} shows", expected, _rows(engine, statement)))
    return _worded(f"{len(expected)} coming shows of {', '.join(sources)}", found)


def compare_events(warehouse: Engine) -> str:
    """Compare the events that landed with those in the fact table and those that were rejected."""
    landed = _rows(warehouse, select(UserEvent.event_id))
    taken = _rows(warehouse, select(FctUserEvent.event_id)) | _rows(warehouse, select(RejectedEvent.event_id))
    with warehouse.connect() as conn:
        facts = conn.scalar(select(func.count()).select_from(FctUserEvent)) or 0
    return _worded(f"{len(landed)} events landed, {facts} facts", [("events", landed, taken)])


def _latest(engine: Engine, product: Any, table: Any, where: Any) -> Rows:
    newest = (
        select(product.label("product"), func.max(table.observed_at).label("at"))
        .where(where)
        .group_by(product)
        .subquery()
    )
    joined = (product == newest.c.product) & (table.observed_at == newest.c.at)
    return _rows(engine, select(product, table.price).join(newest, joined).where(where))


def _rows(engine: Engine, statement: Any) -> Rows:
    with engine.connect() as conn:
        return {tuple(row) for row in conn.execute(statement)}


def _worded(what: str, comparisons: list[tuple[str, Rows, Rows]]) -> str:
    differences = list(_differences(comparisons))
    return f"differs: {'; '.join(differences)}" if differences else f"equal: {what}"


def _differences(comparisons: list[tuple[str, Rows, Rows]]) -> Iterator[str]:
    for name, expected, found in comparisons:
        if expected != found:
            yield f"{name}: {len(expected - found)} missing, {len(found - expected)} too many"
