"""Schedules, and what goes with the products in them."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update
from starlette.testclient import TestClient

from serving.catalog.load_schedule import load_schedule
from sql.service.catalog import Broadcast, HomeShoppingProduct, ProductItem
from sql.service.pages import ProductDetail, ProductImage
from tests.builders.small_catalog import BIG_ID, at, bump, fill
from tests.builders.waiting import until
from tests.serving.conftest import Now, Person

SCHEDULE = "/api/homeshopping/schedule"


def shows(client: TestClient, query: str = "") -> list[int]:
    answer = client.get(f"{SCHEDULE}{query}")
    assert answer.status_code == 200, answer.text
    return [row["live_id"] for row in answer.json()["schedules"]]


def product(client: TestClient, number: int, what: str) -> dict[str, Any]:
    answer = client.get(f"/api/homeshopping/product/{number}/{what}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_the_first_page_is_the_whole_day_and_any_other_is_empty(client: TestClient) -> None:
    assert shows(client, "?live_date=2025-08-06&page=1&size=1") == [1, 2, 3]
    assert shows(client, "?live_date=2025-08-06") == [1, 2, 3]
    assert shows(client, "?live_date=2025-08-06&page=2&size=50") == []


def test_a_show_over_midnight_belongs_to_the_day_of_its_start(client: TestClient) -> None:
    rows = client.get(f"{SCHEDULE}?live_date=2025-08-06").json()["schedules"]
    night = rows[-1]
    assert (night["live_date"], night["live_start_time"], night["live_end_time"]) == (
        "2025-08-06",
        "23:50:00",
        "01:00:00",
    )
    assert shows(client, "?live_date=2025-08-07") == [6]
    assert shows(client, "?live_date=2025-08-05") == [5]


def test_without_a_date_the_schedule_covers_today_and_ten_days(client: TestClient, now: Now) -> None:
    assert shows(client) == [1, 2, 3, 6, 7]
    now.forward(hours=12)
    assert shows(client) == [6, 7], "midnight passed, the cached answer has expired"


def test_the_tenth_day_from_today_is_the_last_one_shown(filled: Engine, start: Callable[[], TestClient]) -> None:
    show = {"channel_id": 1, "source": "hmall", "source_product_id": BIG_ID, "slot": "main", "price_kind": "unknown"}
    with filled.begin() as conn:
        for live_id, day in ((80, 16), (81, 17)):
            hours = {"starts_at": at(day, "10:00"), "ends_at": at(day, "11:00")}
            conn.execute(insert(Broadcast), show | hours | {"broadcast_id": live_id})
    assert shows(start()) == [1, 2, 3, 6, 7, 80]


@pytest.mark.parametrize(
    "day", ["0", "1754438400", "20250806", "2025-08-06T00:00:00", "2025-02-30", "２０２５-08-06", ""]
)
def test_a_day_that_is_not_an_iso_date_is_rejected(client: TestClient, day: str) -> None:
    assert client.get(SCHEDULE, params={"live_date": day}).status_code == 422


def test_only_food_is_on_the_schedule_and_no_time_or_price_is_null(client: TestClient) -> None:
    rows = client.get(SCHEDULE).json()["schedules"]
    assert 4 not in [row["live_id"] for row in rows]
    assert not [row for row in rows if None in row.values()]
    consult = next(row for row in rows if row["live_id"] == 3)
    assert (consult["sale_price"], consult["dc_price"], consult["dc_rate"], consult["price_kind"]) == (
        0,
        0,
        0,
        "consult",
    )
    assert consult["thumb_img_url"] == ""
    amount = next(row for row in rows if row["live_id"] == 1)
    assert (amount["sale_price"], amount["dc_price"], amount["dc_rate"]) == (39900, 29900, 25)


def test_ids_beyond_32_bits_keep_their_identity(client: TestClient) -> None:
    assert client.get(SCHEDULE).json()["schedules"][0]["product_id"] == BIG_ID
    assert product(client, BIG_ID, "check") == {"is_ingredient": True}


def test_a_show_id_is_accepted_in_place_of_a_product_id(client: TestClient) -> None:
    assert product(client, 1, "check") == {"is_ingredient": True}
    assert product(client, 1, "recipe-recommend") == product(client, BIG_ID, "recipe-recommend")
    assert product(client, 1, "kok-recommend") == product(client, BIG_ID, "kok-recommend")


def test_an_unknown_product_has_no_recommendations(client: TestClient) -> None:
    assert product(client, 424242, "check") == {"is_ingredient": False}
    assert product(client, 424242, "kok-recommend")["products"] == []
    assert client.get("/api/homeshopping/product/424242/recipe-recommend").status_code == 404
    assert client.get("/api/homeshopping/product/424242").status_code == 404


def test_a_product_that_is_not_an_ingredient_has_no_recipes(client: TestClient) -> None:
    answer = product(client, 21_000_003, "recipe-recommend")
    assert (answer["recipes"], answer["is_ingredient"], answer["extracted_keywords"]) == ([], False, [])


def test_recipes_of_an_ingredient_contain_it(client: TestClient) -> None:
    answer = product(client, BIG_ID, "recipe-recommend")
    assert answer["extracted_keywords"] == ["감자"]
    assert [recipe["recipe_id"] for recipe in answer["recipes"]] == [9005, 9001, 9003]
    assert {recipe["reason"] for recipe in answer["recipes"]} == {"contains:감자"}


def test_the_newest_broadcast_wins_when_sources_share_an_id(filled: Engine, start: Callable[[], TestClient]) -> None:
    shared = {"source": "hnsmall", "source_product_id": BIG_ID, "product_name": "같은 번호의 배추", "is_food": True}
    shared |= {
        "price_kind": "unknown",
        "first_seen_at": at(1, "00:00"),
        "is_ingredient": False,
        "resolver_version": "1",
    }
    show = {"broadcast_id": 50, "channel_id": 1, "starts_at": at(9, "10:00"), "ends_at": at(9, "11:00"), "slot": "main"}
    show |= {"source": "hnsmall", "source_product_id": BIG_ID, "price_kind": "unknown"}
    with filled.begin() as conn:
        conn.execute(insert(HomeShoppingProduct), shared)
        conn.execute(insert(Broadcast), show)
    client = start()
    assert product(client, BIG_ID, "check") == {"is_ingredient": False}
    assert client.get("/api/homeshopping/product/50").json()["product"]["product_name"] == "같은 번호의 배추"
    assert client.get("/api/homeshopping/product/1").json()["product"]["product_name"] == "강원도 햇감자 10kg"
    with filled.begin() as conn:
        conn.execute(update(Broadcast).where(Broadcast.broadcast_id == 50).values(starts_at=at(1, "10:00")))
        bump(conn, "schedule")
    assert product(start(), BIG_ID, "check") == {"is_ingredient": True}


def test_search_shows_each_product_in_its_show_on_air_or_to_come(client: TestClient, now: Now) -> None:
    def found(keyword: str) -> list[int]:
        answer = client.get("/api/homeshopping/search", params={"keyword": keyword, "page": 1, "size": 20}).json()
        assert answer["total"] == len(answer["products"])
        return [row["live_id"] for row in answer["products"]]

    assert found("국내산") == [2], "on air"
    assert found("햇감자") == [6], "this morning's show is over, tomorrow's is next"
    assert found("청소기") == [4], "not only food"
    assert found("쌀") == [], "only a past show"
    assert found("양파") == [], "only a cancelled show"
    now.forward(hours=1)
    assert found("국내산") == []


def test_a_search_is_cached_until_the_first_of_its_shows_ends(
    filled: Engine, start: Callable[[], TestClient], now: Now
) -> None:
    pork = update(HomeShoppingProduct).where(HomeShoppingProduct.source_product_id == 21_000_002)
    with filled.begin() as conn:
        conn.execute(pork.values(product_name="국내산 돼지고기 10kg"))
    client = start()

    def found() -> list[int]:
        return [row["live_id"] for row in client.get("/api/homeshopping/search?keyword=10kg").json()["products"]]

    assert found() == [2, 3, 6]
    now.forward(minutes=30)
    assert found() == [3, 6], "at 12:30 sharp"


def test_search_pages_truly(client: TestClient) -> None:
    one = client.get("/api/homeshopping/search?keyword=10kg&page=1&size=1").json()
    two = client.get("/api/homeshopping/search?keyword=10kg&page=2&size=1").json()
    assert (one["total"], two["total"]) == (2, 2)
    assert [row["live_id"] for row in one["products"] + two["products"]] == [3, 6]


def test_search_history_belongs_to_its_owner(client: TestClient, person: Person) -> None:
    path = "/api/homeshopping/search/history"
    saved = client.post(path, json={"keyword": "랍스터"}, headers=person.headers).json()
    assert saved["homeshopping_searched_at"] == "2025-08-06T12:00:00"
    assert client.get(path, headers=person.headers).json() == {"history": [saved]}
    assert client.get("/api/kok/search/history", headers=person.headers).json() == {"history": []}
    body = {"homeshopping_history_id": saved["homeshopping_history_id"]}
    assert client.request("DELETE", path, json=body, headers=person.headers).status_code == 200
    assert client.request("DELETE", path, json=body, headers=person.headers).status_code == 404


def test_search_history_returns_the_newest_up_to_the_limit(client: TestClient, person: Person, now: Now) -> None:
    path = "/api/homeshopping/search/history"
    words = [f"고등어 {n}" for n in range(7)]
    for word in words:
        assert client.post(path, json={"keyword": word}, headers=person.headers).status_code == 200
        now.forward(seconds=1)
    for query, count in (("", 5), ("?limit=1", 1), ("?limit=6", 6), ("?limit=20", 7)):
        history = client.get(f"{path}{query}", headers=person.headers).json()["history"]
        assert [row["homeshopping_keyword"] for row in history] == words[::-1][:count], query
    for query in ("?limit=0", "?limit=21"):
        assert client.get(f"{path}{query}", headers=person.headers).status_code == 422


def test_a_service_deletes_no_keyword_of_the_other(client: TestClient, person: Person) -> None:
    kok, own, headers = "/api/kok/search/history", "/api/homeshopping/search/history", person.headers
    theirs = client.post(kok, json={"keyword": "감자"}, headers=headers).json()["saved"]
    ours = client.post(own, json={"keyword": "고등어"}, headers=headers).json()
    body = {"homeshopping_history_id": theirs["kok_history_id"]}
    assert client.request("DELETE", own, json=body, headers=headers).status_code == 404
    assert client.delete(f"{kok}/{ours['homeshopping_history_id']}", headers=headers).status_code == 404
    assert client.get(kok, headers=headers).json()["history"] == [theirs]
    assert client.get(own, headers=headers).json()["history"] == [ours]


def test_a_broadcast_whose_product_is_missing_is_left_out(service: Engine, start: Callable[[], TestClient]) -> None:
    fill(service)
    orphan = {"broadcast_id": 60, "channel_id": 1, "starts_at": at(6, "20:00"), "ends_at": at(6, "21:00")}
    orphan |= {"source": "hmall", "source_product_id": 5, "slot": "main", "price_kind": "unknown"}
    with service.begin() as conn:
        conn.execute(insert(Broadcast), orphan)
    assert shows(start()) == [1, 2, 3, 6, 7]


def test_a_product_shows_the_details_and_images_of_its_page(client: TestClient, service: Engine) -> None:
    key = {"source": "hmall", "source_product_id": BIG_ID}
    others = [{"source": "kok", "source_product_id": BIG_ID}, {"source": "hmall", "source_product_id": BIG_ID + 1}]
    with service.begin() as conn:
        facts = [("원산지", "국내산"), ("중량", "10kg")]
        rows = [key | {"position": n, "name": name, "value": value} for n, (name, value) in enumerate(facts)]
        conn.execute(insert(ProductDetail), [*rows, *(rows[0] | other for other in others)])
        images = [key | {"position": n, "image_url": f"https://img.example.com/{n}.jpg"} for n in range(2)]
        conn.execute(insert(ProductImage), [*images, *(images[0] | other for other in others)])
        conn.execute(update(HomeShoppingProduct).filter_by(**key).values(store_name="햇살농장"))
        bump(conn, "schedule")

    def page() -> dict[str, Any]:
        return dict(client.get("/api/homeshopping/product/1").json())

    until(lambda: page()["product"]["store_name"] == "햇살농장", "the store is shown")
    assert page()["detail_infos"] == [{"detail_col": name, "detail_val": value} for name, value in facts]
    assert page()["images"] == [
        {"img_url": "https://img.example.com/0.jpg", "sort_order": 1},
        {"img_url": "https://img.example.com/1.jpg", "sort_order": 2},
    ]


def test_prices_missing_in_a_schedule_come_from_the_product_page(client: TestClient, service: Engine) -> None:
    page_prices = {"list_price": 79_000, "price": 59_000, "price_kind": "amount"}
    with service.begin() as conn:
        conn.execute(
            update(HomeShoppingProduct).filter_by(source="hmall", source_product_id=BIG_ID).values(page_prices)
        )
        open_price = {"list_price": None, "price": None, "price_kind": "unknown"}
        conn.execute(update(Broadcast).where(Broadcast.broadcast_id == 1).values(open_price))
        bump(conn, "schedule")

    def prices() -> list[Any]:
        product = client.get("/api/homeshopping/product/1").json()["product"]
        return [product[name] for name in ("sale_price", "dc_price", "price_kind")]

    until(lambda: prices() == [79_000, 59_000, "amount"], "the page's prices are shown")
    with service.begin() as conn:
        schedule_price = {"price": 85_000, "price_kind": "amount"}
        conn.execute(update(Broadcast).where(Broadcast.broadcast_id == 1).values(schedule_price))
        bump(conn, "schedule")
    until(lambda: prices() == [85_000, 85_000, "amount"], "a list price below the price is not shown")


def test_a_product_knows_its_item_once_it_was_compared(filled: Engine) -> None:
    linked = {"source": "hmall", "source_product_id": BIG_ID, "item_id": "kok:101", "score": 1.0, "method": "title"}
    with filled.begin() as conn:
        conn.execute(insert(ProductItem), linked)
        products = load_schedule(conn).newest_by_id
    assert (products[BIG_ID].item_id, products[21_000_002].item_id) == ("kok:101", None)


def test_schedule_rejects_an_invalid_size_although_it_ignores_it(client: TestClient) -> None:
    path = "/api/homeshopping/schedule?live_date=2025-08-06"
    assert client.get(f"{path}&size=1").json() == client.get(path).json()
    for size in ("0", "101", "abc"):
        assert client.get(f"{path}&size={size}").status_code == 422, size
