"""Recommendations for products, recipes and users: in the order of the stages, and never a show that is over."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, insert, select, update
from starlette.testclient import TestClient

from artifacts.store import Store
from recommender.rankers.personal import PersonalConfig
from serving.recommend.presenters import products_body
from serving.recommendations.recently_viewed import VIEWS
from serving.recommendations.stages import Recommendation, RecommendedItem, Stage
from sql.service.catalog import Broadcast, KokProduct, ProductIngredient, ProductItem, SearchDocument
from sql.service.recipes import Recipe, RecipeIngredient
from sql.warehouse.erase import anonymise
from sql.warehouse.events import UserEvent
from tests.builders import tiny_release
from tests.builders.personal import model, save_model
from tests.builders.small_catalog import BIG_ID, INGREDIENTS, NOON, PORK, RICE, at, bump, cancel, same_item
from tests.builders.waiting import until
from tests.serving.conftest import Now, Person, log_in, sign_up
from tests.serving.gate import Gate

SHOWS_FOR_POTATOES = "/api/recommend/product/kok/101/products?target=home_shopping"
MALL_FOR_POTATOES = f"/api/recommend/product/hmall/{BIG_ID}/products"


def answer(client: TestClient, path: str, person: Person | None = None) -> dict[str, Any]:
    response = client.get(path, headers=person.headers if person else {})
    assert response.status_code == 200, response.text
    body = dict(response.json())
    items = next(body[name] for name in ("products", "recipes", "substitutes", "complements") if name in body)
    for item in items:
        same = (item["release_version"], item["stage"], item["fallback"])
        assert same == (body["release_version"], body["stage"], body["fallback"])
        assert item["reason"]
    return body


def keys(body: dict[str, Any]) -> list[tuple[str, int]]:
    return [(product["product_source"], product["product_id"]) for product in body["products"]]


@pytest.fixture
def warm(filled: Engine, warehouse: Engine, store: Store, start: Callable[[], TestClient]) -> tuple[TestClient, str]:
    """The gateway with a release, and the release's version."""
    version = tiny_release.build(filled, warehouse, store, NOON)
    tiny_release.make_live(store, version)
    return start(), version


def view(client: TestClient, person: Person, warehouse: Engine, *paths: str) -> None:
    """View pages, and wait until the events are stored."""

    def seen() -> int:
        mine = select(func.count()).where(UserEvent.user_id == person.user_id, UserEvent.event_type.in_(VIEWS))
        with warehouse.connect() as conn:
            return conn.scalar(mine) or 0

    before = seen()
    for path in paths:
        assert client.get(path, headers=person.headers).status_code == 200
    until(lambda: seen() == before + len(paths), "the views are stored")


def test_a_warm_system_answers_from_its_release(warm: tuple[TestClient, str]) -> None:
    client, version = warm
    shows = answer(client, SHOWS_FOR_POTATOES)
    assert (shows["stage"], shows["release_version"], shows["fallback"]) == ("release", version, False)
    assert ("hmall", BIG_ID) in keys(shows)
    mall = answer(client, MALL_FOR_POTATOES)
    assert (mall["stage"], keys(mall)[0]) == ("release", ("kok", 101))
    assert ("kok", 106) not in keys(mall), "no longer listed"
    recipe = answer(client, "/api/recommend/recipe/9001/products")
    assert recipe["stage"] == "release"
    assert ("kok", 101) in keys(recipe)
    assert answer(client, "/api/recommend/ingredient/햇감자/substitutes")["ingredient"] == "감자"
    bodies = [answer(client, f"/api/recommend/ingredient/{name}/substitutes") for name in INGREDIENTS.values()]
    assert "release" in {body["stage"] for body in bodies}
    for body in bodies:
        rows = body["substitutes"]
        assert body["ingredient"] not in [row["ingredient"] for row in rows]
        assert all(0 < row["score"] <= 1 for row in rows)


