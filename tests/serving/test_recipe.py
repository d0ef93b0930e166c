"""Recipes: pages, searches, ratings, and where to buy what they need."""

import pytest
from starlette.testclient import TestClient

from serving.recipe.amounts import parse_amount
from tests.serving.conftest import Now, Person, sign_up


def ids(client: TestClient, person: Person, path: str) -> list[int]:
    answer = client.get(f"/api/recipes{path}", headers=person.headers)
    assert answer.status_code == 200, answer.text
    return [recipe["recipe_id"] for recipe in answer.json()["recipes"]]


BY_INGREDIENTS = "/by-ingredients?ingredient=햇감자&ingredient=양파&ingredient=돈육&unit=g&unit=개&unit=g"


def test_by_ingredients_puts_first_what_uses_the_most_and_needs_the_least_besides(
    client: TestClient, person: Person
) -> None:
    answer = client.get(f"/api/recipes{BY_INGREDIENTS}&size=2", headers=person.headers).json()
    assert [
        (r["recipe_id"], r["matched_ingredient_count"], r["total_ingredients_count"]) for r in answer["recipes"]
    ] == [
        (9005, 3, 4),
        (9001, 2, 2),
    ]
    assert (answer["page"], answer["total"], answer["combination_number"]) == (1, 4, 1)
    assert answer["has_more_combinations"] is True
    used = answer["recipes"][0]["used_ingredients"]
    assert used[0] == {"material_name": "감자", "measure_amount": 2.0, "measure_unit": "개"}


def test_by_ingredients_goes_on_for_three_combinations(client: TestClient, person: Person) -> None:
    assert ids(client, person, f"{BY_INGREDIENTS}&size=2&page=2") == [9003, 9002]
    last = client.get(f"/api/recipes{BY_INGREDIENTS}&size=1&page=3", headers=person.headers).json()
    assert len(last["recipes"]) == 1
    assert last["has_more_combinations"] is False
    assert ids(client, person, f"{BY_INGREDIENTS}&size=1&page=4") == []


def test_by_ingredients_refuses_counts_that_differ_and_fewer_than_three(client: TestClient, person: Person) -> None:
    three = "/api/recipes/by-ingredients?ingredient=감자&ingredient=양파&ingredient=쌀"
    assert client.get(f"{three}&amount=1&amount=2", headers=person.headers).status_code == 400
    assert client.get(three, headers=person.headers).status_code == 400
    assert client.get(f"{three}&amount=1&amount=2&amount=x", headers=person.headers).status_code == 422
    two = "/api/recipes/by-ingredients?ingredient=감자&ingredient=양파&unit=g&unit=g"
    assert client.get(two, headers=person.headers).status_code == 422


def test_search_by_ingredients_wants_all_of_them(client: TestClient, person: Person) -> None:
    assert ids(client, person, "/search?recipe=감자,양파&method=ingredient") == [9005, 9001, 9003]
    assert ids(client, person, "/search?recipe=감자, 양파, 돼지고기&method=ingredient") == [9005]
    assert ids(client, person, "/search?recipe=카레가루&method=ingredient") == [9005], "a name that is not canonical"
    assert ids(client, person, "/search?recipe=쌀,양파&method=ingredient") == []
    assert ids(client, person, "/search?recipe=,&method=ingredient") == []


def test_the_next_page_of_an_ingredient_search_is_understood_although_it_names_the_wrong_method(
    client: TestClient, person: Person
) -> None:
    assert ids(client, person, "/search?recipe=감자,양파&method=ingredient&page=1&size=2") == [9005, 9001]
    assert ids(client, person, "/search?recipe=감자,양파&method=recipe&page=2&size=2") == [9003]


def test_an_unknown_recipe_answers_404(client: TestClient, person: Person) -> None:
    for path in ("", "/url", "/rating"):
        assert client.get(f"/api/recipes/1{path}", headers=person.headers).status_code == 404
    assert client.post("/api/recipes/1/rating", json={"rating": 3}, headers=person.headers).status_code == 404


