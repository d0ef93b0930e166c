"""The whole loop as a person runs it: sources over HTTP, every step by `ukok`, responses of the API."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, Table, select

from artifacts.release import current, list_releases
from artifacts.store import Store
from crawlers.standin.catalog import DEMO, load_catalog
from crawlers.standin.server import Standin, running_standin
from sql.service.base import ServiceBase
from sql.warehouse.base import WarehouseBase
from sql.warehouse.events import FctUserEvent, UserEvent
from sql.warehouse.steps import StepRun
from tests.builders.api_process import served
from tests.builders.waiting import until
from tests.conftest import ROOT, servers_only
from ukok.korea import KST

UKOK = Path(sys.executable).parent / "ukok"
# Tables that every run adds to.
LEDGERS = {"loaded_file", "step_run"}


@pytest.fixture(scope="module")
def sources() -> Iterator[Standin]:
    """The demo sources, their shows moved so that the middle day of three is today."""
    today = datetime.now(KST).date()
    with running_standin(load_catalog(DEMO, shift_to=today - timedelta(days=1))) as standin:
        yield standin


@pytest.fixture
def env(stack_env: dict[str, str], sources: Standin) -> dict[str, str]:
    """Environment of a child process on this test's databases and the demo sources."""
    recipes = str(DEMO / "TB_RECIPE_SEARCH_demo.csv")
    return stack_env | sources.env | {"UKOK_RECIPES_FILE": recipes}