def test_complements_of_ingredients_and_of_a_title(warm: tuple[TestClient, str], warehouse: Engine) -> None:
    client, version = warm
    path = "/api/recommend/complete?ingredient=햇감자&ingredient=감자&ingredient=없는재료&title=조림&k=2"
    body = answer(client, path)
    assert (body["ingredients"], body["unknown"], body["title"]) == (["감자"], ["없는재료"], "조림")
    assert (body["stage"], body["release_version"]) == ("release", version)
    names = [row["ingredient"] for row in body["complements"]]
    assert 1 <= len(names) <= 2
    assert "감자" not in names
    assert all(row["reason"].startswith(("with:감자", "title:조림")) for row in body["complements"])
    assert client.get("/api/recommend/complete").status_code == 422
    event = select(UserEvent.payload).where(UserEvent.event_type == "ingredient_complements_view")

    def recorded() -> list[Any]:
        with warehouse.connect() as conn:
            return list(conn.scalars(event))

    until(lambda: bool(recorded()), "the event is stored")
    assert [each["ingredient"] for each in recorded()[0]["impressions"]] == names


def test_reasons_name_only_what_was_given(warm: tuple[TestClient, str]) -> None:
    body = answer(warm[0], "/api/recommend/complete?ingredient=햇감자&ingredient=onion&title=asdf&k=9")
    assert (body["title"], body["did_you_mean"]) == ("", "햇감자,양파")
    given = {"with:햇감자", "with:양파", "with:햇감자,양파", "popular"}
    assert body["complements"]
    assert {row["reason"] for row in body["complements"]} <= given


def test_unknown_ingredients_alone_have_no_complements(warm: tuple[TestClient, str]) -> None:
    body = answer(warm[0], "/api/recommend/complete?ingredient=없는재료")
    assert (body["ingredients"], body["unknown"], body["complements"]) == ([], ["없는재료"], [])
    assert body["stage"] is None


def test_a_cold_system_completes_by_what_is_used_together(client: TestClient) -> None:
    body = answer(client, "/api/recommend/complete?ingredient=감자")
    assert (body["stage"], body["fallback"]) == ("resolved", True)
    assert {row["reason"] for row in body["complements"]} == {"with:감자"}
    assert "감자" not in [row["ingredient"] for row in body["complements"]]


def test_a_cold_system_answers_by_ingredients(client: TestClient) -> None:
    shows = answer(client, SHOWS_FOR_POTATOES)
    assert (shows["stage"], shows["fallback"], keys(shows)) == ("resolved", True, [("hmall", BIG_ID)])
    assert shows["products"][0]["reason"] == "contains:감자"
    sushi = answer(client, "/api/recommend/product/kok/105/products?target=home_shopping")
    assert (sushi["stage"], sushi["products"]) == (None, []), "nothing is known of its ingredients"
    assert answer(client, MALL_FOR_POTATOES)["stage"] == "resolved"
    assert answer(client, "/api/recommend/recipe/9001/products")["stage"] == "resolved"
    assert answer(client, "/api/recommend/ingredient/감자/substitutes")["stage"] is None


def test_an_empty_system_answers_with_nothing(service: Engine, start: Callable[[], TestClient]) -> None:
    client = start()
    person = sign_up(client)
    assert client.get(SHOWS_FOR_POTATOES).status_code == 404
    assert client.get("/api/recommend/recipe/9001/products").status_code == 404
    for path in ("/api/recommend/me/recipes", "/api/recommend/me/products"):
        body = answer(client, path, person)
        assert (body["stage"], body.get("recipes", body.get("products"))) == (None, [])
        assert client.get(path).status_code == 401


def shows_for_potatoes(client: TestClient) -> list[int]:
    return [row["live_id"] for row in answer(client, SHOWS_FOR_POTATOES)["products"]]


def test_shows_that_are_over_are_never_offered(client: TestClient, now: Now) -> None:
    assert shows_for_potatoes(client) == [6], "the morning's show is over"
    now.forward(hours=12, minutes=30)
    assert answer(client, SHOWS_FOR_POTATOES)["products"][0]["on_air"]
    now.forward(hours=1)
    assert shows_for_potatoes(client) == [], "by now every show of potatoes is over"


