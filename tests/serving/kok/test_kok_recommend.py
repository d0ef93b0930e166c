"""Recommendations in the mall: recipes for a cart, and shows for what was viewed."""

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, func, select, update
from starlette.testclient import TestClient

from serving.gateway.main import create_app
from sql.service.catalog import KokProduct
from sql.warehouse.events import UserEvent
from tests.builders.small_catalog import BIG_ID
from tests.builders.waiting import until
from tests.serving.conftest import Now, Person, sign_up

CART = "/api/kok/carts/recipe-recommend"
SHOWS = "/api/kok/product/homeshopping-recommend"


def cart(client: TestClient, person: Person, query: str) -> dict[str, Any]:
    answer = client.get(f"{CART}?{query}", headers=person.headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_cart_that_no_recipe_uses_entirely_still_gets_recipes(client: TestClient, person: Person) -> None:
    body = cart(client, person, f"product_ids=101,102,{BIG_ID},21000005&size=5")
    assert body["keyword_extraction"] == ["감자", "양파", "쌀"]
    # Rice, in one recipe only, is most informative; then recipes with two of three, fewest other ingredients first.
    assert [recipe["recipe_id"] for recipe in body["recipes"]] == [9004, 9001, 9003, 9005, 9002]
    first = body["recipes"][1]
    assert (first["matched_ingredient_count"], first["total_ingredients_count"]) == (2, 2)
    assert first["used_ingredients"] == [
        {"material_name": "감자", "measure_amount": 0.5, "measure_unit": "개"},
        {"material_name": "양파", "measure_amount": 1.0, "measure_unit": "개"},
    ]
    assert first["reason"] == "contains:감자,양파"
    assert (body["total_count"], body["total_pages"], body["fallback"]) == (5, 1, True)


def test_what_is_eaten_as_it_is_asks_for_no_recipes(filled: Engine, start: Callable[[], TestClient]) -> None:
    with filled.begin() as conn:
        row = update(KokProduct).where(KokProduct.kok_product_id == 101)
        conn.execute(row.values(kind="snack", recipe_probability=0.0))
    client = start()
    body = cart(client, sign_up(client), "product_ids=101,102")
    assert body["keyword_extraction"] == ["양파"]


def test_the_openapi_says_which_product_ids_are_understood(client: TestClient, person: Person) -> None:
    (pattern,) = {
        parameter["schema"]["pattern"]
        for parameter in create_app().openapi()["paths"][CART]["get"]["parameters"]
        if parameter["name"] == "product_ids"
    }
    for given, status in (("101", 200), (f"101,{BIG_ID}", 200), ("", 400), ("x", 400), ("-1", 400), ("9" * 20, 400)):
        answer = client.get(CART, params={"product_ids": given}, headers=person.headers)
        assert (answer.status_code, bool(re.search(pattern, given))) == (status, status == 200), given


def test_cart_pages_do_not_overlap_and_total_counts_all_pages(client: TestClient, person: Person) -> None:
    pages = [cart(client, person, f"product_ids=101,102&page={page}&size=2") for page in (1, 2, 3)]
    assert {(page["total_count"], page["total_pages"]) for page in pages} == {(4, 2)}
    ids = [recipe["recipe_id"] for page in pages for recipe in page["recipes"]]
    assert len(ids) == len(set(ids)) == 4


def test_a_cart_rejects_invalid_ids_and_skips_unknown_ones(client: TestClient, person: Person) -> None:
    for wrong in ("", ",", "abc", "1,-2", "1;2", "99999999999999999999", "１"):
        answer = client.get(CART, params={"product_ids": wrong}, headers=person.headers)
        assert answer.status_code == 400, wrong
    assert client.get(CART, headers=person.headers).status_code == 422
    assert client.get(f"{CART}?product_ids=1").status_code == 401
    assert cart(client, person, "product_ids=999999")["recipes"] == []


def test_shows_go_with_the_mall_products_viewed_last(
    client: TestClient, person: Person, warehouse: Engine, now: Now
) -> None:
    new = client.get(f"{SHOWS}?k=2", headers=person.headers).json()
    assert (new["stage"], [row["live_id"] for row in new["recommendations"]]) == ("popular", [2, 3])
    assert client.get("/api/kok/product/101/info", headers=person.headers).status_code == 200
    views = select(func.count()).where(UserEvent.event_type == "kok_product_info_view")

    def seen() -> int:
        with warehouse.connect() as conn:
            return conn.scalar(views) or 0

    until(lambda: seen() == 1, "the view is stored")
    body = client.get(SHOWS, headers=person.headers).json()
    assert (body["stage"], body["kok_product_name"]) == ("resolved", "햇감자 3kg")
    assert [row["live_id"] for row in body["recommendations"]] == [6]
    assert body["product_recommendations"] == {"햇감자 3kg": body["recommendations"]}
    assert body["recommendations"][0]["reason"] == "contains:감자"
    assert client.get("/api/kok/product/103/info", headers=person.headers).status_code == 200
    until(lambda: seen() == 2, "the next view is stored")
    body = client.get(SHOWS, headers=person.headers).json()
    assert (body["kok_product_name"], [row["live_id"] for row in body["recommendations"]]) == (
        "돼지고기 앞다리 1kg",
        [2, 6],
    ), "what was viewed last comes first"
    now.forward(minutes=30)
    assert client.get(SHOWS).status_code == 401
