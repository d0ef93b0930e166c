"""Loading product pages, and merging a broadcaster's pages and shows into products."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from artifacts.store import Store
from pipelines.load.child_rows import DETAIL, IMAGE
from pipelines.load.kok_pages import REVIEW, SELLER
from pipelines.load.ledger import table_of
from pipelines.load.products import DOCUMENT, HOME_SHOPPING, KOK_PRODUCT
from pipelines.load.sources import load_source
from pipelines.load.warehouse_history import PRICES, VERSIONS
from pipelines.report import Report
from sql.service import catalog
from tests.builders.raw_runs import (
    Item,
    kst,
    page,
    price,
    product,
    put_prices,
    put_products,
    put_shows,
    review,
    rows,
    seller,
    show,
)

Load = Callable[..., list[Report]]
T = [kst("02:00") + timedelta(hours=3 * hour) for hour in range(8)]
AMOUNT: Item = {"price": 59900, "price_kind": "amount"}
UNKNOWN: Item = {"price": None, "price_kind": "unknown"}


@pytest.fixture
def load(service: Engine, warehouse: Engine, store: Store) -> Load:
    return lambda source="kok", **options: load_source(source, service, warehouse, store, **options)


def detail(name: str, value: str) -> Item:
    return {"name": name, "value": value}


def test_a_mall_page_is_loaded_in_full(service: Engine, store: Store, load: Load) -> None:
    sold_by = seller(address="서울\0 🍣")
    whole: Item = {
        "rating_shares": [70, 15, 10, 5, 0],
        "price_aspect": {"opinion": "저렴해요", "share": 80},
        "delivery_aspect": {"opinion": "빨라요", "share": None},
        "seller": sold_by,
        "details": [detail("원산지", "국내산\0"), detail("원산지", "상세 설명 참조")],
        "images": ["https://image/1.jpg", "https://image/2.jpg", "https://image/1.jpg"],
        "reviews": [review("아주\n 맛있어요 🍣"), review(None, nickname=None, written_on=None, score=None)],
    }
    put_products(store, T[0], [product(2**40, **whole)])
    report, _ = load()
    assert (report.read, report.rejected) == (1, {})
    shares = [f"{stars}_star_share" for stars in ("five", "four", "three", "two", "one")]
    assert rows(service, KOK_PRODUCT, *shares) == [(70, 15, 10, 5, 0)]
    opinions = rows(
        service, KOK_PRODUCT, "price_opinion", "price_opinion_share", "delivery_opinion", "delivery_opinion_share"
    )
    assert opinions == [("저렴해요", 80, "빨라요", None)]
    assert rows(service, KOK_PRODUCT, "taste_opinion", "taste_opinion_share") == [(None, None)]
    assert rows(service, SELLER, "kok_product_id", *sold_by) == [(2**40, *seller(address="서울 🍣").values())]
    key = "source", "source_product_id", "position"
    assert rows(service, DETAIL, *key, "name", "value") == [
        ("kok", 2**40, 0, "원산지", "국내산"),
        ("kok", 2**40, 1, "원산지", "상세 설명 참조"),
    ]
    assert rows(service, IMAGE, *key, "image_url") == [("kok", 2**40, n, whole["images"][n]) for n in range(3)]
    found = rows(service, REVIEW, "score", "nickname", "written_on", "price_opinion", "text")
    assert set(found) == {
        (5, "김**", review()["written_on"], "저렴해요", "아주 맛있어요 🍣"),
        (None, None, None, "저렴해요", None),
    }


def test_a_review_that_the_page_no_longer_shows_is_kept(service: Engine, store: Store, load: Load) -> None:
    old, new = review("어제 쓴 글"), review("오늘 쓴 글")
    for at, shown in ((T[0], [old]), (T[1], [new, old]), (T[2], [new])):
        put_products(store, at, [product(1, reviews=shown)])
        load()
        ids = rows(service, REVIEW, "review_id", "text")
        if at == T[1]:
            both = ids
    assert ids == both
    assert [text for _, text in ids] == ["어제 쓴 글", "오늘 쓴 글"]


def test_facts_images_and_seller_are_replaced_as_a_whole(service: Engine, store: Store, load: Load) -> None:
    first: Item = {
        "details": [detail("원산지", "국내산"), detail("중량", "1kg"), detail("보관", "냉장")],
        "images": ["https://image/1", "https://image/2"],
        "seller": seller(),
    }
    second: Item = {"details": [detail("원산지", "국내산"), detail("중량", "2kg")], "images": []}
    put_products(store, T[0], [product(1, **first), product(2, **first)])
    load()
    put_products(store, T[1], [product(1, **second)])
    report, _ = load()
    assert report.details["rows"]["product_detail"] == {"inserted": 0, "updated": 1, "deleted": 1}
    found = rows(service, DETAIL, "source_product_id", "position", "value")
    assert found == [(1, 0, "국내산"), (1, 1, "2kg"), (2, 0, "국내산"), (2, 1, "1kg"), (2, 2, "냉장")]
    assert rows(service, IMAGE, "source_product_id", "position") == [(2, 0), (2, 1)]
    assert rows(service, SELLER, "kok_product_id") == [(2,)]


def test_unchanged_pages_write_nothing(service: Engine, store: Store, load: Load) -> None:
    parts: Item = {"details": [detail("원산지", "국내산")], "images": ["https://image/1"]}
    for at in T[:2]:
        put_products(store, at, [product(1, **parts, reviews=[review(), review(), review("또 사요")])])
        put_prices(store, at, [price(1)])
        put_shows(store, at, [show("09:00", "10:00", 1)])
        put_products(store, at, [page(1, **parts, list_price=79000, description="김치")], source="hnsmall")
        reports = [*load(), *load("hnsmall")]
    assert [(report.read, report.written) for report in reports] == [(2, 0)] * 4
    assert {version for _, version in rows(service, table_of(catalog.DataVersion), "dataset", "version")} == {1}


def test_an_older_page_loaded_late_replaces_no_newer_one(service: Engine, store: Store, load: Load) -> None:
    for crawl in (2, 0):
        facts: Item = {"details": [detail("차수", str(crawl))], "reviews": [review(str(crawl))]}
        put_products(store, T[crawl], [product(1, **facts)])
        load()
    assert rows(service, DETAIL, "value") == [("2",)]
    assert rows(service, REVIEW, "text") == [("0",), ("2",)]


def test_a_contradicting_second_page_is_rejected(service: Engine, store: Store, load: Load) -> None:
    others = [product(number) for number in range(10, 60)]
    put_products(store, T[0], [product(1), product(1), product(1, images=["https://image/1"]), *others])
    report, _ = load()
    assert report.rejected == {"contradicts another item": 1}
    assert rows(service, IMAGE, "source_product_id") == []


def test_a_product_gets_its_store_from_its_page(service: Engine, warehouse: Engine, store: Store, load: Load) -> None:
    put_shows(store, T[0], [show("09:00", "10:00", 1, product_name="포기김치")])
    put_products(
        store,
        T[0],
        [
            page(
                1,
                store_name="안문숙",
                description="맛있는 김치",
                details=[detail("원산지", "국내산")],
                images=["https://i"],
            )
        ],
        source="hnsmall",
    )
    load("hnsmall")
    put_shows(store, T[1], [show("09:00", "10:00", 1, product_name="포기김치")])
    load("hnsmall")
    assert rows(service, HOME_SHOPPING, "product_name", "store_name", "description") == [
        ("포기김치", "안문숙", "맛있는 김치")
    ]
    assert rows(warehouse, VERSIONS.table, "valid_from", "product_name", "store_name") == [(T[0], "포기김치", "안문숙")]
    assert rows(service, DETAIL, "source", "source_product_id", "value") == [("hnsmall", 1, "국내산")]
    assert rows(service, IMAGE, "source", "image_url") == [("hnsmall", "https://i")]
    assert "안문숙" in rows(service, DOCUMENT, "tokens")[0][0].split()


@pytest.mark.parametrize(
    ("of_show", "of_page", "expected"),
    [
        (AMOUNT, {"price": 55000, "list_price": 79000}, (59900, 79000, "amount")),
        (AMOUNT | {"list_price": 69000}, {"price": 55000, "list_price": 79000}, (59900, 69000, "amount")),
        (UNKNOWN, {"price": 55000, "list_price": 79000}, (55000, 79000, "amount")),
        (UNKNOWN, {"price_kind": "consult"}, (None, None, "consult")),
        ({"price": None, "price_kind": "consult"}, {"price": 55000}, (None, None, "consult")),
        (AMOUNT, {}, (59900, None, "amount")),
        (UNKNOWN, {}, (None, None, "unknown")),
    ],
)
@pytest.mark.parametrize("page_first", [False, True])
def test_a_page_fills_in_what_the_show_lacks(
    service: Engine,
    warehouse: Engine,
    store: Store,
    load: Load,
    of_show: Item,
    of_page: Item,
    expected: tuple[Any, ...],
    page_first: bool,
) -> None:
    def put_page() -> None:
        put_products(store, T[0], [page(1, product_name="쪽 이름", **of_page)], source="hnsmall")

    def put_show() -> None:
        put_shows(store, T[0], [show("09:00", "10:00", 1, **of_show)])

    for put in (put_page, put_show) if page_first else (put_show, put_page):
        put()
        load("hnsmall", accept=True)
    columns = "price", "list_price", "price_kind"
    assert rows(service, HOME_SHOPPING, "product_name", *columns) == [("상품 1", *expected)]
    assert rows(warehouse, PRICES.table, "observed_at", *columns) == [(T[0], *expected)]
    assert rows(warehouse, VERSIONS.table, "product_name") == [("상품 1",)]


def test_an_occasional_page_makes_no_price_come_and_go(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    items = [show("09:00", "10:00", 1), show("10:00", "11:00", 2, **UNKNOWN)]
    for crawl, at in enumerate(T[:6]):
        put_shows(store, at, items)
        if crawl % 3 == 1:
            reported = {"price": 55000, "list_price": 79000}
            put_products(store, at, [page(1, **reported), page(2, **reported)], source="hnsmall")
        load("hnsmall")
    found = rows(warehouse, PRICES.table, "source_product_id", "observed_at", "price", "list_price")
    assert [row for row in found if row[0] == 1] == [(1, T[0], 59900, None), (1, T[1], 59900, 79000)]
    assert [row for row in found if row[0] == 2] == [(2, T[0], None, None), (2, T[1], 55000, 79000)]
    assert rows(service, HOME_SHOPPING, "price", "list_price") == [(55000, 79000), (59900, 79000)]


def test_an_unknown_price_of_a_show_keeps_the_known_one(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    for at, won in ((T[0], AMOUNT), (T[1], UNKNOWN), (T[2], AMOUNT | {"price": 49900})):
        put_shows(store, at, [show("09:00", "10:00", 1, **won)])
        load("hnsmall")
    assert rows(warehouse, PRICES.table, "observed_at", "price") == [(T[0], 59900), (T[2], 49900)]
    assert rows(service, HOME_SHOPPING, "price") == [(49900,)]


def test_a_page_whose_shows_are_over_changes_neither_name_nor_price(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    put_shows(store, T[0], [show("09:00", "10:00", 1)])
    put_products(
        store, T[1], [page(1, product_name="쪽 이름", price=1000, list_price=2000, store_name="나")], source="hnsmall"
    )
    load("hnsmall")
    columns = "product_name", "store_name", "price", "list_price"
    assert rows(service, HOME_SHOPPING, *columns[1:2]) == [("나",)]
    with service.connect() as conn:
        found = conn.execute(select(*(HOME_SHOPPING.c[name] for name in columns))).one()
    assert tuple(found) == ("상품 1", "나", 59900, None)
    assert rows(warehouse, PRICES.table, "observed_at") == [(T[0],)]


def test_an_unlisted_page_is_loaded_once_a_schedule_lists_it(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    items = [show(f"{hour:02}:00", f"{hour:02}:30", hour) for hour in range(1, 24)]
    put_shows(store, T[1], items)
    put_products(store, T[1], [page(99, product_name="쪽 이름", price=1000)], source="hnsmall")
    reports = load("hnsmall")
    assert [report.rejected for report in reports] == [{"product of no show": 1}] * 2
    assert 99 not in [number for (number,) in rows(service, HOME_SHOPPING, "source_product_id")]
    put_shows(store, T[0], [*items, show("23:30", "24:00", 99)])
    load("hnsmall")
    found = rows(service, HOME_SHOPPING, "source_product_id", "product_name", "store_name", "price")
    assert (99, "상품 99", "햇살식품", 59900) in found
    versions = rows(warehouse, VERSIONS.table, "source_product_id", "valid_from", "product_name")
    assert [row for row in versions if row[0] == 99] == [(99, T[0], "상품 99"), (99, T[1], "상품 99")]


def test_a_rejected_page_does_not_prevent_cancelling_shows(service: Engine, store: Store, load: Load) -> None:
    items = [show(f"{hour:02}:00", f"{hour:02}:30", hour) for hour in range(1, 24)]
    put_shows(store, T[0], items)
    load("hnsmall")
    put_shows(store, T[1], items[:-1])
    put_products(store, T[1], [page(99)], source="hnsmall")
    report, _ = load("hnsmall")
    assert report.rejected == {"product of no show": 1}
    cancelled = rows(service, table_of(catalog.Broadcast), "source_product_id", "cancelled_at")
    assert [(number, at) for number, at in cancelled if at] == [(23, T[1])]


def test_parts_of_a_page_that_could_not_be_read_stay(service: Engine, store: Store, load: Load) -> None:
    facts: Item = {"details": [{"name": "원산지", "value": "국산"}], "images": ["https://image/1.jpg"]}
    facts |= {"rating_shares": (60, 20, 10, 5, 5), "seller": seller()}
    facts |= {"taste_aspect": {"opinion": "맛있어요", "share": 90}}
    put_products(store, T[0], [product(1) | facts])
    unread = ["review_score", "rating_shares", "details", "images", "seller", "list_price", "taste_aspect"]
    put_products(store, T[1], [product(1, "새 이름", review_score=None, list_price=None, unread=unread)])
    load()
    found = rows(service, KOK_PRODUCT, "product_name", "review_score", "five_star_share", "list_price", "taste_opinion")
    assert found == [("새 이름", 4.5, 60, 2000, "맛있어요")]
    for table in (DETAIL, IMAGE, SELLER):
        assert len(rows(service, table, table.columns.keys()[0])) == 1
    put_products(store, T[2], [product(1, "새 이름", review_score=None, list_price=None)])
    load()
    with service.connect() as conn:
        empty = conn.execute(select(KOK_PRODUCT.c.review_score, KOK_PRODUCT.c.list_price)).one()
    assert tuple(empty) == (None, None)  # the page says that there is none
    assert rows(service, DETAIL, "name") == rows(service, SELLER, "ceo_name") == []
