"""Broadcasts and their products, read from the service database into memory."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from sys import intern
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, exists, select

from recommender.search.index import Knows, TextIndex
from serving.catalog.mall import product_ingredients, read_synonyms, search_tokens
from serving.web.clock import KST, kst_day
from serving.web.fragments import Fragments
from sql.service.catalog import Broadcast, Channel, HomeShoppingProduct, ProductItem
from sql.service.pages import ProductDetail, ProductImage

# About ten weeks of five channels: what memory holds. Older shows are history, which the warehouse keeps.
NEWEST_BROADCASTS = 50_000
# How far from today the schedule is shown.
DAYS_AHEAD = timedelta(days=10)

ProductKey = tuple[str, int]


class Station(NamedTuple):
    """A channel as the frontend shows it."""

    channel_id: int
    name: str
    number: int


class Product(NamedTuple):
    """A product sold in broadcasts. Listings of the same goods, also of the mall, share an ``item_id``."""

    source: str
    product_id: int
    name: str
    store: str | None
    thumbnail: str
    is_food: bool
    is_ingredient: bool
    ingredients: tuple[str, ...]
    list_price: int | None
    price: int | None
    price_kind: str
    item_id: str | None


class PageParts(NamedTuple):
    """What a product's page shows: rows of facts, by name and value, and the images of its description."""

    details: tuple[tuple[str, str], ...]
    images: tuple[str, ...]


class Show(NamedTuple):
    """A product in a show that is on the schedule; times are also kept as the frontend reads them."""

    live_id: int
    station: Station
    product: Product
    starts_at: datetime
    ends_at: datetime
    day: date
    start_time: str
    end_time: str
    slot: str
    title: str | None
    list_price: int | None
    price: int | None
    price_kind: str


@dataclass(frozen=True, slots=True)
class Programme:
    """What a channel shows in the order of their start; shows that start together are one, main products first."""

    station: Station
    starts: tuple[datetime, ...] = ()
    shows: tuple[tuple[Show, ...], ...] = ()

    def at(self, now: datetime) -> tuple[tuple[Show, ...] | None, tuple[Show, ...] | None]:
        """The show on air and the next one; None where there is none. A show runs from its start until before its end.

        Of shows that overlap, the one that started last is on air.
        """
        following = bisect_right(self.starts, now)
        on_air = next((shows for shows in reversed(self.shows[:following]) if _ends_at(shows) > now), None)
        return on_air, self.shows[following] if following < len(self.shows) else None

    def next_change(self, now: datetime) -> datetime | None:
        """When :meth:`at` will answer differently; None when it never will."""
        on_air, following = self.at(now)
        changes = [_ends_at(on_air)] if on_air else []
        changes += [following[0].starts_at] if following else []
        return min(changes, default=None)


@dataclass(frozen=True)
class Schedule:
    """Shows that are not cancelled, in order of their start, by what they are asked for."""

    by_day: dict[date, tuple[Show, ...]] = field(default_factory=dict)
    by_live_id: dict[int, Show] = field(default_factory=dict)
    by_product: dict[ProductKey, tuple[Show, ...]] = field(default_factory=dict)
    products: dict[int, Product] = field(default_factory=dict)
    by_ingredient: dict[str, tuple[Product, ...]] = field(default_factory=dict)
    programmes: tuple[Programme, ...] = ()
    searchable: tuple[Product, ...] = ()
    index: TextIndex = field(default_factory=lambda: TextIndex(()))
    pages: dict[ProductKey, PageParts] = field(default_factory=dict)
    fragments: Fragments = field(default_factory=dict)

    def page_of(self, product: Product) -> PageParts:
        """What a product's page shows, nothing where it was not read yet."""
        return self.pages.get((product.source, product.product_id), PageParts((), ()))

    def find_product(self, product_id: int) -> Product | None:
        """A product by its source's id or, as the frontend sometimes asks, by the id of a show."""
        product = self.products.get(product_id)
        show = None if product else self.by_live_id.get(product_id)
        return show.product if show else product

    def product_of(self, source: str, product_id: int) -> Product | None:
        """A product that is on the schedule."""
        shows = self.by_product.get((source, product_id))
        return shows[-1].product if shows else None

    def food_between(self, first: date, last: date) -> Iterator[Show]:
        """Food shows of the days ``first`` to ``last``, in order."""
        for offset in range((last - first).days + 1):
            yield from (show for show in self.by_day.get(first + timedelta(offset), ()) if show.product.is_food)

    def next_show(self, product: Product, now: datetime) -> Show | None:
        """The show of a product that is on air, else the next one."""
        shows = self.by_product.get((product.source, product.product_id), ())
        return next((show for show in shows if show.ends_at > now), None)

    def search(self, keyword: str, knows: Knows, now: datetime) -> list[Show]:
        """The current or next show of each product that matches: on air first, then in order of their start."""
        found = (self.next_show(self.searchable[position], now) for position in self.index.find(keyword, knows))
        return sorted((show for show in found if show), key=lambda show: (show.starts_at, show.live_id))

    def with_ingredient(self, name: str, now: datetime) -> list[Show]:
        """The current or next show of each food product made of an ingredient, in order of their start."""
        found = (self.next_show(product, now) for product in self.by_ingredient.get(name, ()))
        return sorted((show for show in found if show), key=lambda show: (show.starts_at, show.live_id))


