"""Linking: which listings are the same product, their items, and how items change with the catalog."""

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, update

from artifacts.store import Store
from pipelines.link.items import Listing, link, listing, same_item
from pipelines.link.step import PRODUCT_ITEM, WAREHOUSE_PRODUCT_ITEM, link_items
from pipelines.load.ledger import table_of
from recommender.text.listing_titles import read_title
from recommender.text.pack_sizes import read_amounts
from sql.service.catalog import DataVersion, HomeShoppingProduct, KokPrice, KokProduct
from tests.bench.bench_link import LABELS, judge, real_listings
from tests.builders.raw_runs import kst, rows

DATA_VERSION = table_of(DataVersion)

AT = kst("05:00")
COLUMNS = ("source", "source_product_id", "item_id", "method")


@pytest.mark.parametrize(
    ("title", "totals"),
    [
        ("감자 10kg", {"g": 10000}),
        ("만두 500g*3팩", {"g": 1500, "팩": 3}),
        ("만두 1.5kg(500g x 3)", {"g": 1500}),
        ("만두 총 1.5kg", {"g": 1500}),
        ("감자 1,500g", {"g": 1500}),
        ("탄산수 (200mlX12팩)X2박스", {"ml": 4800, "팩": 24, "박스": 2}),
        ("스틱 10mlX30포X6박스", {"ml": 1800, "포": 180, "박스": 6}),
        ("필름 30매 x 6박스", {"매": 180, "박스": 6}),
        ("필름 6박스(180매)", {"매": 180, "박스": 6}),
        ("가루 12+1박스/총260포", {"박스": 13, "포": 260}),
        ("한우 800g(등심 400g,안심 400g)", {"g": 800}),
        ("등심 500g + 안심 500g", {"g": 1000}),
        ("고춧가루 [총 4.5kg] 4kg(500g 8팩) + 청양 500g 1팩", {"g": 4500, "팩": 9}),
        ("손질한치 200g (5~7미)X10팩", {"g": 2000, "팩": 10}),
        ("에센스 130mlX2+60ml", {"ml": 320}),
        ("양산 1+1세트", {"세트": 2}),
        ("달걀 30구 2판", {"개": 60, "판": 2}),
        ("영양제 12박스/12개월분", {"박스": 12, "일": 360}),
        ("한우 2호 38도 bnr17", {}),
    ],
)
def test_amounts_are_totals_however_they_are_written(title: str, totals: dict[str, float]) -> None:
    assert read_title(title).amounts.totals == totals


def test_a_title_without_its_amounts_names_the_product() -> None:
    assert read_amounts("국산 감자 10kg(5kg*2)")[1].split() == ["국산", "감자", "(", ")"]
    title = read_title("[방송에서만 50%세일][오늘농장] 햇 감자 10kg 무료배송", "오늘농장")
    assert (title.words, title.brand) == (("감자",), ("오늘농장",))
    assert read_title("[오늘농장]").words == ("오늘농장",), "a title that is nothing but brackets"


def one(name: str, price: int | None = 10000, *, store: str | None = None, source: str = "nsmall") -> Listing:
    return listing(source, 1, name, store, price)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("오늘농장 감자 10kg", "오늘농장 감자 (2.5kg X 4봉)"),
        ("오늘농장 사골곰탕 500g*3팩", "오늘농장 사골 곰탕 총 1.5kg"),
        ("관절튼튼 12박스 (12개월분)", "관절튼튼 12박스/12개월분"),
        ("울트라 9X 13박스", "[특집] NEW 울트라9X 12+1박스 (총13박스)"),
        ("(방송에서만) 오늘농장 감자 10kg", "오늘농장 감자 10kg"),
        ("오늘농장 한우 4종 택1", "오늘농장 한우 4종 택1"),
    ],
)
def test_the_same_product_is_found_under_another_title(name: str, other: str) -> None:
    assert same_item(one(name), one(other)) == same_item(one(other), one(name)) == "title"


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("오늘농장 감자 10kg", "오늘농장 감자 5kg"),
        ("오늘농장 감자 10kg", "오늘농장 감자"),
        ("오늘농장 감자 10kg", "오늘농장 고구마 10kg"),
        ("[오늘농장] 감자 10kg", "[내일농장] 감자 10kg"),
        ("오늘농장 김치 순한맛 1kg", "오늘농장 김치 매운맛 1kg"),
        ("한우 1+등급 등심 1kg", "한우 1++등급 등심 1kg"),
        ("선물세트 2호", "선물세트 12호"),
        ("인삼주 38도 750ml", "인삼주 40도 750ml"),
        ("침대 LK", "침대 K"),
        ("오늘농장 배 5kg", "오늘농장 배추 5kg"),
        ("금반지", "금반지+목걸이"),
        ("굴비 20미", "굴비 2kg"),
        ("오늘농장 한우 4종 택1", "오늘농장 한우 4종"),
        ("오늘농장 한우 10봉/20봉 택1", "오늘농장 한우 10봉 택1"),
        ("양산 1+1세트", "양산 1세트"),
        ("오늘농장 두유 3종 16팩", "오늘농장 두유 16팩"),
        ("밀푀유나베", "[오늘농장] 밀푀유나베"),
        ("굴비 20미 14~15cm", "굴비 20미 18~20cm"),
    ],
)
def test_other_products_are_not_linked(name: str, other: str) -> None:
    assert same_item(one(name), one(other)) is None
    assert same_item(one(other), one(name)) is None


