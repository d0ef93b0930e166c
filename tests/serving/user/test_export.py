"""Export of everything that is stored of a user."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, RowMapping, select, text
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from artifacts.store import Store
from pipelines.logs.ingest import ingest_logs
from serving.user import export as exporting
from sql.warehouse.events import FctUserEvent, RejectedEvent, UserEvent
from sql.warehouse.partitions import make_partitions
from tests.builders.small_catalog import NOON
from tests.builders.waiting import until
from tests.conftest import embedded_only
from tests.serving.conftest import Now, Person, sign_up
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

    def stored() -> int:
        mine = (select(table.event_id).where(table.user_id == person.user_id) for table in (UserEvent, FctUserEvent))
        with warehouse.connect() as conn:
            return sum(len(conn.scalars(query).all()) for query in mine)

    until(lambda: stored() > 8, "recorded events are stored")
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


@embedded_only
def test_exports_of_a_user_are_limited(client: TestClient, person: Person, now: Now) -> None:
    for _ in range(3):
        exported(client, person)
    refused = client.get("/api/user/export", headers=person.headers)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")
    exported(client, sign_up(client))
    now.forward(minutes=10)
    assert client.get("/api/user/export", headers=person.headers).headers["retry-after"] == "3000"


@embedded_only
def test_exports_take_turns_and_no_thread_of_others(client: TestClient, person: Person) -> None:
    assert isinstance(client.app, FastAPI)
    assert client.portal
    slots = client.app.state.runtime.export_slots
    assert slots.total_tokens == 1
    client.portal.call(slots.acquire_on_behalf_of, "another export")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(exported, client, person)
        until(lambda: slots.statistics().tasks_waiting == 1, "it waits for its turn")
        assert client.get("/api/user/info", headers=person.headers).status_code == 200
        client.portal.call(slots.release_on_behalf_of, "another export")
        assert answer.result()["account"]["user_id"] == person.user_id


@embedded_only
def test_an_export_that_takes_too_long_breaks_off(
    client: TestClient, person: Person, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE_SECONDS", 0.1)
    with ThreadPoolExecutor(1) as pool, warehouse.begin() as conn:
        conn.execute(text("LOCK TABLE rejected_event"))
        answer = pool.submit(client.get, "/api/user/export", headers=person.headers)
        until(answer.done, "it waits no longer", seconds=30)
    error = answer.exception()
    assert error
    assert isinstance(error.__cause__, OperationalError)


@embedded_only
def test_pages_of_events_come_in_the_order_of_an_index(warehouse: Engine) -> None:
    make_partitions(warehouse, [NOON.date(), LATER.date() + timedelta(days=1)])
    last = {"received_at": NOON, "event_id": UUID(int=1), "day": NOON.date()}
    for part in (*exporting._events(7), exporting._rejected(7)):
        keys = {f"{exporting.KEY}{place}": last[column.key] for place, column in enumerate(part.key)}
        for page in (exporting._page(part), exporting._page(part, cast(RowMapping, keys))):
            with warehouse.begin() as conn:
                # Each is done nevertheless where there is no other way.
                conn.execute(text("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"))
                statement = page.compile(warehouse, compile_kwargs={"literal_binds": True})
                plan = "\n".join(conn.scalars(text(f"EXPLAIN {statement}")))
            assert "Seq Scan" not in plan, plan
            assert "->  Sort" not in plan, plan
            assert "user_id" in plan, "something is read"
