"""Files that arrive in any order give the same rows as a simple model that gets them in order of crawl."""

import secrets
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import zip_longest
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, Table, select

from artifacts.open import open_store
from artifacts.store import Store
from pipelines.load.child_rows import DETAIL
from pipelines.load.kok_pages import REVIEW
from pipelines.load.ledger import table_of
from pipelines.load.moved_shows import BROADCAST
from pipelines.load.schedules import FCT_BROADCAST
from pipelines.load.sources import load_source
from sql.service import catalog
from sql.warehouse import history
from tests.builders.raw_runs import Item, kst, page, price, product, put_prices, put_products, put_shows, review, show
from tests.conftest import servers_only

PRICE, FCT_PRICE = table_of(catalog.KokPrice), table_of(history.FctPrice)
KOK, VERSION = table_of(catalog.KokProduct), table_of(history.DimProduct)
HOME_SHOPPING = table_of(catalog.HomeShoppingProduct)

CRAWLS = 6  # of one source, three hours apart; their files arrive in three loads
PRODUCTS = 12  # each an independent example

TIMES = [kst("02:00") + timedelta(hours=3 * crawl) for crawl in range(CRAWLS)]
TURNS = st.lists(st.integers(0, 2), min_size=CRAWLS, max_size=CRAWLS)
WHOLE = st.lists(st.sampled_from([True, True, False]), min_size=CRAWLS, max_size=CRAWLS)
SLOW = settings(
    max_examples=6,
    phases=[Phase.explicit, Phase.generate],  # an example is three loads: too slow to shrink
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def table_of_sights(seen: st.SearchStrategy[Any]) -> st.SearchStrategy[list[list[Any]]]:
    """Strategy: for each product what each crawl saw, None if it did not see the product."""
    crawls = st.lists(st.none() | seen | seen, min_size=CRAWLS, max_size=CRAWLS)
    return st.lists(crawls, min_size=PRODUCTS, max_size=PRODUCTS)


CARDS = table_of_sights(
    st.tuples(st.sampled_from([100, 200]), st.sampled_from([0, 50]), st.sampled_from(["1611", "1613"]))
)
PAGES = table_of_sights(st.tuples(st.sampled_from(["감자", "양파"]), st.sampled_from([200, 400])))
SHOWS = table_of_sights(
    st.tuples(st.sampled_from([100, 200, None]), st.sampled_from([None, 300]), st.sampled_from([None, 33]))
)
SHOP_PAGES = table_of_sights(
    st.tuples(st.sampled_from(["가게", "다른 가게"]), st.sampled_from([110, None]), st.sampled_from([400, 500, None]))
)


@servers_only
@SLOW
@given(CARDS, PAGES, WHOLE, TURNS, TURNS)
def test_mall_files_in_any_order_give_the_same_rows(
    service: Engine,
    warehouse: Engine,
    artifacts_url: str,
    cards: list[list[Any]],
    pages: list[list[Any]],
    whole: list[bool],
    card_turns: list[int],
    page_turns: list[int],
) -> None:
    store, base = _start(service, warehouse, artifacts_url)
    for turn in range(3):
        for crawl in range(CRAWLS):
            if page_turns[crawl] == turn:
                seen = [(base + n, pages[n][crawl]) for n in range(PRODUCTS) if pages[n][crawl]]
                put_products(store, TIMES[crawl], [_mall_page(n, *page) for n, page in seen])
            if card_turns[crawl] == turn:
                seen = [(base + n, cards[n][crawl]) for n in range(PRODUCTS) if cards[n][crawl]]
                missing = () if whole[crawl] else ["1611", "1613"]
                put_prices(
                    store,
                    TIMES[crawl],
                    [price(n, card[0], card[1], category=card[2]) for n, card in seen],
                    missing=missing,
                    gated=False,
                )
        load_source("kok", service, warehouse, store, accept=True)
    columns = "observed_at", "price", "discount_rate"
    assert _read(service, PRICE, base, *columns) == [
        list(_changes([card and card[:2] for card in cards[n]])) for n in range(PRODUCTS)
    ]
    assert _read(warehouse, FCT_PRICE, base, *columns, "list_price") == [
        list(_changes(_combined(cards[n], pages[n]))) for n in range(PRODUCTS)
    ]
    assert _read(warehouse, VERSION, base, "valid_from", "product_name", "category", "valid_to") == [
        list(_versions(cards[n], pages[n])) for n in range(PRODUCTS)
    ]
    assert _read(service, KOK, base, "first_seen_at", "product_name", "list_price", "category", "vanished_at") == [
        list(_product(cards[n], pages[n], whole)) for n in range(PRODUCTS)
    ]
    assert _read(service, DETAIL, base, "value") == [
        [page[:1] for page in pages[n] if page][-1:] for n in range(PRODUCTS)
    ]
    texts = [{(f"{name} {list_price}",) for name, list_price in filter(None, pages[n])} for n in range(PRODUCTS)]
    assert _read(service, REVIEW, base, "text") == [sorted(found) for found in texts]


@servers_only
@SLOW
@given(SHOWS, SHOP_PAGES, WHOLE, TURNS, TURNS)
def test_schedule_files_in_any_order_give_the_same_rows(
    service: Engine,
    warehouse: Engine,
    artifacts_url: str,
    shows: list[list[Any]],
    pages: list[list[Any]],
    whole: list[bool],
    show_turns: list[int],
    page_turns: list[int],
) -> None:
    store, base = _start(service, warehouse, artifacts_url)
    for turn in range(3):
        for crawl in range(CRAWLS):
            if show_turns[crawl] == turn:
                seen = [(n, shows[n][crawl]) for n in range(PRODUCTS) if shows[n][crawl]]
                items = [_show_item(n, base + n, *said) for n, said in seen]
                put_shows(store, TIMES[crawl], items, complete=whole[crawl], gated=False)
            if page_turns[crawl] == turn:
                seen = [(base + n, pages[n][crawl]) for n in range(PRODUCTS) if pages[n][crawl]]
                put_products(store, TIMES[crawl], [_shop_page(n, *said) for n, said in seen], source="hnsmall")
        load_source("hnsmall", service, warehouse, store, accept=True)
    expected = [list(_show(n, shows[n], whole)) for n in range(PRODUCTS)]
    for engine, table in ((service, BROADCAST), (warehouse, FCT_BROADCAST)):
        assert _read(engine, table, base, "price", "list_price", "discount_rate", "cancelled_at") == expected
    reported = [list(_reported(shows[n], pages[n], in_warehouse=True)) for n in range(PRODUCTS)]
    stored = [list(_reported(shows[n], pages[n], in_warehouse=False)) for n in range(PRODUCTS)]
    columns = "product_name", "store_name", "price", "list_price", "discount_rate"
    assert _read(service, HOME_SHOPPING, base, *columns) == [[last for last in each if last][-1:] for each in stored]
    assert _read(warehouse, VERSION, base, "valid_from", *columns[:2]) == [
        list(_changes([seen and seen[:2] for seen in each])) for each in reported
    ]
    assert _read(warehouse, FCT_PRICE, base, "observed_at", *columns[2:]) == [
        list(_changes([seen and seen[2:] for seen in each])) for each in reported
    ]


Sights = Sequence[tuple[Any, ...] | None]


def _changes(sights: Sights) -> Iterator[tuple[Any, ...]]:
    """Yield what was seen where it differs from before."""
    last = None
    for at, seen in zip(TIMES, sights, strict=True):
        if seen is not None and seen != last:
            yield (at, *seen)
            last = seen


def _combined(cards: Sights, pages: Sights) -> list[tuple[Any, ...] | None]:
    """Price, rate and list price together; each is as before where a crawl did not see it.

    But a list price that does not go with a new price and rate is unknown until a page shows it, and a page alone adds
    nothing to a price that is known.
    """
    card: tuple[Any, ...] = (None, None)
    list_price = None
    combined: list[tuple[Any, ...] | None] = []
    for seen, page_seen in zip(cards, pages, strict=True):
        card_seen = seen and seen[:2]
        page_adds = page_seen if card_seen or card[0] is None else None
        if page_adds:
            list_price = page_adds[1]
        elif list_price and card_seen not in (None, card) and 100 - 100 * card_seen[0] / list_price != card_seen[1]:
            list_price = None
        card = card_seen or card
        combined.append((*card, list_price) if card_seen or page_adds else None)
    return combined


def _versions(cards: Sights, pages: Sights) -> Iterator[tuple[Any, ...]]:
    """Yield name and category where they change; the category of a product counts once a page has named it."""
    name = category = None
    sights: list[tuple[Any, ...] | None] = []
    for card, page_seen in zip(cards, pages, strict=True):
        name = page_seen[0] if page_seen else name
        category = card[2] if card and name else category
        sights.append((name, category) if name else None)
    found = list(_changes(sights))
    ends = [at for at, *_ in found[1:]]
    yield from ((*version, end) for version, end in zip_longest(found, ends))


def _product(cards: Sights, pages: Sights, whole: Sequence[bool]) -> Iterator[tuple[Any, ...]]:
    """Yield the product as on its newest page, with the crawls of its first page and of its vanishing.

    It has vanished when two crawls in a row that read its category in full did not list it.
    """
    first, newest, category, vanished, absent = None, None, None, None, 0
    listed = False
    for at, card, page_seen, certain in zip(TIMES, cards, pages, whole, strict=True):
        newest = page_seen or newest
        first = first or (at if page_seen else None)
        listed = listed or bool(card)
        if card:
            category = card[2] if newest else None
            vanished, absent = None, 0
        elif certain and (listed or first):
            absent += 1
        if newest and absent > 1 and certain and not card:
            vanished = vanished or at
    if newest:
        yield (first, *newest, category, vanished)


def _show(number: int, sights: Sights, whole: Sequence[bool]) -> Iterator[tuple[Any, ...]]:
    newest, cancelled = None, None
    for at, seen, certain in zip(TIMES, sights, whole, strict=True):
        newest = seen or newest
        if seen:
            cancelled = None
        elif certain and newest and at < kst(f"{8 + number:02}:00"):  # afterwards it is over
            cancelled = cancelled or at
    if newest:
        yield (*newest, cancelled)


def _reported(shows: Sights, pages: Sights, *, in_warehouse: bool) -> Iterator[tuple[Any, ...] | None]:
    """Yield name, store, price, list price and rate of a product after each crawl that saw it.

    A rate is that of its price. In the warehouse a list price that does not go with a new price and rate is unknown
    until it is seen, and one that is seen alone adds nothing to a price that is known.
    """
    name = store = None
    price: Any = None
    list_price: Any = None
    rate: Any = None
    for show_seen, page_seen in zip(shows, pages, strict=True):
        name = "방송" if show_seen else name
        if page_seen and name:
            store = page_seen[0]
        if show_seen:
            _, of_page, list_of_page = page_seen or (None, None, None)
            before = (price, rate)
            if in_warehouse and price and not (show_seen[0] or of_page):
                yield (name, store, price, list_price, rate)
                continue
            price = show_seen[0] or of_page or price
            rate = (show_seen[2] if show_seen[0] else None) or (rate if price == before[0] else None)
            renewed = list_price and rate and before != (price, rate)
            if in_warehouse and renewed and abs(100 - 100 * price / list_price - rate) > 1:
                list_price = None
            list_price = show_seen[1] or list_of_page or list_price
        yield (name, store, price, list_price, rate) if name and (show_seen or page_seen) else None


def _mall_page(product_id: int, name: str, list_price: int) -> Item:
    facts: Item = {"details": [{"name": "이름", "value": name}], "reviews": [review(f"{name} {list_price}")]}
    return product(product_id, name, list_price=list_price, **facts)


def _show_item(number: int, product_id: int, won: int | None, list_price: int | None, rate: int | None) -> Item:
    reported: Item = {"price": won, "price_kind": "amount" if won else "unknown", "list_price": list_price}
    reported["discount_rate"] = rate
    return show(f"{8 + number:02}:00", f"{8 + number:02}:30", product_id, product_name="방송", **reported)


def _shop_page(product_id: int, store_name: str, won: int | None, list_price: int | None) -> Item:
    return page(product_id, product_name="쪽", store_name=store_name, price=won, list_price=list_price)


def _start(service: Engine, warehouse: Engine, artifacts_url: str) -> tuple[Store, int]:
    """Return an empty store and the first product id of this example, after the tables were emptied."""
    emptied = (
        (service, (KOK, PRICE, BROADCAST, HOME_SHOPPING, DETAIL, REVIEW)),
        (warehouse, (FCT_PRICE, VERSION, FCT_BROADCAST)),
    )
    for engine, tables in emptied:
        with engine.begin() as conn:
            for table in tables:
                conn.execute(table.delete())
    return open_store(f"{artifacts_url}/{secrets.token_hex(4)}"), 1 + secrets.randbelow(2**40)


def _read(engine: Engine, table: Table, base: int, *columns: str) -> list[list[tuple[Any, ...]]]:
    """Return the rows of each product, sorted by the first column."""
    key = table.c.kok_product_id if "kok_product_id" in table.c else table.c.source_product_id
    found: list[list[tuple[Any, ...]]] = [[] for _ in range(PRODUCTS)]
    with engine.connect() as conn:
        statement = select(key, *(table.c[name] for name in columns)).order_by(table.c[columns[0]])
        for product_id, *values in conn.execute(statement):
            found[product_id - base].append(tuple(values))
    return found
