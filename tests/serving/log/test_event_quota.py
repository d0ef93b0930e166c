"""How many events a visitor may send."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from serving.runtime import event_quota
from serving.runtime.event_quota import ADDRESS, SESSION, USER, EventQuotas, Quota
from serving.runtime.event_writer import Event
from sql.warehouse.events import UserEvent
from tests.conftest import embedded_only
from tests.serving.conftest import Now, Person

EVENT = Event("an id", None, "user_activity_x", session_id="s")


def accepted(quotas: EventQuotas, event: Event, count: int = 1, address: str = "192.0.2.1", now: float = 0.0) -> bool:
    try:
        quotas.count([event] * count, address, now)
    except HTTPException as error:
        return error.status_code != 429
    return True


def batch(client: TestClient, count: int, **given: Any) -> Any:
    return client.post("/api/log/user/activity/batch", json={"events": [{"action": "x"} | given] * count})


@embedded_only
def test_events_of_an_anonymous_visitor_are_limited(
    client: TestClient, person: Person, warehouse: Engine, now: Now
) -> None:
    assert batch(client, SESSION.at_once - 1, session_id="s").status_code == 201
    assert client.post("/api/log/user/activity", json={"action": "x", "session_id": "s"}).status_code == 201
    refused = batch(client, 10, session_id="s")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert refused.json() == {"detail": "too many events: send these again in 2 seconds"}
    assert batch(client, 1, session_id="t").status_code == 201, "another visitor is free"
    client.headers.update(person.headers)
    assert batch(client, 1000).status_code == 201, "a user may send more"
    client.headers.pop("authorization")
    now.forward(seconds=2)
    assert batch(client, 10, session_id="s").status_code == 201
    with warehouse.connect() as conn:
        stored = conn.scalar(select(func.count()).where(UserEvent.event_type == "user_activity_x"))
    assert stored == SESSION.at_once + 10 + 1 + 1000, "nothing of a refused batch is stored"


def test_a_user_has_a_larger_quota_than_a_session() -> None:
    quotas = EventQuotas()
    assert [accepted(quotas, EVENT, SESSION.at_once) for _ in range(2)] == [True, False]
    user = EVENT._replace(user_id=7)
    assert [accepted(quotas, user, 1000) for _ in range(6)] == [True] * 5 + [False]
    assert USER.per_second > SESSION.per_second


def test_many_sessions_of_an_address_share_its_quota() -> None:
    quotas = EventQuotas()
    sessions = [EVENT._replace(session_id=f"s{n}") for n in range(11)]
    assert [accepted(quotas, each, 1000) for each in sessions] == [True] * 10 + [False]
    assert accepted(quotas, EVENT._replace(session_id="t"), 1000, address="192.0.2.2"), "another address is free"
    assert accepted(quotas, EVENT._replace(user_id=7), 1000), "and so are users"
    assert not accepted(quotas, sessions[10], 1000, now=1000 / ADDRESS.per_second - 0.1)
    assert accepted(quotas, sessions[10], 1000, now=1000 / ADDRESS.per_second)


def test_a_batch_of_many_sessions_counts_for_each() -> None:
    quotas = EventQuotas(session=Quota(2, 1))
    quotas.count([EVENT, EVENT._replace(session_id="t")], "192.0.2.1", 0.0)
    assert accepted(quotas, EVENT)
    assert not accepted(quotas, EVENT)
    assert accepted(quotas, EVENT._replace(session_id="t"))


def test_the_visitors_that_are_counted_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_quota, "MOST_COUNTED", 100)
    quotas = EventQuotas(address=replace(ADDRESS, at_once=10**6))
    for n in range(1_000):
        assert accepted(quotas, EVENT._replace(session_id=f"s{n}"))
    assert len(quotas._sessions._whole_at) == 100
