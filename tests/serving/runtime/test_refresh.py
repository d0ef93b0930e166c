"""Loaded data is served within moments, without a restart."""

from collections.abc import Callable
from typing import NoReturn

import pytest
from sqlalchemy import Connection, Engine, event, func, select
from starlette.testclient import TestClient

from serving.catalog.mall import KokCatalog, load_kok
from serving.runtime.refresh import CatalogFeed
from serving.runtime.snapshot import LiveSnapshot
from sql.service.catalog import KokPrice
from tests.builders.small_catalog import BIG_ID, cancel, fill, set_price
from tests.builders.waiting import until
from tests.serving.conftest import Now, Person


def discounted(client: TestClient, query: str = "") -> list[int]:
    return [p["kok_product_id"] for p in client.get(f"/api/kok/discounted{query}").json()["products"]]


def test_load_is_served_without_a_restart(client: TestClient, filled: Engine) -> None:
    assert discounted(client) == discounted(client) == [103, 101]
    set_price(filled, 102, 4000, 50)
    until(lambda: discounted(client) == [102, 103, 101], "the new price is served")
    info = client.get("/api/kok/product/102/info").json()
    assert (info["kok_discounted_price"], info["kok_discount_rate"]) == (4000, 50)


def test_first_load_is_served_after_an_empty_start(service: Engine, start: Callable[[], TestClient]) -> None:
    client = start()
    assert discounted(client) == []
    assert client.get(f"/api/homeshopping/product/{BIG_ID}/recipe-recommend").status_code == 404
    fill(service)
    until(lambda: discounted(client) == [103, 101], "the mall is served")
    recipes = f"/api/homeshopping/product/{BIG_ID}/recipe-recommend"
    until(lambda: client.get(recipes).status_code == 200 and bool(client.get(recipes).json()["recipes"]), "all is")


def test_a_cancelled_show_leaves_the_schedule(client: TestClient, filled: Engine) -> None:
    def shows() -> list[int]:
        return [row["live_id"] for row in client.get("/api/homeshopping/schedule").json()["schedules"]]

    assert 2 in shows()
    cancel(filled, 2)
    until(lambda: 2 not in shows(), "the show is gone")
    assert client.get("/api/homeshopping/product/2").status_code == 404
    assert client.get("/api/homeshopping/search?keyword=국내산").json()["products"] == []


def test_a_page_size_has_its_own_answer(client: TestClient) -> None:
    assert discounted(client, "?size=1") == [103]
    assert discounted(client, "?size=2") == [103, 101]
    assert discounted(client, "?size=1&page=2") == [101]


def test_unreadable_dataset_is_retried_and_does_not_block_others(
    filled: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Connection) -> NoReturn:
        raise ValueError("a row that nobody thought of")

    snapshot = LiveSnapshot()
    feed = CatalogFeed(filled, snapshot)
    with monkeypatch.context() as broken:
        broken.setattr("serving.runtime.refresh.load_kok", fail)
        with pytest.raises(ValueError, match="nobody thought of"):
            feed.poll()
    assert feed.versions.keys() == {"schedule", "recipes"}
    feed.poll()
    assert feed.versions.keys() == {"kok", "schedule", "recipes"}


def test_concurrent_load_is_read_as_a_whole_or_not_at_all(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def load(conn: Connection) -> KokCatalog:
        before = conn.scalar(select(func.count()).select_from(KokPrice))
        set_price(filled, 102, 4000, 50)
        seen.append((before, conn.scalar(select(func.count()).select_from(KokPrice))))
        return load_kok(conn)

    monkeypatch.setattr("serving.runtime.refresh.load_kok", load)
    CatalogFeed(filled, LiveSnapshot()).poll()
    ((before, after),) = seen
    assert before == after


def test_catalog_requests_do_not_query_the_database(client: TestClient, person: Person, now: Now) -> None:
    from sqlalchemy import Engine as AnyEngine

    asked: list[str] = []

    def remember(_: object, __: object, statement: str, *___: object) -> None:
        if not any(polled in statement for polled in ("data_version", "login_", "user_event")):
            asked.append(statement)

    event.listen(AnyEngine, "before_cursor_execute", remember)
    try:
        for path in (
            "/api/homeshopping/schedule",
            f"/api/homeshopping/product/{BIG_ID}/recipe-recommend",
            f"/api/homeshopping/product/{BIG_ID}/kok-recommend",
            "/api/homeshopping/search?keyword=감자",
            "/api/kok/discounted",
            "/api/kok/product/101/info",
            "/api/kok/search?keyword=감자",
            "/api/recipes/search?recipe=감자",
            "/api/recipes/by-ingredients?ingredient=감자&ingredient=양파&ingredient=쌀&unit=g&unit=g&unit=g",
            "/api/recipes/9001",
            "/api/recipes/감자/product-recommend",
        ):
            assert client.get(path, headers=person.headers).status_code == 200
    finally:
        event.remove(AnyEngine, "before_cursor_execute", remember)
    assert [statement for statement in asked if "set_config" not in statement] == []