def test_shows_that_are_cancelled_are_never_offered(client: TestClient, filled: Engine) -> None:
    assert shows_for_potatoes(client) == [6]
    cancel(filled, 6)
    until(lambda: shows_for_potatoes(client) == [], "the cancelled one is gone")


def test_what_is_only_popular_is_no_answer_for_a_product(client: TestClient) -> None:
    for number in (21_000_006, 21_000_004):
        body = client.get(f"/api/homeshopping/product/{number}/kok-recommend").json()
        assert (body["stage"], body["products"]) == (None, []), "of lobster and cleaner no ingredient is known"
    for source, number in (("hmall", 21_000_006), ("kok", 105)):
        recipes = answer(client, f"/api/recommend/product/{source}/{number}/recipes")
        assert (recipes["stage"], recipes["recipes"]) == (None, [])


@pytest.mark.parametrize("state", ["cold", "warm"])
@pytest.mark.usefixtures("filled")
def test_nothing_is_recommended_for_itself(state: str, request: pytest.FixtureRequest) -> None:
    client = request.getfixturevalue("client") if state == "cold" else request.getfixturevalue("warm")[0]
    everything: list[tuple[str, int]] = []
    for source, number in (("hmall", BIG_ID), ("hnsmall", 21_000_002), ("kok", 101), ("kok", 103), ("kok", 105)):
        for target in ("kok", "home_shopping"):
            path = f"/api/recommend/product/{source}/{number}/products?k=50&target={target}"
            offered = keys(answer(client, path))
            assert (source, number) not in offered
            everything += offered
    assert {("hmall", BIG_ID), ("kok", 101)} <= set(everything)


def test_unlisted_mall_products_are_not_offered_for_a_recipe(warm: tuple[TestClient, str], filled: Engine) -> None:
    client, _ = warm

    def offered() -> set[tuple[str, int]]:
        return set(keys(answer(client, "/api/recommend/recipe/9001/products?k=50")))

    assert {("kok", 101), ("kok", 102)} <= offered()
    with filled.begin() as conn:
        conn.execute(update(KokProduct).where(KokProduct.kok_product_id == 101).values(vanished_at=NOON))
        bump(conn, "kok")
    until(lambda: ("kok", 101) not in offered(), "it is offered no more")
    assert ("kok", 102) in offered()


def test_shows_are_offered_until_they_end_within_the_schedules_days(
    filled: Engine, start: Callable[[], TestClient], now: Now
) -> None:
    show = {"channel_id": 1, "source": "hmall", "source_product_id": BIG_ID, "slot": "main", "price_kind": "unknown"}
    days = {80: ("hnsmall", 21_000_005, 16), 81: ("hnsmall", 21_000_002, 17), 82: ("hmall", BIG_ID, 29)}
    with filled.begin() as conn:
        for live_id, (source, number, day) in days.items():
            key = {"broadcast_id": live_id, "source": source, "source_product_id": number}
            hours = {"starts_at": at(day, "10:00"), "ends_at": at(day, "11:00")}
            conn.execute(insert(Broadcast), show | key | hours)
        conn.execute(update(Broadcast).where(Broadcast.broadcast_id.in_([2, 6])).values(cancelled_at=NOON))
    client = start()
    person = sign_up(client)

    def offered() -> list[tuple[int, bool]]:
        headers = log_in(client, person.email, person.password)
        body = client.get("/api/recommend/me/products?k=50", headers=headers).json()
        assert body["stage"] == "popular"
        return [(row["live_id"], row["on_air"]) for row in body["products"] if row["live_id"]]

    assert offered() == [(3, False), (7, False), (80, False)], "as far as the schedule: ten days"
    now.moment = at(6, "23:50")
    assert offered() == [(3, True), (7, False), (80, False)]
    now.moment = at(7, "00:00")
    assert offered() == [(3, True), (7, False), (80, False), (81, False)], "one began yesterday, and a day more counts"
    now.moment = at(7, "01:00")
    assert offered() == [(7, False), (80, False), (81, False)], "at its end it is over"
    now.moment = at(18, "12:00")
    assert offered() == []
    now.moment = at(19, "00:00")
    assert offered() == [(82, False)]