def test_a_kept_recipe_page_is_still_only_for_who_is_logged_in(client: TestClient, person: Person, now: Now) -> None:
    assert client.get("/api/recipes/9001", headers=person.headers).status_code == 200
    assert client.get("/api/recipes/9001").status_code == 401
    now.forward(hours=2)
    assert client.get("/api/recipes/9001", headers=person.headers).status_code == 401


def test_a_rating_replaces_the_users_earlier_one_and_the_mean_counts_each_user_once(
    client: TestClient, person: Person
) -> None:
    path = "/api/recipes/9001/rating"
    other = sign_up(client)
    assert client.get(path, headers=person.headers).json() == {"recipe_id": 9001, "rating": 0.0}
    for rating in (1, 5):
        answer = client.post(path, json={"rating": rating}, headers=person.headers)
        assert answer.json() == {"recipe_id": 9001, "rating": rating}
    client.post(path, json={"rating": 2}, headers=other.headers)
    assert client.get(path, headers=person.headers).json()["rating"] == 3.5
    for rating in (-1, 6):
        assert client.post(path, json={"rating": rating}, headers=person.headers).status_code == 422


def test_products_of_an_ingredient_are_at_most_two_shows_then_the_malls(client: TestClient, person: Person) -> None:
    answer = client.get("/api/recipes/감자/product-recommend", headers=person.headers).json()
    assert [(r["source"], r["live_id"], r["kok_product_id"]) for r in answer["recommendations"]] == [
        ("homeshopping", 6, None),
        ("kok", None, 101),
    ]
    assert (answer["total_count"], answer["fallback"]) == (2, False)
    pork = client.get("/api/recipes/돈육/product-recommend", headers=person.headers).json()
    assert [(r["live_id"], r["kok_product_id"]) for r in pork["recommendations"]] == [
        (2, None),
        (None, 103),
        (None, 104),
    ]


def test_products_of_an_unknown_ingredient_are_those_that_name_it_else_none(client: TestClient, person: Person) -> None:
    named = client.get("/api/recipes/밀키트/product-recommend", headers=person.headers).json()
    assert [row["kok_product_id"] for row in named["recommendations"]] == [104]
    assert named["fallback"] is True
    none = client.get("/api/recipes/용과/product-recommend", headers=person.headers).json()
    assert (none["recommendations"], none["total_count"], none["fallback"]) == ([], 0, True)


@pytest.mark.parametrize(
    ("written", "number"),
    [("2", 2), ("1/2", 0.5), ("1 1/2", 1.5), ("1½", 1.5), ("1~2", 2), ("반", 0.5), ("2.5", 2.5), ("1,000", 1000)]
    + [(nothing, None) for nothing in ("약간", "", None, "1/0", "적당량", "-")],
)
def test_amounts_are_read_as_people_write_them(written: str | None, number: float | None) -> None:
    assert parse_amount(written) == number


def test_the_status_of_a_recipe_names_each_ingredient_once_and_as_not_owned(client: TestClient, person: Person) -> None:
    body = client.get("/api/recipes/9002/status", headers=person.headers).json()
    assert (body["recipe_id"], body["user_id"]) == (9002, person.user_id)
    assert [row["material_name"] for row in body["ingredients"]] == ["돼지고기", "김치", "양파"]
    missing = {"status": "not_owned", "order_info": None, "cart_info": None}
    assert all(row == missing | {"material_name": row["material_name"]} for row in body["ingredients"])
    counts = {"total_ingredients": 3, "owned_count": 0, "cart_count": 0, "not_owned_count": 3}
    assert body["summary"] == counts
    assert client.get("/api/recipes/9002/status").status_code == 401
    assert client.get("/api/recipes/1/status", headers=person.headers).status_code == 404
