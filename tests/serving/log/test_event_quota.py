"""How many events a visitor may send."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, func, select
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from serving.runtime import event_quota
from serving.runtime.event_quota import ADDRESS, SESSION, USER, EventQuotas, Quota
from serving.runtime.event_writer import Event
from sql.warehouse.events import UserEvent
from tests.builders.waiting import until
from tests.conftest import embedded_only
from tests.serving.conftest import Now, Person
from tests.serving.gate import Gate

EVENT = Event("an id", None, "user_activity_x", session_id="s")


class Monotonic:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def accepted(quotas: EventQuotas, event: Event, count: int = 1, address: str = "192.0.2.1") -> bool:
    try:
        with quotas.counted([event] * count, address):
            return True
    except HTTPException as error:
        return error.status_code != 429


def set_quotas(client: TestClient, quotas: EventQuotas) -> None:
    assert isinstance(client.app, FastAPI)
    client.app.state.runtime.event_quotas = quotas


def batch(client: TestClient, count: int, **given: Any) -> Any:
    return client.post("/api/log/user/activity/batch", json={"events": [{"action": "x"} | given] * count})


@embedded_only
def test_events_of_an_anonymous_visitor_are_limited(client: TestClient, person: Person, warehouse: Engine) -> None:
    clock = Monotonic()
    set_quotas(client, EventQuotas(monotonic=clock))
    assert batch(client, SESSION.at_once - 1, session_id="s").status_code == 201
    assert client.post("/api/log/user/activity", json={"action": "x", "session_id": "s"}).status_code == 201
    refused = batch(client, 10, session_id="s")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert refused.json() == {"detail": "too many events: try again in 2 seconds"}
    assert batch(client, 1, session_id="t").status_code == 201, "another visitor is free"
    client.headers.update(person.headers)
    assert batch(client, 1000).status_code == 201, "a user may send more"
    client.headers.pop("authorization")
    clock.seconds += 2
    assert batch(client, 10, session_id="s").status_code == 201
    with warehouse.connect() as conn:
        stored = conn.scalar(select(func.count()).where(UserEvent.event_type == "user_activity_x"))
    assert stored == SESSION.at_once + 10 + 1 + 1000, "nothing of a refused batch is stored"


@embedded_only
def test_a_wall_clock_that_is_set_back_refuses_no_events(client: TestClient, now: Now) -> None:
    assert batch(client, 1, session_id="s").status_code == 201
    now.forward(hours=-1)
    assert batch(client, 1, session_id="s").status_code == 201


@embedded_only
def test_events_that_an_outage_refused_do_not_count(
    filled: Engine, gate: Callable[[str], Gate], start: Callable[[], TestClient]
) -> None:
    door = gate("warehouse")
    client = start()
    set_quotas(client, EventQuotas(session=Quota(10, 0.001), monotonic=Monotonic()))
    door.shut()
    assert [batch(client, 10, session_id="s").status_code for _ in range(3)] == [503] * 3
    door.open()
    until(lambda: batch(client, 10, session_id="s").status_code == 201, "they are stored after it")
    assert batch(client, 1, session_id="s").status_code == 429, "those that are stored count"


def test_a_user_has_a_larger_quota_than_a_session() -> None:
    quotas = EventQuotas(monotonic=Monotonic())
    assert [accepted(quotas, EVENT, SESSION.at_once) for _ in range(2)] == [True, False]
    user = EVENT._replace(user_id=7)
    assert [accepted(quotas, user, 1000) for _ in range(6)] == [True] * 5 + [False]
    assert USER.per_second > SESSION.per_second


def test_many_sessions_of_an_address_share_its_quota() -> None:
    clock = Monotonic()
    quotas = EventQuotas(monotonic=clock)
    sessions = [EVENT._replace(session_id=f"s{n}") for n in range(11)]
    assert [accepted(quotas, each, 1000) for each in sessions] == [True] * 10 + [False]
    assert accepted(quotas, EVENT._replace(session_id="t"), 1000, address="192.0.2.2"), "another address is free"
    assert accepted(quotas, EVENT._replace(user_id=7), 1000), "and so are users"
    clock.seconds = 1000 / ADDRESS.per_second - 0.1
    assert not accepted(quotas, sessions[10], 1000)
    clock.seconds = 1000 / ADDRESS.per_second
    assert accepted(quotas, sessions[10], 1000)


def test_a_batch_of_many_sessions_counts_for_each() -> None:
    quotas = EventQuotas(session=Quota(2, 1), monotonic=Monotonic())
    with quotas.counted([EVENT, EVENT._replace(session_id="t")], "192.0.2.1"):
        pass
    assert accepted(quotas, EVENT)
    assert not accepted(quotas, EVENT)
    assert accepted(quotas, EVENT._replace(session_id="t"))


def test_the_visitors_that_are_counted_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_quota, "MOST_COUNTED", 100)
    quotas = EventQuotas(address=replace(ADDRESS, at_once=10**6))
    for n in range(1_000):
        assert accepted(quotas, EVENT._replace(session_id=f"s{n}"))
    assert len(quotas._sessions._whole_at) == 100