def test_a_show_is_on_air_from_its_start_until_before_its_end(client: TestClient) -> None:
    snapshot = client.app.state.runtime.live_snapshot.current  # type: ignore[attr-defined]
    item = RecommendedItem(snapshot.schedule.by_live_id[2], "popular", Stage.POPULAR)
    picked = Recommendation((item,), Stage.POPULAR, None)
    moments = (at(6, "11:29"), at(6, "11:30"), at(6, "12:29"), at(6, "12:30"))
    bodies = [json.loads(products_body(snapshot, picked, now)) for now in moments]
    assert [body["products"][0]["on_air"] for body in bodies] == [False, True, True, False]


def test_an_item_is_offered_once_whoever_lists_it(filled: Engine, start: Callable[[], TestClient]) -> None:
    pork, kimchi = ("hnsmall", 21_000_002), ("nsmall", 21_000_003)
    with filled.begin() as conn:
        for source, number in (pork, kimchi):
            key = {"source": source, "source_product_id": number}
            conn.execute(insert(ProductItem), {**key, "item_id": "hnsmall:21000002", "score": 1.0, "method": "title"})
        key = {"source": kimchi[0], "source_product_id": kimchi[1], "position": 9}
        conn.execute(insert(ProductIngredient), {**key, "ingredient_id": PORK})
    same_item(filled, 103, 102)
    client = start()
    person = sign_up(client)
    for path in ("/api/recommend/product/kok/103/products?target=home_shopping", "/api/recommend/recipe/9002/products"):
        offered = keys(answer(client, path))
        assert len(offered) == len(set(offered))
    shows = answer(client, "/api/recommend/product/kok/103/products?target=home_shopping")["products"]
    assert [row["live_id"] for row in shows] == [2], "not the later show of the same item"
    rows = client.get("/api/recipes/돼지고기/product-recommend", headers=person.headers).json()["recommendations"]
    assert [row["live_id"] for row in rows if row["live_id"]] == [2]
    others = answer(client, "/api/recommend/product/kok/103/products")["products"]
    assert not {103, 102} & {row["product_id"] for row in others}, "another listing of itself is no other product"


@pytest.mark.parametrize("state", ["cold", "warm"])
def test_views_decide_what_a_user_is_recommended(
    state: str, request: pytest.FixtureRequest, warehouse: Engine, filled: Engine
) -> None:
    client = request.getfixturevalue("client") if state == "cold" else request.getfixturevalue("warm")[0]
    person = sign_up(client)
    new = answer(client, "/api/recommend/me/recipes", person)
    assert (new["stage"], [row["recipe_id"] for row in new["recipes"]]) == ("popular", [9002, 9005, 9001, 9004, 9003])
    view(client, person, warehouse, "/api/kok/product/101/info", "/api/recipes/9001")
    recipes = answer(client, "/api/recommend/me/recipes", person)
    assert recipes["stage"] == ("resolved" if state == "cold" else "release")
    assert 9001 not in [row["recipe_id"] for row in recipes["recipes"]], "it was viewed"
    assert {9003, 9005} <= {row["recipe_id"] for row in recipes["recipes"]}
    assert recipes["recipes"][0]["reason"].startswith("viewed:")
    products = answer(client, "/api/recommend/me/products", person)
    assert products["stage"] == ("resolved" if state == "cold" else "release")
    assert ("kok", 101) not in keys(products), "it was viewed"
    assert ("hmall", BIG_ID) in keys(products)


