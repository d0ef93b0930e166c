"""A show that a broadcaster moves by half an hour keeps its address after the next crawl."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from artifacts.store import Store
from crawlers.runner.crawl import crawl
from crawlers.standin.server import running_standin
from pipelines.load.sources import load_source
from serving.gateway.main import create_app
from tests.builders.small_crawl import DAY, NOON, catalog, show
from tests.conftest import embedded_only

KIMCHI = 10_000_001
OTHERS = [show(1, f"{hour}:00", f"{hour}:50", 10_000_000 + hour) for hour in (14, 16, 17, 18, 20)]


@embedded_only
def test_a_moved_show_keeps_its_address(
    service: Engine, warehouse: Engine, store: Store, stack_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in stack_env.items():
        monkeypatch.setenv(name, value)

    def crawl_and_load(hours: int) -> None:
        crawl("hnsmall", DAY, 1, NOON + timedelta(hours=hours), store, standin.settings)
        load_source("hnsmall", service, warehouse, store)

    def shows() -> dict[int, str]:
        with TestClient(create_app(clock=lambda: NOON)) as client:
            listed = client.get(f"/api/homeshopping/schedule?live_date={DAY}").json()["schedules"]
            ids = [row["live_id"] for row in listed if row["product_id"] == KIMCHI]
            pages = {number: client.get(f"/api/homeshopping/product/{number}") for number in ids}
            return {number: page.json()["product"]["live_start_time"] for number, page in pages.items()}

    with running_standin(catalog(shows=[*OTHERS, show(1, "19:00", "19:20", KIMCHI)]), NOON) as standin:
        crawl_and_load(0)
        ((live_id, start),) = shows().items()
        assert start.startswith("19:00")
        standin.show(catalog(shows=[*OTHERS, show(1, "19:30", "19:50", KIMCHI)]), NOON + timedelta(hours=1))
        crawl_and_load(1)
        ((moved_id, start),) = shows().items()
    assert (moved_id, start[:5]) == (live_id, "19:30")