def test_a_price_far_off_prevents_a_link_an_unknown_one_does_not() -> None:
    name = "오늘농장 감자 10kg"
    assert same_item(one(name, 10000), one(name, 20000)) == "title"
    assert same_item(one(name, 10000), one(name, 20001)) is None
    assert same_item(one(name, 10000), one(name, None)) == "title"


def test_a_brand_may_stand_anywhere_but_is_required() -> None:
    mall = one("[오늘농장] 햇감자 10kg", store="오늘농장", source="kok")
    assert same_item(one("오늘농장 햇감자 10kg"), mall) == "title"
    assert same_item(one("햇감자 10kg", store="오늘농장"), mall) == "title"
    assert same_item(one("햇감자 10kg"), mall) is None


def test_a_remark_needs_a_shared_brand_and_a_near_price() -> None:
    mall = one("[오늘농장] 햇감자 10kg", 10000)
    remarked = one("[연휴 한정] 오늘농장 햇감자 10kg", 14000)
    assert same_item(mall, remarked) == same_item(remarked, mall) == "remark"
    assert same_item(mall, one("[연휴 한정] 오늘농장 햇감자 10kg", 14001)) is None
    assert same_item(one("햇감자 10kg"), one("[연휴 한정] 햇감자 10kg")) is None, "it may be a brand"


def test_similarity_is_not_transitive() -> None:
    """The middle one is like both ends, which are not like one another: it joins the first only."""
    first, middle, last = one("감자 10kg", 10000), one("감자 10kg", 19000), one("감자 10kg", 30000)
    assert same_item(first, middle)
    assert same_item(middle, last)
    listings = [Listing("nsmall", n, each.title, each.price) for n, each in enumerate((first, middle, last), start=1)]
    assert [each.item_id for each in link(listings)] == ["nsmall:1", "nsmall:1", "nsmall:3"]


def test_only_listings_with_a_common_blocking_key_are_compared() -> None:
    """Many different products take no longer than their number: five hundred kinds in ten sizes, each listed twice."""
    names = [f"농장{kind} 감자 {size}kg" for kind in range(500) for size in range(1, 11)]
    listings = [listing(source, n, name, None, None) for source in ("hmall", "nsmall") for n, name in enumerate(names)]
    links = link(listings)
    assert len({each.item_id for each in links}) == len(names)
    assert all(each.item_id == f"hmall:{each.listing.product_id}" for each in links)


MALL: dict[str, Any] = {"store_name": "오늘농장", "is_food": True, "is_ingredient": True, "resolver_version": "1"}
SHOWN: dict[str, Any] = {"is_food": True, "is_ingredient": True, "resolver_version": "1", "price_kind": "amount"}


def fill(service: Engine) -> None:
    """Potatoes in the mall and on two broadcasters, one of which also has a smaller sack."""
    with service.begin() as conn:
        mall = MALL | {"kok_product_id": 7, "product_name": "[오늘농장] 감자 10kg", "first_seen_at": AT}
        conn.execute(insert(KokProduct), mall)
        for hours, won in ((0, 99000), (1, 20000)):
            price = {"observed_at": AT + timedelta(hours=hours), "price": won, "price_kind": "amount"}
            conn.execute(insert(KokPrice), price | {"kok_product_id": 7, "discount_rate": 0})
        for hours, source, number, name in (
            (1, "nsmall", 7, "오늘농장 감자 5kg*2"),
            (2, "gsshop", 2_234_340_850, "(방송에서만) 오늘농장 감자 10kg"),
            (2, "nsmall", 8, "오늘농장 감자 5kg"),
        ):
            key = {"source": source, "source_product_id": number, "product_name": name, "price": 21000}
            conn.execute(insert(HomeShoppingProduct), SHOWN | key | {"first_seen_at": AT + timedelta(hours=hours)})


ITEMS = [
    ("gsshop", 2_234_340_850, "kok:7", "title"),
    ("kok", 7, "kok:7", "first"),
    ("nsmall", 7, "kok:7", "title"),
    ("nsmall", 8, "nsmall:8", "first"),
]


