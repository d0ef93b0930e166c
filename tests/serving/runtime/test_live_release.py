"""Live release: swapped without a restart, kept when the next one is invalid, and named in every answer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, insert
from starlette.testclient import TestClient

from artifacts import release as releases
from artifacts.release import CorruptRelease
from artifacts.store import Store
from recommender.bundle import ReleaseFile
from recommender.loaded_release import LoadedRelease
from serving.runtime.release_loader import ReleaseLoader
from serving.web.metrics import Metrics
from sql.service.catalog import Broadcast, HomeShoppingProduct, ProductIngredient
from tests.builders import tiny_release
from tests.builders.small_catalog import BIG_ID, NOON, ONION, at, bump
from tests.builders.waiting import until
from tests.conftest import embedded_only

RECIPES = f"/api/homeshopping/product/{BIG_ID}/recipe-recommend"
MALL = f"/api/homeshopping/product/{BIG_ID}/kok-recommend"


@pytest.fixture
def first(filled: Engine, warehouse: Engine, store: Store) -> str:
    """Build a release of the small catalog and make it live."""
    version = tiny_release.build(filled, warehouse, store, NOON)
    tiny_release.make_live(store, version)
    return version


def answer(client: TestClient, path: str = RECIPES) -> dict[str, Any]:
    response = client.get(path)
    assert response.status_code == 200, response.text
    return dict(response.json())


def failures(client: TestClient) -> float:
    """Return how many releases could not be loaded."""
    figures = client.get("/metrics").text.splitlines()
    (line,) = [line for line in figures if line.startswith("ukok_release_load_failures_total ")]
    return float(line.split()[1])


def test_a_warm_system_answers_from_the_release_and_says_which(first: str, start: Callable[[], TestClient]) -> None:
    client = start()
    recipes = answer(client)
    assert (recipes["release_version"], recipes["stage"], recipes["fallback"]) == (first, "release", False)
    assert {recipe["recipe_id"] for recipe in recipes["recipes"]} >= {9001, 9003}
    assert recipes["recipes"][0]["reason"] == "contains:감자"
    mall = answer(client, MALL)
    assert (mall["release_version"], mall["stage"], mall["fallback"]) == (first, "release", False)
    assert mall["products"][0]["kok_product_id"] == 101
    assert 106 not in [product["kok_product_id"] for product in mall["products"]], "no longer listed"
    assert client.get("/readyz").json()["release"] == first
    assert f'ukok_release_info{{version="{first}"}} 1.0' in client.get("/metrics").text
    assert answer(client, "/api/recommend/release")["version"] == first
    assert answer(client, "/api/recommend/product/kok/101/recipes")["stage"] == "release"


def test_nothing_of_a_loaded_release_is_left_to_the_first_request(first: str, store: Store, tmp_path: Path) -> None:
    loaded = ReleaseLoader(store, tmp_path, Metrics(), lambda *_: None).load(first)
    assert loaded
    lazy = {name for name, member in vars(LoadedRelease).items() if isinstance(member, cached_property)}
    assert lazy
    assert lazy <= vars(loaded).keys()


def test_a_product_that_is_new_since_the_release_is_ranked_by_it(
    first: str, filled: Engine, start: Callable[[], TestClient]
) -> None:
    client = start()
    new = {"source": "hmall", "source_product_id": 777_000_111}
    product = {"product_name": "오늘 처음 온 양파", "price_kind": "unknown", "first_seen_at": NOON, "is_food": True}
    show = {"channel_id": 2, "starts_at": at(6, "18:00"), "ends_at": at(6, "19:00"), "slot": "main"}
    with filled.begin() as conn:
        conn.execute(insert(HomeShoppingProduct), new | product | {"is_ingredient": True, "resolver_version": "1"})
        conn.execute(insert(Broadcast), new | show | {"broadcast_id": 70, "price_kind": "unknown"})
        conn.execute(insert(ProductIngredient), new | {"position": 0, "ingredient_id": ONION})
        bump(conn, "schedule")
    path = "/api/homeshopping/product/777000111/recipe-recommend"
    until(lambda: client.get(path).status_code == 200, "the new product is served")
    found = answer(client, path)
    assert (found["release_version"], found["stage"], found["fallback"]) == (first, "release", False)
    assert found["recipes"][0]["reason"] == "contains:양파"


def test_a_product_without_ingredients_has_no_recipes(client: TestClient) -> None:
    lobster = answer(client, "/api/homeshopping/product/21000006/recipe-recommend")
    assert (lobster["release_version"], lobster["stage"], lobster["recipes"]) == (None, None, [])


def test_release_is_promoted_and_rolled_back_without_a_restart(
    first: str, filled: Engine, warehouse: Engine, store: Store, start: Callable[[], TestClient]
) -> None:
    client = start()
    assert answer(client)["release_version"] == first
    second = tiny_release.build(filled, warehouse, store, NOON + timedelta(hours=1))
    assert second != first
    tiny_release.make_live(store, second)
    until(lambda: answer(client)["release_version"] == second, "the next release is in service")
    assert f'ukok_release_info{{version="{first}"}}' not in client.get("/metrics").text
    assert releases.rollback(store) == first
    until(lambda: answer(client)["release_version"] == first, "the release before is back")


@embedded_only
def test_releases_that_are_no_longer_served_leave_the_disk(
    first: str, store: Store, start: Callable[[], TestClient], stack_env: dict[str, str]
) -> None:
    cache = Path(stack_env["UKOK_VAR_DIR"]) / "cache"

    def kept() -> set[str]:
        return {path.name for path in cache.iterdir() if not path.name.startswith(".")}

    def served_by(version: str) -> bool:
        return all(answer(client)["release_version"] == version for client in clients)

    def go_live(version: str) -> None:
        tiny_release.copy(store, first, version)
        tiny_release.make_live(store, version)
        until(lambda: served_by(version), "it is in service")

    clients = [start(), start()]
    until(lambda: kept() == {first}, "what other tests have left is gone")
    go_live("second")
    go_live("third")
    until(lambda: kept() == {"second", "third"}, "the live one and the one before are kept")
    assert releases.rollback(store) == "second"
    until(lambda: served_by("second"), "it is back")


def test_first_release_is_loaded_after_a_start_without_one(
    filled: Engine, warehouse: Engine, store: Store, start: Callable[[], TestClient]
) -> None:
    client = start()
    assert answer(client)["stage"] == "resolved"
    version = tiny_release.build(filled, warehouse, store, NOON)
    tiny_release.make_live(store, version)
    until(lambda: answer(client)["release_version"] == version, "the first release is in service")
    assert answer(client)["stage"] == "release"


@pytest.mark.parametrize(
    ("name", "flaw"),
    [
        (ReleaseFile.RECIPE_IDS, "changed"),
        (ReleaseFile.RECIPE_TEXTS, "missing"),
        (ReleaseFile.ENCODER_MODEL, "cut off"),
    ],
)
def test_corrupt_release_is_refused_and_the_file_is_named(
    name: str, flaw: str, first: str, store: Store, start: Callable[[], TestClient]
) -> None:
    client = start()
    tiny_release.copy_with_flaw(store, first, "flawed", name, flaw)
    tiny_release.make_live(store, "flawed")
    until(lambda: client.get("/readyz").json()["status"] == "degraded", "the flaw is noticed")
    ready = client.get("/readyz")
    assert ready.status_code == 200, "the old release answers"
    assert name in ready.json()["dependencies"]["release"]
    assert ready.json()["release"] == first
    assert name in answer(client, "/api/recommend/release")["problem"]
    assert (answer(client)["release_version"], answer(client)["stage"]) == (first, "release")
    assert failures(client) >= 1
    assert releases.rollback(store) == first
    until(lambda: client.get("/readyz").json()["status"] == "ready", "all is well again")


def test_missing_release_keeps_the_old_one_in_service(
    first: str, store: Store, start: Callable[[], TestClient]
) -> None:
    client = start()
    for content in (b'{"version": "never-built"}', b"no pointer at all"):
        store.put(releases.CURRENT, content)
        until(lambda: client.get("/readyz").json()["status"] == "degraded", "it is noticed")
        assert answer(client)["release_version"] == first
        assert (answer(start())["release_version"], answer(start())["stage"]) == (None, "resolved")
        store.put(releases.CURRENT, releases.Pointer(version=first).model_dump_json().encode())
        until(lambda: client.get("/readyz").json()["status"] == "ready", "all is well again")


def test_missing_current_keeps_the_release_and_is_reported(
    first: str, store: Store, start: Callable[[], TestClient]
) -> None:
    client = start()
    store.delete(releases.CURRENT)
    until(lambda: client.get("/readyz").json()["status"] == "degraded", "it is noticed")
    ready = client.get("/readyz").json()
    assert ready["dependencies"]["release"].startswith(f"{releases.CURRENT} is gone, {first} stays in service")
    assert (ready["release"], answer(client)["release_version"]) == (first, first)
    figures = client.get("/metrics").text
    assert f'ukok_release_info{{version="{first}"}} 1.0' in figures
    assert 'ukok_dependency_up{dependency="release"} 0.0' in figures
    tiny_release.make_live(store, first)
    until(lambda: client.get("/readyz").json()["status"] == "ready", "all is well again")


def test_unreadable_current_replaces_an_earlier_problem(
    first: str, store: Store, start: Callable[[], TestClient]
) -> None:
    def said() -> str:
        return str(client.get("/readyz").json()["dependencies"]["release"])

    client = start()
    tiny_release.copy_with_flaw(store, first, "flawed", ReleaseFile.RECIPE_IDS, "changed")
    tiny_release.make_live(store, "flawed")
    until(lambda: "flawed" in said(), "the flaw is noticed")
    store.put(releases.CURRENT, b"no pointer at all")
    until(lambda: "flawed" not in said(), "it is the pointer now")
    assert said().startswith(f"{releases.CURRENT} cannot be read, {first} stays in service")
    assert answer(client, "/api/recommend/release")["problem"] == said()


@embedded_only
def test_missing_artifact_folder_is_named(
    filled: Engine,
    configured: pytest.MonkeyPatch,
    start: Callable[[], TestClient],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    configured.setenv("UKOK_ARTIFACTS_URL", str(tmp_path / "elsewhere"))
    ready = start().get("/readyz")
    assert str(tmp_path / "elsewhere") in capfd.readouterr().err, "the log names it"
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["dependencies"]["release"].startswith("there is no folder of artifacts")


@embedded_only
def test_removed_artifact_folder_keeps_the_release(
    first: str, configured: pytest.MonkeyPatch, artifacts_url: str, start: Callable[[], TestClient]
) -> None:
    client = start()
    Path(artifacts_url).rename(f"{artifacts_url}.away")
    until(lambda: client.get("/readyz").json()["status"] == "degraded", "it is noticed")
    assert "there is no folder" in client.get("/readyz").json()["dependencies"]["release"]
    assert answer(client)["release_version"] == first


def test_refused_release_is_retried_with_backoff(
    first: str, store: Store, start: Callable[[], TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str | None] = []
    look = releases.current

    def current(store: Store) -> str | None:
        looks.append(look(store))
        return looks[-1]

    monkeypatch.setattr(releases, "current", current)
    client = start()
    tiny_release.copy_with_flaw(store, first, "flawed", ReleaseFile.RECIPE_IDS, "changed")
    tiny_release.make_live(store, "flawed")
    until(lambda: looks.count("flawed") >= 6, "it was looked at six times")
    assert failures(client) < 3


@embedded_only
def test_a_release_whose_tables_point_outside_is_refused(first: str, store: Store, tmp_path: Path) -> None:
    folder = releases.fetch(store, first, tmp_path)
    LoadedRelease.open(folder)
    tables = [name for name in ReleaseFile if name.startswith("neighbours/")]
    assert len(tables) == 4
    columns = [(name, column) for name in tables for column in ("rows", "reasons")]
    for name, column in [*columns, (ReleaseFile.BASKETS, "ingredients")]:
        path = folder / name
        whole = path.read_bytes()
        with np.load(path) as arrays:
            numbers = dict(arrays)
        for outside in (10**6, -2):
            numbers[column].flat[0] = outside
            np.savez(path, **numbers)
            with pytest.raises(CorruptRelease, match=f"{name}(, reasons,)? points at row {outside} of"):
                LoadedRelease.open(folder)
        path.write_bytes(whole)


def test_no_answer_fails_or_mixes_versions_during_swaps(
    first: str, filled: Engine, warehouse: Engine, store: Store, start: Callable[[], TestClient]
) -> None:
    client = start()
    second = tiny_release.build(filled, warehouse, store, NOON + timedelta(hours=1))
    stop = Event()

    def visit() -> set[tuple[str, str]]:
        seen = set()
        while not stop.is_set():
            recipes = answer(client)
            seen.add((recipes["release_version"], recipes["stage"]))
        return seen

    with ThreadPoolExecutor(2) as pool:
        visitors = [pool.submit(visit) for _ in range(2)]
        for version in (second, first, second):
            tiny_release.make_live(store, version)
            until(lambda v=version: client.get("/readyz").json()["release"] == v, "swapped")  # type: ignore[misc]
        stop.set()
        assert {pair for visitor in visitors for pair in visitor.result()} <= {(first, "release"), (second, "release")}