def test_the_personal_model_decides_what_a_user_is_recommended(
    filled: Engine, warehouse: Engine, store: Store, start: Callable[[], TestClient]
) -> None:
    products = (("kok", 101), ("kok", 102), ("kok", 103), ("kok", 106), ("hmall", BIG_ID), ("hnsmall", 1))
    weights = {(0, 3): 0.9, (0, 4): 0.8, (0, 1): 0.7, (0, 5): 0.6}
    save_model(store, model(products, weights, popular=(2, 3), config=PersonalConfig(popularity_weight=0.5)), NOON)
    version = tiny_release.build(filled, warehouse, store, NOON)
    tiny_release.make_live(store, version)
    client = start()
    person = sign_up(client)
    new = client.get("/api/recommend/me/products", headers=person.headers).json()
    assert new["stage"] == "popular"
    mall = [(row["product_id"], row["reason"]) for row in new["products"] if row["product_source"] == "kok"]
    assert mall[0] == (103, "popular"), "106 is no longer listed"
    assert (101, "season:감자") in mall
    view(client, person, warehouse, "/api/kok/product/101/info")
    body = client.get("/api/recommend/me/products", headers=person.headers).json()
    rows = [((row["product_source"], row["product_id"]), row["stage"], row["reason"]) for row in body["products"]]
    assert (body["stage"], body["release_version"]) == ("release", version)
    assert rows == [
        (("hmall", BIG_ID), "release", "viewed:햇감자 3kg"),
        (("kok", 102), "release", "viewed:햇감자 3kg"),
        (("kok", 103), "popular", "popular"),
    ], "without what is not listed, not in the schedule, or was viewed"


def test_views_without_known_ingredients_give_popular_items(client: TestClient, warehouse: Engine) -> None:
    person = sign_up(client)
    view(client, person, warehouse, "/api/homeshopping/product/7", "/api/kok/product/105/info")
    for path in ("/api/recommend/me/recipes", "/api/recommend/me/products"):
        body = answer(client, path, person)
        assert body["stage"] == "popular", "of lobster and sushi no ingredient is known"
        reasons = {row["reason"] for row in body.get("recipes") or body["products"]}
        assert reasons == {"popular", "season:감자"}, "it is August"


def test_a_product_that_is_new_is_ranked_by_the_release(
    warm: tuple[TestClient, str], filled: Engine, warehouse: Engine
) -> None:
    client, version = warm
    person = sign_up(client)
    rice = {"source": "kok", "source_product_id": 107, "position": 0, "ingredient_id": RICE}
    fresh = {"kok_product_id": 107, "store_name": "새가게", "product_name": "옛날 쌀 10kg", "first_seen_at": NOON}
    resolved = {"kind": "ingredient", "product_types": "쌀", "recipe_probability": 0.9}
    with filled.begin() as conn:
        flags = {"is_food": True, "is_ingredient": True, "resolver_version": "1"}
        conn.execute(insert(KokProduct), fresh | flags | resolved)
        conn.execute(insert(ProductIngredient), rice)
        bump(conn, "kok")
    page = "/api/kok/product/107/info"
    until(lambda: client.get(page).status_code == 200, "the new product is there")
    recipes = answer(client, "/api/recommend/product/kok/107/recipes")
    assert (recipes["stage"], recipes["release_version"]) == ("release", version)
    first = recipes["recipes"][0]
    assert (first["recipe_id"], first["reason"]) == (9004, "contains:쌀")
    view(client, person, warehouse, page)
    assert answer(client, "/api/recommend/me/recipes", person)["stage"] == "release"


def test_nobody_cooks_with_a_new_drink(warm: tuple[TestClient, str], filled: Engine) -> None:
    client, _ = warm
    fresh = {"store_name": "새가게", "first_seen_at": NOON, "is_food": True, "is_ingredient": False}
    drink = {"product_name": "옛날 쌀음료 1L", "kind": "drink", "product_types": "쌀음료", "recipe_probability": 0.0}
    taken = {"product_name": "쌀눈 캡슐", "kind": "supplement", "product_types": "쌀눈", "recipe_probability": 0.0}
    with filled.begin() as conn:
        for number, product in ((107, drink), (108, taken)):
            conn.execute(insert(KokProduct), fresh | product | {"kok_product_id": number, "resolver_version": "1"})
            key = {"source": "kok", "source_product_id": number, "position": 0}
            conn.execute(insert(ProductIngredient), {**key, "ingredient_id": RICE})
        bump(conn, "kok")
    until(lambda: client.get("/api/kok/product/108/info").status_code == 200, "the new products are there")
    for number in (107, 108):
        recipes = answer(client, f"/api/recommend/product/kok/{number}/recipes")
        assert (recipes["stage"], recipes["recipes"]) == (None, [])