def load_schedule(conn: Connection) -> Schedule:
    """Read the newest broadcasts and their products."""
    channels = conn.execute(select(Channel.__table__).order_by(Channel.channel_id)).all()
    stations = {row.channel_id: Station(row.channel_id, row.channel_name, row.channel_number) for row in channels}
    newest = select(Broadcast.__table__).order_by(Broadcast.starts_at.desc()).limit(NEWEST_BROADCASTS)
    rows = conn.execute(newest).all()
    sources = {row.source for row in rows}
    products = _products(conn, sources, rows[-1].starts_at) if rows else {}
    shows = [
        _show(row, stations[row.channel_id], products[(row.source, row.source_product_id)])
        for row in rows
        if row.cancelled_at is None and row.channel_id in stations and (row.source, row.source_product_id) in products
    ]
    shows.sort(key=lambda show: (show.starts_at, show.live_id))
    searchable = tuple({(s.product.source, s.product.product_id): s.product for s in shows}.values())
    tokens = search_tokens(conn, sources)
    return Schedule(
        by_day={day: tuple(group) for day, group in groupby(shows, key=lambda show: show.day)},
        by_live_id={show.live_id: show for show in shows},
        by_product=_grouped_by_product(shows),
        products=_newest_by_id(rows, products),
        by_ingredient=_by_ingredient(searchable),
        programmes=_programmes([stations[row.channel_id] for row in channels if row.source], shows),
        searchable=searchable,
        index=TextIndex(
            ((f"{p.store or ''} {p.name}", tokens.get((p.source, p.product_id), "")) for p in searchable),
            read_synonyms(conn),
        ),
        pages=_pages(conn, products),
    )


def _pages(conn: Connection, products: Mapping[ProductKey, Product]) -> dict[ProductKey, PageParts]:
    """Facts and images of the products' pages. The names of facts recur, so equal ones are one object."""
    details: dict[ProductKey, list[tuple[str, str]]] = defaultdict(list)
    images: dict[ProductKey, list[str]] = defaultdict(list)
    sources = {source for source, _ in products}
    facts = select(ProductDetail.__table__).where(ProductDetail.source.in_(sources)).order_by(ProductDetail.position)
    for row in conn.execute(facts):
        details[(row.source, row.source_product_id)].append((intern(row.name), row.value))
    pictures = select(ProductImage.__table__).where(ProductImage.source.in_(sources)).order_by(ProductImage.position)
    for row in conn.execute(pictures):
        images[(row.source, row.source_product_id)].append(row.image_url)
    return {
        key: PageParts(tuple(details.get(key, ())), tuple(images.get(key, ())))
        for key in products
        if key in details or key in images
    }


def _products(conn: Connection, sources: Iterable[str], since: datetime) -> dict[ProductKey, Product]:
    ingredients = product_ingredients(conn, sources)
    columns = [column for column in HomeShoppingProduct.__table__.columns if column.name != "description"]
    shown = exists().where(
        Broadcast.source == HomeShoppingProduct.source,
        Broadcast.source_product_id == HomeShoppingProduct.source_product_id,
        Broadcast.starts_at >= since,
    )
    item = and_(
        ProductItem.source == HomeShoppingProduct.source,
        ProductItem.source_product_id == HomeShoppingProduct.source_product_id,
    )
    return {
        (row.source, row.source_product_id): Product(
            source=row.source,
            product_id=row.source_product_id,
            name=row.product_name,
            store=row.store_name,
            thumbnail=row.thumbnail_url or "",
            is_food=row.is_food,
            is_ingredient=row.is_ingredient,
            ingredients=ingredients.get((row.source, row.source_product_id), ()),
            list_price=row.list_price,
            price=row.price,
            price_kind=row.price_kind,
            item_id=row.item_id,
        )
        for row in conn.execute(select(*columns, ProductItem.item_id).outerjoin(ProductItem, item).where(shown))
    }


def _show(row: Row[Any], station: Station, product: Product) -> Show:
    list_price, price, price_kind = row.list_price, row.price, row.price_kind
    if price_kind == "unknown":
        price, price_kind = product.price, product.price_kind
    if list_price is None and product.list_price is not None and product.list_price >= (price or 0):
        list_price = product.list_price
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
    )


def _ends_at(shows: tuple[Show, ...]) -> datetime:
    """When the last product of a show is over."""
    return max(show.ends_at for show in shows)


def _kst_time(instant: datetime) -> str:
    return f"{instant.astimezone(KST):%H:%M:%S}"


def _grouped_by_product(shows: Iterable[Show]) -> dict[ProductKey, tuple[Show, ...]]:
    found: dict[ProductKey, list[Show]] = defaultdict(list)
    for show in shows:
        found[(show.product.source, show.product.product_id)].append(show)
    return {key: tuple(group) for key, group in found.items()}


def _programmes(crawled: Iterable[Station], shows: Iterable[Show]) -> tuple[Programme, ...]:
    """The programme of each channel that is crawled or has shows, by channel; ``shows`` are in order of their start."""
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


def _newest_by_id(rows: Iterable[Row[Any]], products: dict[ProductKey, Product]) -> dict[int, Product]:
    """Products by the id alone; of two sources that share one, the newest broadcast wins. ``rows`` are newest first."""
    found: dict[int, Product] = {}
    for row in rows:
        product = products.get((row.source, row.source_product_id))
        if product:
            found.setdefault(row.source_product_id, product)
    return found


def _by_ingredient(products: Iterable[Product]) -> dict[str, tuple[Product, ...]]:
    found: dict[str, list[Product]] = defaultdict(list)
    for product in products:
        for name in dict.fromkeys(product.ingredients):
            if product.is_food:
                found[name].append(product)
    return {name: tuple(group) for name, group in found.items()}
