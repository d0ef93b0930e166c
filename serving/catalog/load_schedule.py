"""Read broadcasts and their products from the service database."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from sys import intern
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, select

from recommender.product_ref import ProductRef
from recommender.search.documents import Document
from recommender.search.index import SearchIndex
from recommender.search.weights import load_weights
from serving.catalog.broadcasts import PageParts, Product, Programme, Schedule, Show, Station
from serving.catalog.ingredient_names import read_synonyms
from serving.catalog.products import product_facts, read_product_ingredients, read_product_tokens
from serving.web.clock import kst_day
from sql.service.catalog import Broadcast, Channel, HomeShoppingProduct, ProductItem
from sql.service.pages import ProductDetail, ProductImage
from ukok.korea import KST

# About ten weeks of five channels are held in memory. Older shows are history, which the warehouse keeps.
NEWEST_BROADCASTS = 50_000


def load_schedule(conn: Connection) -> Schedule:
    """Read the newest broadcasts and their products."""
    channels = conn.execute(select(Channel.__table__).order_by(Channel.channel_id)).all()
    stations = {row.channel_id: Station(row.channel_id, row.channel_name, row.channel_number) for row in channels}
    newest = select(Broadcast.__table__).order_by(Broadcast.starts_at.desc()).limit(NEWEST_BROADCASTS)
    rows = conn.execute(newest).all()
    sources = {row.source for row in rows}
    tokens = read_product_tokens(conn, sources)
    products = _products(conn, sources, rows[-1].starts_at, tokens) if rows else {}
    shows = [
        _show(row, stations[row.channel_id], products[ref])
        for row in rows
        if row.cancelled_at is None and row.channel_id in stations and (ref := _ref(row)) in products
    ]
    shows.sort(key=lambda show: (show.starts_at, show.live_id))
    searchable = tuple({show.product.ref: show.product for show in shows}.values())
    return Schedule(
        by_day={day: tuple(group) for day, group in groupby(shows, key=lambda show: show.day)},
        by_live_id={show.live_id: show for show in shows},
        by_product=_grouped_by_product(shows),
        newest_by_id=_newest_by_id(rows, products),
        by_ingredient=_by_ingredient(searchable),
        programmes=_programmes([stations[row.channel_id] for row in channels if row.source], shows),
        searchable=searchable,
        index=SearchIndex(
            (_document(product, tokens.get(product.ref, "")) for product in searchable),
            load_weights("products"),
            read_synonyms(conn),
        ),
        pages=_pages(conn, products),
    )


def _document(product: Product, tokens: str) -> Document:
    return Document(
        title=product.name,
        store=product.store or "",
        tokens=tokens,
        ingredients=product.ingredients,
        is_food=product.is_food,
        is_ingredient=product.is_ingredient,
    )


def _pages(conn: Connection, products: Mapping[ProductRef, Product]) -> dict[ProductRef, PageParts]:
    """Read details and images of the product pages. Names of details recur, so they are interned."""
    details: dict[ProductRef, list[tuple[str, str]]] = defaultdict(list)
    images: dict[ProductRef, list[str]] = defaultdict(list)
    sources = {source for source, _ in products}
    query = select(ProductDetail.__table__).where(ProductDetail.source.in_(sources)).order_by(ProductDetail.position)
    for row in conn.execute(query):
        details[_ref(row)].append((intern(row.name), row.value))
    query = select(ProductImage.__table__).where(ProductImage.source.in_(sources)).order_by(ProductImage.position)
    for row in conn.execute(query):
        images[_ref(row)].append(row.image_url)
    return {
        ref: PageParts(tuple(details.get(ref, ())), tuple(images.get(ref, ())))
        for ref in products
        if ref in details or ref in images
    }


def _products(
    conn: Connection, sources: Iterable[str], since: datetime, tokens: Mapping[ProductRef, str]
) -> dict[ProductRef, Product]:
    """Read the products that were broadcast since an instant."""
    ingredients = read_product_ingredients(conn, sources)
    columns = [column for column in HomeShoppingProduct.__table__.columns if column.name != "description"]
    broadcast = exists().where(
        Broadcast.source == HomeShoppingProduct.source,
        Broadcast.source_product_id == HomeShoppingProduct.source_product_id,
        Broadcast.starts_at >= since,
    )
    item = and_(
        ProductItem.source == HomeShoppingProduct.source,
        ProductItem.source_product_id == HomeShoppingProduct.source_product_id,
    )
    query: Select[*tuple[Any, ...]] = select(*columns, ProductItem.item_id).where(broadcast)
    rows = conn.execute(query.outerjoin(ProductItem, item))
    return {_ref(row): _product(row, ingredients, tokens) for row in rows}


def _product(
    row: Row[Any], ingredients: Mapping[ProductRef, tuple[str, ...]], tokens: Mapping[ProductRef, str]
) -> Product:
    ref = _ref(row)
    return Product(
        ref=ref,
        name=row.product_name,
        store=row.store_name,
        thumbnail=row.thumbnail_url or "",
        is_food=row.is_food,
        is_ingredient=row.is_ingredient,
        ingredients=ingredients.get(ref, ()),
        list_price=row.list_price,
        price=row.price,
        price_kind=row.price_kind,
        discount_rate=row.discount_rate,
        item_id=row.item_id,
        facts=product_facts(row, ref, ingredients, tokens),
    )


def _ref(row: Row[Any]) -> ProductRef:
    return ProductRef(row.source, row.source_product_id)


def _show(row: Row[Any], station: Station, product: Product) -> Show:
    """A row of ``broadcast`` as a show, with the prices of the product page where the schedule has none.

    ``discount_rate``: as the source gives it in the schedule, else on the product page for the same price.
    """
    list_price, price, price_kind, rate = row.list_price, row.price, row.price_kind, row.discount_rate
    if price_kind == "unknown":
        price, price_kind = product.price, product.price_kind
    if list_price is None and product.list_price is not None and product.list_price >= (price or 0):
        list_price = product.list_price
    if rate is None and price == product.price:
        rate = product.discount_rate
    return Show(
        live_id=row.broadcast_id,
        station=station,
        product=product,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        day=kst_day(row.starts_at),
        start_time=_kst_time(row.starts_at),
        end_time=_kst_time(row.ends_at),
        slot=row.slot,
        title=row.title,
        list_price=list_price,
        price=price,
        price_kind=price_kind,
        discount_rate=rate,
    )


def _kst_time(instant: datetime) -> str:
    return f"{instant.astimezone(KST):%H:%M:%S}"


def _grouped_by_product(shows: Iterable[Show]) -> dict[ProductRef, tuple[Show, ...]]:
    groups: dict[ProductRef, list[Show]] = defaultdict(list)
    for show in shows:
        groups[show.product.ref].append(show)
    return {ref: tuple(group) for ref, group in groups.items()}


def _programmes(crawled: Iterable[Station], shows: Iterable[Show]) -> tuple[Programme, ...]:
    """The programme of each channel that is crawled or has shows, by channel id; ``shows`` are in order of start."""
    by_station: dict[Station, dict[datetime, list[Show]]] = {station: {} for station in crawled}
    for show in shows:
        by_station.setdefault(show.station, {}).setdefault(show.starts_at, []).append(show)
    return tuple(
        Programme(
            station,
            tuple(starting),
            tuple(tuple(sorted(together, key=lambda show: show.slot)) for together in starting.values()),
        )
        for station, starting in sorted(by_station.items())
    )


def _newest_by_id(rows: Iterable[Row[Any]], products: dict[ProductRef, Product]) -> dict[int, Product]:
    """Map ids without a source to products; of several sources the newest broadcast wins. ``rows`` are newest first."""
    newest: dict[int, Product] = {}
    for row in rows:
        product = products.get(_ref(row))
        if product:
            newest.setdefault(row.source_product_id, product)
    return newest


def _by_ingredient(products: Iterable[Product]) -> dict[str, tuple[Product, ...]]:
    groups: dict[str, list[Product]] = defaultdict(list)
    for product in products:
        for name in dict.fromkeys(product.ingredients):
            if product.is_food:
                groups[name].append(product)
    return {name: tuple(group) for name, group in groups.items()}