def test_a_user_gets_popular_items_while_the_warehouse_is_away(
    filled: Engine, gate: Callable[[str], Gate], start: Callable[[], TestClient]
) -> None:
    door = gate("warehouse")
    client = start()
    person = sign_up(client)
    door.shut()
    assert answer(client, "/api/recommend/me/recipes", person)["stage"] == "popular"
    assert answer(client, "/api/recommend/me/products", person)["stage"] == "popular"


def test_events_record_shown_items_and_the_request(client: TestClient, person: Person, warehouse: Engine) -> None:
    potatoes = {"product_id": BIG_ID, "product_source": "hmall"}
    in_mall, show = {"product_id": 101, "product_source": "kok"}, potatoes | {"live_id": 6}
    named, resolved = {"reason": "title:감자"}, {"reason": "contains:감자"}
    view(client, person, warehouse, "/api/kok/product/101/info")
    viewed = {"reason": "viewed:햇감자 3kg"}
    three = "ingredient=쌀&ingredient=두부&ingredient=김&unit=g&unit=g&unit=g"
    text = [{"position": n, "recipe_id": number} | named for n, number in enumerate((9003, 9001), start=1)]
    expected: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
        "/api/homeshopping/product/1/kok-recommend": (potatoes, [in_mall | resolved]),
        "/api/recommend/product/kok/101/products?target=home_shopping": (in_mall, [show | resolved]),
        f"/api/recommend/product/hmall/{BIG_ID}/products": (potatoes, [in_mall | resolved]),
        "/api/recommend/recipe/9003/products?k=1": ({"anchor_recipe_id": 9003}, [in_mall | resolved]),
        "/api/recommend/me/products?k=1": ({}, [show | viewed]),
        "/api/recommend/search?keyword=감자": ({"keyword": "감자"}, [*text, show | named, in_mall | named]),
        "/api/recipes/감자/product-recommend": ({"ingredient": "감자"}, [show | resolved, in_mall | resolved]),
        "/api/kok/product/homeshopping-recommend": ({"kok_product_ids": [101]}, [show | resolved]),
        "/api/kok/carts/recipe-recommend?product_ids=21000005,1,999": (
            {"cart": [{"product_id": 21_000_005, "product_source": "hnsmall"}, potatoes]},
            [{"recipe_id": 9004, "reason": "contains:쌀"}],
        ),
        f"/api/recipes/by-ingredients?{three}": ({"unit": ["g"] * 3}, [{"recipe_id": 9004, "reason": "uses:쌀"}]),
    }

    def payloads() -> list[dict[str, Any]]:
        recorded = select(UserEvent.payload).where(UserEvent.event_type.not_in([*VIEWS, "user_signup", "user_login"]))
        with warehouse.connect() as conn:
            return list(conn.scalars(recorded.order_by(UserEvent.event_id)))

    for path in expected:
        assert client.get(path, headers=person.headers).status_code == 200, path
    until(lambda: len(payloads()) == len(expected), "everything is stored")
    for (path, (asked, items)), payload in zip(expected.items(), payloads(), strict=True):
        assert asked.items() <= payload.items(), path
        assert payload["stage"] == ("text" if "search" in path else "resolved"), path
        for item, event in zip(items, payload["impressions"], strict="cart" not in path):
            assert item.items() <= event.items(), path
    with warehouse.begin() as conn:
        anonymise(conn, [person.user_id])
    words = {"keyword", "ingredient", "ingredients", "unit", "amount", "reason"}
    for (path, (asked, items)), payload in zip(expected.items(), payloads(), strict=True):
        assert {name: value for name, value in asked.items() if name not in words}.items() <= payload.items(), path
        for item, event in zip(items, payload["impressions"], strict="cart" not in path):
            assert {name: value for name, value in item.items() if name not in words}.items() <= event.items(), path


