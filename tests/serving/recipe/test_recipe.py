"""Recipes: pages, searches, ratings, and where to buy what they need."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import Engine, func, insert, select, update
from starlette.testclient import TestClient

from serving.gateway.main import create_app
from serving.recipe import schemas
from sql.service.catalog import KokProduct, ProductIngredient
from sql.service.recipes import Recipe, RecipeIngredient
from sql.service.users import RecipeRating
from tests.builders.small_catalog import PORK, POTATO, RICE, bump
from tests.builders.waiting import until
from tests.serving.conftest import Now, Person, sign_up


def ids(client: TestClient, person: Person, path: str) -> list[int]:
    answer = client.get(f"/api/recipes{path}", headers=person.headers)
    assert answer.status_code == 200, answer.text
    return [recipe["recipe_id"] for recipe in answer.json()["recipes"]]


BY_INGREDIENTS = "/by-ingredients?ingredient=햇감자&ingredient=양파&ingredient=돈육&unit=g&unit=개&unit=g"


def test_by_ingredients_ranks_by_use_and_by_what_else_is_needed(client: TestClient, person: Person) -> None:
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
    first, second, third = (ids(client, person, f"{BY_INGREDIENTS}&size=1&page={page}") for page in (1, 2, 3))
    assert (len({*first, *second, *third}), len(third)) == (3, 1)
    last = client.get(f"/api/recipes{BY_INGREDIENTS}&size=1&page=3", headers=person.headers).json()
    assert last["has_more_combinations"] is False
    assert sorted(ids(client, person, f"{BY_INGREDIENTS}&size=2&page=2")) == [9002, 9003]
    assert ids(client, person, f"{BY_INGREDIENTS}&size=2&page=3") == []
    beyond = client.get(f"/api/recipes{BY_INGREDIENTS}&size=1&page=4", headers=person.headers).json()
    assert (beyond["recipes"], beyond["total"], beyond["combination_number"]) == ([], 4, 4)
    assert beyond["has_more_combinations"] is False


def given(*stock: tuple[str, str, str]) -> str:
    parts = (f"ingredient={name}&amount={amount}&unit={unit}" for name, amount, unit in stock)
    return f"/by-ingredients?{'&'.join(parts)}"


def test_by_ingredients_goes_by_amounts_in_any_unit(client: TestClient, person: Person) -> None:
    def best(amount: str, unit: str) -> int:
        stock = (("쌀", "2", "컵"), ("감자", amount, unit), ("두부", "1", "모"))
        return ids(client, person, given(*stock) + "&size=2")[1]

    assert best("75", "g") == best("1/2", "개") == best("½", "개") == best("0.075", "kg") == 9001
    assert best("300", "g") == best("2", "개") == best("두", "개") == 9003


def test_a_combination_ends_when_everything_is_used_up(client: TestClient, person: Person) -> None:
    stock = (("감자", "75", "g"), ("양파", "1", "개"), ("두부", "1", "모"))
    assert ids(client, person, given(*stock)) == [9001]
    assert ids(client, person, given(*stock) + "&page=2") == [9003]
    more = (("감자", "0", "g"), ("양파", "0", "개"), ("두부", "1", "모"))
    assert set(ids(client, person, given(*more))) == {9001, 9002, 9003, 9005}, "0 says that nobody knows"


def test_by_ingredients_gives_a_reason_for_each_recipe(client: TestClient, person: Person) -> None:
    recipe = client.get(f"/api/recipes{BY_INGREDIENTS}", headers=person.headers).json()["recipes"][0]
    assert recipe["reason"] == "uses:감자,양파,돼지고기"
    assert (recipe["stage"], recipe["release_version"], recipe["fallback"]) == ("resolved", None, False)


def test_a_cached_combination_still_needs_a_login(client: TestClient, person: Person) -> None:
    first = client.get(f"/api/recipes{BY_INGREDIENTS}", headers=person.headers)
    again = client.get(f"/api/recipes{BY_INGREDIENTS}", headers=person.headers)
    assert first.content == again.content
    assert client.get(f"/api/recipes{BY_INGREDIENTS}").status_code == 401


def test_by_ingredients_rejects_unequal_counts_and_under_three(client: TestClient, person: Person) -> None:
    three = "/api/recipes/by-ingredients?ingredient=감자&ingredient=양파&ingredient=쌀"
    assert client.get(f"{three}&amount=1&amount=2", headers=person.headers).status_code == 400
    assert client.get(f"{three}&amount=1&amount=2&amount=3&unit=g", headers=person.headers).status_code == 400
    assert client.get(three, headers=person.headers).status_code == 400
    two = "/api/recipes/by-ingredients?ingredient=감자&ingredient=양파&unit=g&unit=g"
    assert client.get(two, headers=person.headers).status_code == 422


@pytest.mark.parametrize("amount", ["x", "", "-1", "nan", "inf", "1/0", "1e99", "약간", "2g", "0." + "5" * 40])
def test_an_invalid_amount_is_rejected_by_name(client: TestClient, person: Person, amount: str) -> None:
    three = "/api/recipes/by-ingredients?ingredient=감자&ingredient=양파&ingredient=쌀"
    answer = client.get(f"{three}&amount=1&amount=2&amount={amount}", headers=person.headers)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "amount", 2]


def test_a_unit_that_cannot_be_stored_is_rejected(client: TestClient, person: Person) -> None:
    query = "ingredient=감자&ingredient=양파&ingredient=쌀&unit=g&unit=%00&unit=g"
    answer = client.get(f"/api/recipes/by-ingredients?{query}", headers=person.headers)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", "unit", 1])


def test_ingredient_search_requires_all_ingredients(client: TestClient, person: Person) -> None:
    assert ids(client, person, "/search?recipe=감자,양파&method=ingredient") == [9005, 9001, 9003]
    assert ids(client, person, "/search?recipe=감자, 양파, 돼지고기&method=ingredient") == [9005]
    assert ids(client, person, "/search?recipe=카레가루&method=ingredient") == [9005], "a name that is not canonical"
    assert ids(client, person, "/search?recipe=햇감자,돈육&method=ingredient") == [9005], "synonyms"
    assert ids(client, person, "/search?recipe=,&method=ingredient") == []


def test_recipes_with_most_ingredients_answer_where_none_has_all(client: TestClient, person: Person) -> None:
    def found(names: str, page: int = 1) -> tuple[list[int], int, bool]:
        query = f"recipe={names}&method=ingredient&page={page}&size=2"
        body = client.get(f"/api/recipes/search?{query}", headers=person.headers).json()
        return [recipe["recipe_id"] for recipe in body["recipes"]], body["total"], body["fallback"]

    assert found("감자,양파") == ([9005, 9001], 3, False)
    assert found("감자,양파,용과") == ([9005, 9001], 3, True)
    assert found("감자,양파,용과", page=2) == ([9003], 3, True)
    assert found("용과") == ([], 0, False)


def test_later_pages_of_an_ingredient_search_keep_its_method(client: TestClient, person: Person) -> None:
    assert ids(client, person, "/search?recipe=감자,양파&method=ingredient&page=1&size=2") == [9005, 9001]
    assert ids(client, person, "/search?recipe=감자,양파&method=recipe&page=2&size=2") == [9003]


def test_a_comma_in_a_title_does_not_make_an_ingredient_list(filled: Engine, start: Callable[[], TestClient]) -> None:
    title = "감자조림 만들기, 반찬이 필요없는 한끼식사"
    with filled.begin() as conn:
        conn.execute(update(Recipe).where(Recipe.recipe_id == 9001).values(title=title))
    client = start()
    person = sign_up(client)
    assert ids(client, person, f"/search?method=recipe&recipe={title}") == [9001]
    assert ids(client, person, "/search?method=recipe&recipe=김치찌개,") == [9002]
    assert ids(client, person, "/search?method=recipe&recipe=,") == [], "a sign alone names nothing"
    assert ids(client, person, "/search?method=recipe&recipe=햇감자, 양파") == [9005, 9001, 9003], "each is known"


def test_an_ingredient_in_two_sections_is_one_ingredient(filled: Engine, start: Callable[[], TestClient]) -> None:
    line = {"position": 9, "section": "양념"}
    with filled.begin() as conn:
        rice = line | {"recipe_id": 9004, "name": "쌀", "amount": "1", "unit": "컵", "ingredient_id": RICE}
        potato = line | {"recipe_id": 9003, "name": "감자", "amount": "100", "unit": "g", "ingredient_id": POTATO}
        conn.execute(insert(RecipeIngredient), [rice, potato])
    client = start()
    person = sign_up(client)

    def get(path: str) -> dict[int, tuple[int, int, list[Any]]]:
        recipes = client.get(path, headers=person.headers).json()["recipes"]
        counts = ("matched_ingredient_count", "total_ingredients_count", "used_ingredients")
        return {recipe["recipe_id"]: tuple(recipe[name] for name in counts) for recipe in recipes}

    def used(name: str, amount: float | None, unit: str | None) -> dict[str, Any]:
        return {"material_name": name, "measure_amount": amount, "measure_unit": unit}

    given = "ingredient=쌀&ingredient=감자&ingredient=두부&unit=g&unit=g&unit=g"
    for path in (f"/api/recipes/by-ingredients?{given}", "/api/kok/carts/recipe-recommend?product_ids=101,21000005"):
        found = get(path)
        assert found[9004] == (1, 1, [used("쌀", 3.0, "컵")]), "its lines together"
        assert found[9003] == (1, 2, [used("햇감자", 2.0, "개")]), "grams are no pieces"
    statuses = [client.get(f"/api/recipes/{number}/status", headers=person.headers).json() for number in (9004, 9003)]
    assert [status["summary"]["total_ingredients"] for status in statuses] == [1, 2]
    assert [row["material_name"] for row in statuses[1]["ingredients"]] == ["햇감자", "양파"]


def test_an_unknown_recipe_answers_404(client: TestClient, person: Person) -> None:
    for path in ("", "/url", "/rating"):
        assert client.get(f"/api/recipes/1{path}", headers=person.headers).status_code == 404
    assert client.post("/api/recipes/1/rating", json={"rating": 3}, headers=person.headers).status_code == 404


def test_a_cached_recipe_page_still_needs_a_login(client: TestClient, person: Person, now: Now) -> None:
    assert client.get("/api/recipes/9001", headers=person.headers).status_code == 200
    assert client.get("/api/recipes/9001").status_code == 401
    now.forward(hours=2)
    assert client.get("/api/recipes/9001", headers=person.headers).status_code == 401


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/user/logout"), ("DELETE", "/api/user")])
def test_a_cached_recipe_page_needs_a_valid_login_after_logout(
    client: TestClient, person: Person, start: Callable[[], TestClient], method: str, path: str
) -> None:
    elsewhere, page = start(), "/api/recipes/9001"
    other = sign_up(client)
    for process in (client, elsewhere):
        assert process.get(page, headers=person.headers).status_code == 200
    etag = client.get(page, headers=person.headers).headers["etag"]
    confirmation = {"password": person.password}
    assert client.request(method, path, json=confirmation, headers=person.headers).status_code == 200
    assert client.get(page, headers=person.headers).status_code == 401, "at once here"
    assert client.get(page, headers=person.headers | {"If-None-Match": etag}).status_code == 401
    until(lambda: elsewhere.get(page, headers=person.headers).status_code == 401, "the other process refuses the token")
    for process in (client, elsewhere):
        assert process.get(page, headers=other.headers).status_code == 200


def test_a_new_rating_replaces_the_users_earlier_one(client: TestClient, person: Person) -> None:
    path = "/api/recipes/9001/rating"
    other = sign_up(client)
    assert client.get(path, headers=person.headers).json() == {"recipe_id": 9001, "rating": 0.0}
    for rating in (1, 5):
        answer = client.post(path, json={"rating": rating}, headers=person.headers)
        assert answer.json() == {"recipe_id": 9001, "rating": rating}
    client.post(path, json={"rating": 2}, headers=other.headers)
    assert client.get(path, headers=person.headers).json()["rating"] == 3.5
    assert client.post(path, json={"rating": 3}, headers=sign_up(client).headers).status_code == 200
    mean = 10 / 3
    assert client.get(path, headers=person.headers).json()["rating"] == mean, "on every engine"
    for wrong in (-1, 6, False, True, "3", "", 3.5, None, [3]):
        assert client.post(path, json={"rating": wrong}, headers=person.headers).status_code == 422, wrong
    assert client.get(path, headers=person.headers).json()["rating"] == mean


def test_first_ratings_of_one_user_at_once_are_one_rating(client: TestClient, person: Person, filled: Engine) -> None:
    together = Barrier(6)

    def rate(rating: int) -> int:
        together.wait()
        answer = client.post("/api/recipes/9002/rating", json={"rating": rating}, headers=person.headers)
        return answer.status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(rate, range(6))) == {200}
    with filled.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(RecipeRating)) == 1


def test_an_ingredient_gets_two_shows_then_mall_products(client: TestClient, person: Person) -> None:
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


def test_shows_for_an_ingredient_are_replaced_when_they_end(
    filled: Engine, start: Callable[[], TestClient], now: Now
) -> None:
    on_air, tonight, later = (2, "hnsmall", 21_000_002), (3, "nsmall", 21_000_003), (7, "hmall", 21_000_006)
    with filled.begin() as conn:
        for _, source, product_id in (tonight, later):
            key = {"source": source, "source_product_id": product_id, "position": 9}
            conn.execute(insert(ProductIngredient), {**key, "ingredient_id": PORK})
    client = start()

    def live_ids() -> list[int]:
        headers = sign_up(client).headers
        rows = client.get("/api/recipes/돼지고기/product-recommend", headers=headers).json()["recommendations"]
        assert len(rows) <= 5
        lives = [row["live_id"] for row in rows if row["source"] == "homeshopping"]
        assert [row["live_id"] for row in rows] == lives + [None] * (len(rows) - len(lives))
        return lives

    assert live_ids() == [on_air[0], tonight[0]]
    now.forward(minutes=29, seconds=59)
    assert live_ids() == [on_air[0], tonight[0]]
    now.forward(seconds=1)
    assert live_ids() == [tonight[0], later[0]], "at 12:30 sharp"
    now.forward(hours=12, minutes=30)
    assert live_ids() == [later[0]]


def test_products_for_an_unknown_ingredient_are_found_by_name(client: TestClient, person: Person) -> None:
    named = client.get("/api/recipes/밀키트/product-recommend", headers=person.headers).json()
    assert [row["kok_product_id"] for row in named["recommendations"]] == [104]
    assert named["fallback"] is True
    assert {(row["reason"], row["release_version"], row["fallback"]) for row in named["recommendations"]} == {
        ("title:밀키트", None, True)
    }
    none = client.get("/api/recipes/용과/product-recommend", headers=person.headers).json()
    assert (none["recommendations"], none["total_count"], none["fallback"]) == ([], 0, True)


def test_only_food_named_like_an_ingredient_is_offered_for_it(filled: Engine, start: Callable[[], TestClient]) -> None:
    names = {
        101: "무 3kg 전분",
        103: "국산감자전분 1kg",
        102: "전분없는 우동",
        104: "8전분 여러가지 밀키트",
        105: "무라벨 생수 파우치",
    }
    with filled.begin() as conn:
        for number, name in names.items():
            conn.execute(update(KokProduct).where(KokProduct.kok_product_id == number).values(product_name=name))
    client = start()
    person = sign_up(client)

    def offered(ingredient: str) -> list[int]:
        rows = client.get(f"/api/recipes/{ingredient}/product-recommend", headers=person.headers).json()
        return [row["kok_product_id"] for row in rows["recommendations"]]

    assert offered("전분") == [103, 101], "the most reviewed first"
    assert offered("무") == [101]
    assert offered("파") == offered("여러") == offered("피망") == []
    with filled.begin() as conn:
        conn.execute(update(KokProduct).where(KokProduct.kok_product_id == 103).values(is_food=False))
        bump(conn, "kok")
    until(lambda: offered("전분") == [101], "a fan may be called so, too")


def test_an_ingredient_may_have_a_slash_in_its_name(client: TestClient, person: Person) -> None:
    for path in ("밀키트%2F간편식", "밀키트/간편식"):
        answer = client.get(f"/api/recipes/{path}/product-recommend", headers=person.headers)
        assert (answer.status_code, answer.json()["ingredient"]) == (200, "밀키트/간편식")
        answer = client.get(f"/api/recommend/ingredient/{path}/substitutes")
        assert (answer.status_code, answer.json()["ingredient"]) == (200, "밀키트/간편식")


def test_recipe_status_lists_each_ingredient_once_as_not_owned(client: TestClient, person: Person) -> None:
    body = client.get("/api/recipes/9002/status", headers=person.headers).json()
    assert (body["recipe_id"], body["user_id"]) == (9002, person.user_id)
    assert [row["material_name"] for row in body["ingredients"]] == ["돼지고기", "김치", "양파"]
    missing = {"status": "not_owned", "order_info": None, "cart_info": None}
    assert all(row == missing | {"material_name": row["material_name"]} for row in body["ingredients"])
    counts = {"total_ingredients": 3, "owned_count": 0, "cart_count": 0, "not_owned_count": 3}
    assert body["summary"] == counts
    assert client.get("/api/recipes/9002/status").status_code == 401
    assert client.get("/api/recipes/1/status", headers=person.headers).status_code == 404


def test_openapi_documents_every_recipe_route_and_its_errors() -> None:
    spec = create_app().openapi()
    operations = {
        (path, method): operation
        for path, methods in spec["paths"].items()
        if path.startswith("/api/recipes")
        for method, operation in methods.items()
    }
    assert len(operations) == 8
    for (path, _), operation in operations.items():
        assert operation["description"]
        assert {"200", "401", "422", "503"} <= operation["responses"].keys(), path
        assert ("404" in operation["responses"]) == ("{" in path)
    by_ingredients = operations["/api/recipes/by-ingredients", "get"]
    assert "400" in by_ingredients["responses"]
    described = {p["name"] for p in by_ingredients["parameters"] if "description" in p}
    assert {"ingredient", "amount", "unit", "page"} <= described


def test_openapi_has_an_example_of_every_field_of_a_recipe_answer() -> None:
    models = create_app().openapi()["components"]["schemas"]
    bodies = (each for each in vars(schemas).values() if isinstance(each, type) and issubclass(each, BaseModel))
    answers = [body.__name__ for body in bodies if body.__name__ in models]
    assert {"RecipeRow", "MatchedRecipe", "RecipeStatus", "IngredientProduct"} <= set(answers)
    for name in answers:
        for field, described in models[name]["properties"].items():
            nested = "$ref" in described or "$ref" in described.get("items", {})
            parts = [described, *described.get("anyOf", [])]
            assert nested or any("examples" in part for part in parts), f"{name}.{field}"