def rename(service: Engine, source: str, number: int, name: str) -> None:
    key = (HomeShoppingProduct.source == source, HomeShoppingProduct.source_product_id == number)
    with service.begin() as conn:
        conn.execute(update(HomeShoppingProduct).where(*key).values(product_name=name))


def test_products_of_mall_and_broadcasters_share_an_item(service: Engine, warehouse: Engine, store: Store) -> None:
    fill(service)
    report = link_items(service, warehouse, store)
    assert rows(service, PRODUCT_ITEM, *COLUMNS) == rows(warehouse, WAREHOUSE_PRODUCT_ITEM, *COLUMNS) == ITEMS
    assert (report.read, report.written) == (4, 8)
    assert report.details["items"] == 2
    assert report.details["items of several sources"] == 1

    again = link_items(service, warehouse, store)
    assert (again.written, again.unchanged) == (0, 4)

    with warehouse.begin() as conn:
        conn.execute(delete(WAREHOUSE_PRODUCT_ITEM))  # as if it had been killed between the two databases
    assert link_items(service, warehouse, store).written == 4
    assert rows(warehouse, WAREHOUSE_PRODUCT_ITEM, *COLUMNS) == ITEMS


def test_the_data_version_grows_only_when_items_change(service: Engine, warehouse: Engine, store: Store) -> None:
    fill(service)
    link_items(service, warehouse, store)
    versions = rows(service, DATA_VERSION, "dataset", "version")
    assert versions == [("kok", 1), ("schedule", 1)]
    link_items(service, warehouse, store)
    assert rows(service, DATA_VERSION, "dataset", "version") == versions


def test_an_item_keeps_its_id_when_members_come_and_go(service: Engine, warehouse: Engine, store: Store) -> None:
    fill(service)
    link_items(service, warehouse, store)
    rename(service, "nsmall", 7, "오늘농장 고구마 10kg")
    rename(service, "nsmall", 8, "오늘농장 감자 10kg")
    report = link_items(service, warehouse, store)
    assert rows(service, PRODUCT_ITEM, *COLUMNS) == [
        *ITEMS[:2],
        ("nsmall", 7, "nsmall:7", "first"),
        ("nsmall", 8, "kok:7", "title"),
    ]
    assert report.written == 4, "two rows in each database"


def test_the_oldest_other_listing_names_an_item_whose_first_left(
    service: Engine, warehouse: Engine, store: Store
) -> None:
    fill(service)
    link_items(service, warehouse, store)
    with service.begin() as conn:
        conn.execute(update(KokProduct).values(product_name="[오늘농장] 고구마 10kg"))
    link_items(service, warehouse, store)
    found = rows(service, PRODUCT_ITEM, *COLUMNS)
    assert [row[2] for row in found] == ["nsmall:7", "kok:7", "nsmall:7", "nsmall:8"]
    with service.begin() as conn:
        conn.execute(delete(HomeShoppingProduct).where(HomeShoppingProduct.source == "gsshop"))
    link_items(service, warehouse, store)
    assert rows(warehouse, WAREHOUSE_PRODUCT_ITEM, "source") == [("kok",), ("nsmall",), ("nsmall",)]


def test_items_do_not_depend_on_earlier_runs(service: Engine, warehouse: Engine, store: Store) -> None:
    fill(service)
    with service.begin() as conn:
        mall = conn.execute(select(KokProduct.__table__)).mappings().one()
        conn.execute(delete(KokProduct))
    link_items(service, warehouse, store)
    assert rows(service, PRODUCT_ITEM, "item_id")[0] == ("nsmall:7",)
    with service.begin() as conn:
        conn.execute(insert(KokProduct), dict(mall))
    link_items(service, warehouse, store)
    assert rows(service, PRODUCT_ITEM, *COLUMNS) == ITEMS


def test_the_labelled_pairs_hold_ids_only_and_each_once() -> None:
    with LABELS.open(encoding="utf-8", newline="") as file:
        pairs = list(csv.DictReader(file))
    assert len(pairs) >= 200
    for pair in pairs:
        assert pair.keys() == {"source_a", "id_a", "source_b", "id_b", "same"}
        assert int(pair["id_a"])
        assert int(pair["id_b"])
        assert pair["same"] in {"0", "1"}
    assert len({tuple(pair.values())[:4] for pair in pairs}) == len(pairs)


def test_linking_is_precise_on_real_titles(shared_data: Path) -> None:
    figures = judge(real_listings(shared_data))
    for half in ("tuned on", "held out"):
        assert figures[half]["precision"] >= 0.95
        assert figures[half]["recall"] >= 0.8


def test_every_real_title_is_the_same_as_itself(shared_data: Path) -> None:
    listings = list(real_listings(shared_data).values())
    assert [each.item_id for each in listings if same_item(each, each) != "title"] == []