def test_a_text_finds_recipes_and_what_can_be_bought_now(client: TestClient, now: Now) -> None:
    body = client.get("/api/recommend/search?keyword=돼지고기 김치찌게").json()
    assert body["recipes"]["recipes"][0]["recipe_id"] == 9002, "although it is misspelled"
    assert {row["stage"] for row in body["recipes"]["recipes"]} == {"text"}
    assert not body["recipes"]["fallback"]
    assert keys(client.get("/api/recommend/search?keyword=감자").json()["products"])[0] == ("hmall", BIG_ID)
    now.forward(days=30)
    assert keys(client.get("/api/recommend/search?keyword=감자").json()["products"]) == [("kok", 101)]
    nothing = client.get("/api/recommend/search?keyword=qwzxv").json()
    assert (nothing["recipes"]["recipes"], nothing["products"]["products"]) == ([], [])


def test_shows_take_at_most_half_of_what_a_text_finds(filled: Engine, start: Callable[[], TestClient]) -> None:
    with filled.begin() as conn:
        conn.execute(update(KokProduct).where(KokProduct.kok_product_id == 102).values(product_name="양파 10kg"))
    client = start()

    def found(k: int) -> list[tuple[str, int]]:
        return keys(client.get(f"/api/recommend/search?keyword=10kg&k={k}").json()["products"])

    kimchi, potatoes, onions = ("nsmall", 21_000_003), ("hmall", BIG_ID), ("kok", 102)
    assert [found(k) for k in (1, 2, 4)] == [[kimchi], [kimchi, onions], [kimchi, potatoes, onions]]


def test_search_falls_back_to_recipes_of_similar_meaning(
    filled: Engine, warehouse: Engine, store: Store, start: Callable[[], TestClient]
) -> None:
    version = tiny_release.build(filled, warehouse, store, NOON)
    tiny_release.make_live(store, version)
    with filled.begin() as conn:
        renamed = update(Recipe).where(Recipe.recipe_id.in_([9004, 9005]))
        conn.execute(renamed.values(title="새 이름", dish=None))
        conn.execute(delete(RecipeIngredient).where(RecipeIngredient.recipe_id.in_([9004, 9005])))
        conn.execute(update(SearchDocument).where(SearchDocument.source == "recipes").values(tokens=""))
    client = start()
    found = client.get("/api/recommend/search?keyword=카레 백미밥").json()["recipes"]
    assert 9004 in [row["recipe_id"] for row in found["recipes"]]
    assert {(row["reason"], row["stage"], row["release_version"]) for row in found["recipes"]} == {
        ("similar", "release", version)
    }
    release = client.app.state.runtime.live_snapshot.current.release  # type: ignore[attr-defined]
    cosines = {neighbour.recipe_id: neighbour.score for neighbour in release.recipes_by_text("카레 백미밥", 50)}
    assert min(cosines.values()) < 0.35, "every recipe is like it a little"
    assert [row["recipe_id"] for row in found["recipes"]] == [n for n, cosine in cosines.items() if cosine >= 0.35]
    for gibberish in ("뷁쉙", "asdfgh", "ㅋㅋㅋ"):
        found = client.get(f"/api/recommend/search?keyword={gibberish}").json()
        assert (found["recipes"]["recipes"], found["products"]["products"]) == ([], [])


def test_ingredients_are_suggested_while_they_are_typed(client: TestClient) -> None:
    def suggested(prefix: str) -> list[str]:
        answer = client.get("/api/recommend/ingredients", params={"prefix": prefix})
        return [row["ingredient"] for row in answer.json()["suggestions"]]

    assert {suggested(prefix)[0] for prefix in ("감", "감ㅈ", "ㄱㅈ", "햇감")} == {"감자"}
    assert suggested("") == []
    assert client.get("/api/recommend/ingredients").status_code == 422


def test_ml_health_reports_the_release_in_service(client: TestClient, request: pytest.FixtureRequest) -> None:
    state = {"status": "no release", "release_version": None, "problem": None, "canary": None}
    assert client.get("/api/health/ml").json() == state
    warm, version = request.getfixturevalue("warm")
    assert warm.get("/api/health/ml").json() == state | {"status": "ok", "release_version": version}