def ukok(env: dict[str, str], *arguments: str) -> str:
    """Run a command to its end and return its output."""
    done = subprocess.run(
        [UKOK, *arguments], env=env, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, f"ukok {' '.join(arguments)}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def rows(engine: Engine, tables: Mapping[str, Table]) -> dict[str, Counter[tuple[str, ...]]]:
    """Return all rows, except in the tables that every run adds to."""
    with engine.connect() as conn:
        return {
            name: Counter(tuple(map(repr, row)) for row in conn.execute(select(table)))
            for name, table in tables.items()
            if name not in LEDGERS
        }


def stored(service: Engine, warehouse: Engine) -> dict[str, Counter[tuple[str, ...]]]:
    """Return the rows of both databases."""
    found = rows(service, ServiceBase.metadata.tables)
    history = rows(warehouse, WarehouseBase.metadata.tables)
    return found | {f"warehouse.{name}": counted for name, counted in history.items()}


@contextmanager
def api(env: dict[str, str], log: Path) -> Iterator[httpx.Client]:
    """Run the gateway in a process of its own; yield a client that is logged in."""
    with served("serving.gateway.main", env, log) as server, httpx.Client(base_url=server.url) as client:
        account = {"email": "cook@example.com", "password": "a right password", "username": "요리사"}
        assert client.post("/api/user/signup", json=account).status_code == 201
        form = {"grant_type": "password", "username": account["email"], "password": account["password"]}
        token = client.post("/api/user/login", data=form).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


@servers_only
@pytest.mark.timeout(600)  # it trains, too
def test_from_source_pages_to_a_recommendation(
    env: dict[str, str], service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    today = datetime.now(KST).date()
    ukok(env, "run", "--date", (today - timedelta(days=1)).isoformat(), "--days", "4")
    before = stored(service, warehouse)
    assert sum(before["kok_product"].values()) == 300
    assert sum(before["recipe"].values()) == 300
    # The pages of three days also list shows after midnight of the last.
    assert sum(before["broadcast"].values()) == len(load_catalog(DEMO).shows)
    live = current(store)
    assert live is not None

    # Reading the mall and a broadcaster again only adds reports and ledger entries.
    for source, days in (("kok", ()), ("hmall", ("--days", "4"))):
        ukok(env, "crawl", source, "--date", (today - timedelta(days=1)).isoformat(), *days)
        ukok(env, "load", source)
    ukok(env, "recipes", "import", env["UKOK_RECIPES_FILE"])
    assert stored(service, warehouse) == before

    with api(env, tmp_path / "gateway.log") as client:
        until(lambda: client.get("/readyz").status_code == 200, "the gateway to be ready")
        _browse(client, today, live)
        _log_and_ingest(client, env, warehouse)
        # The running server loads a new release.
        ukok(env, "release", "build")
        newest = list_releases(store)[-1]
        assert newest != live
        ukok(env, "release", "verify", newest)
        ukok(env, "release", "promote", newest)
        product = _ingredient_product(client, today)
        page = f"/api/homeshopping/product/{product}/recipe-recommend"
        until(lambda: client.get(page).json()["release_version"] == newest, "the new release to be served")
        ukok(env, "release", "rollback")
        until(lambda: client.get(page).json()["release_version"] == live, "the old release to be served again")
    with warehouse.connect() as conn:
        statuses = Counter(conn.scalars(select(StepRun.status)))
    assert set(statuses) == {"done"}


def _ingredient_product(client: httpx.Client, today: date) -> int:
    shows = client.get("/api/homeshopping/schedule", params={"live_date": today.isoformat()}).json()["schedules"]
    checked = {show["product_id"]: f"/api/homeshopping/product/{show['product_id']}/check" for show in shows}
    return int(next(number for number, page in checked.items() if client.get(page).json()["is_ingredient"]))


def _browse(client: httpx.Client, today: date, live: str) -> None:
    schedule = client.get("/api/homeshopping/schedule", params={"live_date": today.isoformat()}).json()["schedules"]
    assert len(schedule) > 50
    assert {show["live_date"] for show in schedule} == {today.isoformat()}
    product = _ingredient_product(client, today)
    shown = client.get(f"/api/homeshopping/product/{product}/recipe-recommend").json()
    assert shown["is_ingredient"]
    assert shown["release_version"] == live
    assert shown["extracted_keywords"]
    recipes = [client.get(f"/api/recipes/{recipe['recipe_id']}").json() for recipe in shown["recipes"]]
    assert recipes
    assert all(recipe["materials"] for recipe in recipes)
    live_id = next(show["live_id"] for show in schedule if show["product_id"] == product)
    assert client.get(f"/api/homeshopping/product/{live_id}").json()["product"]["product_id"] == product
    assert client.get(f"/api/homeshopping/product/{product}/kok-recommend").json()["products"]
    discounted = client.get("/api/kok/discounted").json()["products"]
    assert len(discounted) == 20
    info = client.get(f"/api/kok/product/{discounted[0]['kok_product_id']}/info").json()
    assert info["kok_discounted_price"] == discounted[0]["kok_discounted_price"]
    assert client.get("/api/kok/search", params={"keyword": "김치"}).json()["total"] > 0
    query = {"ingredient": ["감자", "양파", "돼지고기"], "amount": ["100"] * 3, "unit": ["g"] * 3}
    by_ingredients = client.get("/api/recipes/by-ingredients", params=query).json()["recipes"]
    assert by_ingredients[0]["matched_ingredient_count"] >= 2
    assert client.get("/api/recipes/search", params={"recipe": "김치찌개", "method": "recipe"}).json()["recipes"]
    assert client.get("/api/recipes/양파/product-recommend").json()["recommendations"]


def _log_and_ingest(client: httpx.Client, env: dict[str, str], warehouse: Engine) -> None:
    click = {"action": "navigation_click", "path": "/kok", "label": "콕 쇼핑몰"}
    answers = [client.post("/api/log/user/activity", json=click) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [201] * 5
    sent = [answer.json()["event_id"] for answer in answers]
    with warehouse.connect() as conn:
        landed = {str(event_id) for event_id in conn.scalars(select(UserEvent.event_id))}
    # The API itself has recorded what was viewed.
    assert landed > set(sent)
    start, end = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC)
    for _ in range(2):
        ukok(env, "logs", "ingest", "--start", start.isoformat(), "--end", end.isoformat())
        with warehouse.connect() as conn:
            facts = {str(event_id) for event_id in conn.scalars(select(FctUserEvent.event_id))}
        assert facts >= landed


def test_an_empty_system_returns_empty_lists(stack_env: dict[str, str], tmp_path: Path) -> None:
    with api(stack_env, tmp_path / "gateway.log") as client:
        assert client.get("/api/homeshopping/schedule").json() == {"schedules": []}
        assert client.get("/api/kok/discounted").json()["products"] == []
        assert client.get("/api/homeshopping/product/1/kok-recommend").json()["products"] == []
        assert client.get("/api/homeshopping/product/1/recipe-recommend").status_code == 404
        assert client.get("/api/recipes/search", params={"recipe": "김치", "method": "recipe"}).json()["recipes"] == []
        assert client.post("/api/log/user/activity", json={"action": "look"}).status_code == 201
