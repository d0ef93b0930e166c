"""Export of everything that is stored of a user."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from artifacts.store import Store
from pipelines.logs.ingest import ingest_logs
from serving.user import export as exporting
from sql.warehouse.events import RejectedEvent
from tests.builders.small_catalog import NOON
from tests.builders.waiting import until
from tests.conftest import embedded_only
from tests.serving.conftest import Person, sign_up
from tests.serving.gate import Gate
from tests.serving.user.test_delete_user import land

LATER = NOON + timedelta(hours=1)


def exported(client: TestClient, person: Person) -> dict[str, Any]:
    answer = client.get("/api/user/export", headers=person.headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


def act(client: TestClient, person: Person, label: str) -> None:
    body = {"action": "navigation_click", "label": label}
    assert client.post("/api/log/user/activity", json=body, headers=person.headers).status_code == 201


def test_an_export_holds_everything_of_its_owner_alone(
    client: TestClient, person: Person, warehouse: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE_ROWS", 2)
    other = sign_up(client)
    for who in (person, other):
        for number in range(5):
            keyword = {"keyword": f"{who.email} {number}"}
            assert client.post("/api/kok/search/history", json=keyword, headers=who.headers).status_code == 200
        assert client.post("/api/recipes/9001/rating", json={"rating": 4}, headers=who.headers).status_code == 200
        act(client, who, "facts")
        land(warehouse, 10**6 + who.user_id, event_type="", user_id=who.user_id)
    ingest_logs(warehouse, store, NOON, LATER, now=LATER)
    with warehouse.begin() as conn:
        conn.exec_driver_sql("DELETE FROM user_event")
    # The API refuses such a number; earlier versions did not.
    land(warehouse, 10**9, user_id=person.user_id, label="landed", payload={"number": 10**30})

    def all_events() -> bool:
        return len(exported(client, person)["events"]) > 8

    until(all_events, "recorded events are stored")
    data = exported(client, person)
    assert data["account"] == {
        "user_id": person.user_id,
        "email": person.email,
        "username": "손님",
        "created_at": "2025-08-06T12:00:00",
        "email_verified_at": None,
    }
    assert data["ratings"] == [{"recipe_id": 9001, "rating": 4, "rated_at": "2025-08-06T12:00:00"}]
    assert [row["keyword"] for row in data["searches"]] == [f"{person.email} {number}" for number in range(5)]
    (login,) = data["logins"]
    assert login["started_at"] == "2025-08-06T12:00:00"
    ids = [event["event_id"] for event in data["events"]]
    assert len(ids) == len(set(ids))
    clicks = {event["label"]: event for event in data["events"] if event["label"]}
    assert clicks.keys() == {"landed", "facts"}
    assert clicks["landed"]["payload"] == {"number": 10**30}
    assert [event["event"]["user_id"] for event in data["rejected_events"]] == [person.user_id]
    assert other.email not in str(data)


def test_an_event_that_waits_for_ingestion_is_exported_once(
    client: TestClient, person: Person, warehouse: Engine, store: Store
) -> None:
    act(client, person, "both")
    land(warehouse, 1, event_type="", user_id=person.user_id)
    ingest_logs(warehouse, store, NOON, LATER, now=LATER)
    with warehouse.connect() as conn:
        assert conn.scalars(select(RejectedEvent.event_id)).all()
    data = exported(client, person)
    assert [event["label"] for event in data["events"] if event["label"] == "both"] == ["both"]
    assert data["rejected_events"] == [], "it is among those that landed"


@embedded_only
def test_an_export_without_the_warehouse_answers_503(
    filled: Engine, gate: Callable[[str], Gate], start: Callable[[], TestClient]
) -> None:
    door = gate("warehouse")
    client = start()
    person = sign_up(client)
    door.shut()
    assert client.get("/api/user/export", headers=person.headers).status_code == 503
