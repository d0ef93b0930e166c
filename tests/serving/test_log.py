"""Events: acknowledged after their commit, never before and never for nothing."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import Engine, Row, func, select, text
from starlette.testclient import TestClient

from serving.common.auth import Tokens
from serving.common.clock import wall_clock
from serving.common.settings import DEVELOPMENT_SECRET
from serving.log import writer
from sql.warehouse.events import UserEvent
from tests.serving.conftest import Person, eventually
from tests.serving.process import Server, served
from tests.serving.small import NOON

ACTIVITY = "/api/log/user/activity"


def rows(warehouse: Engine) -> list[Row[Any]]:
    with warehouse.connect() as conn:
        sent = select(UserEvent.__table__).where(UserEvent.event_type.like("user_activity_%"))
        return list(conn.execute(sent.order_by(UserEvent.event_id)))


def wait_for_notes(warehouse: Engine) -> None:
    """Until what the API notes of signing up and logging in is stored, so that nothing else is on its way."""

    def noted() -> int:
        with warehouse.connect() as conn:
            return conn.scalar(select(func.count()).where(UserEvent.event_type == "user_login")) or 0

    eventually(lambda: noted() == 1, "the login is noted")


def test_an_event_is_stored_as_it_was_sent(client: TestClient, person: Person, warehouse: Engine) -> None:
    event_id = str(uuid4())
    body: dict[str, object] = {
        "action": "navigation_click",
        "path": "/kok",
        "label": "콕 쇼핑몰 🍣",
        "event_id": event_id,
    }
    body |= {"timestamp": "2025-08-06T11:59:58.5", "extra_data": {"position": 3, "가": [1.5, None]}}
    body |= {"user_id": person.user_id, "user_email": "someone@example.com"}
    answer = client.post(ACTIVITY, json=body, headers=person.headers)
    assert answer.status_code == 201
    assert answer.json()["logged"] is True
    (row,) = rows(warehouse)
    assert row.event_id == UUID(event_id)
    assert (row.user_id, row.event_type) == (person.user_id, "user_activity_navigation_click")
    assert (row.path, row.label) == ("/kok", "콕 쇼핑몰 🍣")
    assert row.received_at == NOON
    assert row.occurred_at == datetime(2025, 8, 6, 2, 59, 58, 500_000, tzinfo=UTC), "without an offset it is KST"
    assert row.payload == {"position": 3, "가": [1.5, None]}, "and nothing of the person's data"


def test_an_event_without_an_id_gets_one_that_sorts_by_time(
    client: TestClient, person: Person, warehouse: Engine
) -> None:
    ids = [client.post(ACTIVITY, json={"action": "x"}, headers=person.headers).json()["event_id"] for _ in range(3)]
    assert [UUID(event_id).version for event_id in ids] == [7, 7, 7]
    assert [str(row.event_id) for row in rows(warehouse)] == sorted(ids) == ids


def test_an_event_that_is_sent_again_is_stored_once(client: TestClient, person: Person, warehouse: Engine) -> None:
    body = {"action": "x", "event_id": str(uuid4()), "label": "first"}
    for label in ("first", "second"):
        answer = client.post(ACTIVITY, json=body | {"label": label}, headers=person.headers)
        assert answer.status_code == 201
    assert [row.label for row in rows(warehouse)] == ["first"]


def test_an_event_of_another_user_is_refused(client: TestClient, person: Person, warehouse: Engine) -> None:
    other = {"action": "x", "user_id": person.user_id + 1}
    assert client.post(ACTIVITY, json=other, headers=person.headers).status_code == 403
    assert client.post(ACTIVITY, json={"action": "x"}).status_code == 401
    assert rows(warehouse) == []


def test_values_that_cannot_be_stored_are_refused_and_hurt_no_other_event(
    client: TestClient, person: Person, warehouse: Engine
) -> None:
    bad = ['{"action": ""}', '{"action": "a\\u0000"}', '{"action": "x", "extra_data": 1}', "no json", "", "[]"]
    bad += [json.dumps({"action": "x" * 81}), json.dumps({"action": "x", "event_id": "7"})]
    bad += [json.dumps({"action": "x", "timestamp": "yesterday"})]
    values = ('"a\\u0000b"', '"\\ud83c"', "NaN", "Infinity", "[" * 500 + "]" * 500 + "}")
    bad += ['{"action": "x", "extra_data": {"value": VALUE}}'.replace("VALUE", value) for value in values]
    headers = person.headers | {"content-type": "application/json"}
    for content in bad:
        assert client.post(ACTIVITY, content=content, headers=headers).status_code == 422, content
    late = {"action": "x", "timestamp": "9999-12-31T23:59:59-12:00"}
    assert client.post(ACTIVITY, json=late, headers=person.headers).status_code == 422
    assert client.post(ACTIVITY, json={"action": "good"}, headers=person.headers).status_code == 201
    assert [row.event_type for row in rows(warehouse)] == ["user_activity_good"]


def test_nothing_is_acknowledged_before_its_commit_and_many_share_one(
    client: TestClient, person: Person, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = 40
    wait_for_notes(warehouse)
    # However slowly the requests arrive, the first transaction waits for its lock until all are there.
    monkeypatch.setattr(writer, "STATEMENT_MILLISECONDS", 60_000)
    monkeypatch.setattr(writer, "ANSWER_WITHIN_SECONDS", 60.0)
    with ThreadPoolExecutor(many) as pool, warehouse.connect() as lock:
        lock.execute(text("LOCK TABLE user_event IN EXCLUSIVE MODE"))
        events = client.app.state.runtime.events  # type: ignore[attr-defined]
        answers = [pool.submit(client.post, ACTIVITY, json={"action": "first"}, headers=person.headers)]
        eventually(lambda: _locked_inserts(warehouse) == 1, "the first event waits for the lock")
        answers += [
            pool.submit(client.post, ACTIVITY, json={"action": f"n{n}"}, headers=person.headers) for n in range(1, many)
        ]
        eventually(lambda: events.waiting == many - 1, "the other requests reach the writer")
        assert not any(answer.done() for answer in answers)
        lock.rollback()
        assert {answer.result().status_code for answer in answers} == {201}
    with warehouse.connect() as conn:
        count = select(func.count(func.distinct(text("xmin::text")))).select_from(UserEvent)
        transactions = conn.scalar(count.where(UserEvent.event_type.like("user_activity_%")))
    assert len(rows(warehouse)) == many
    assert transactions is not None
    assert transactions <= 3


def test_a_full_queue_is_answered_503_with_a_time_to_come_back(
    client: TestClient,
    person: Person,
    warehouse: Engine,
    monkeypatch: pytest.MonkeyPatch,
    start: Callable[[], TestClient],
) -> None:
    monkeypatch.setattr(writer, "MOST_WAITING", 2)
    monkeypatch.setattr(writer, "STATEMENT_MILLISECONDS", 60_000)
    monkeypatch.setattr(writer, "ANSWER_WITHIN_SECONDS", 60.0)
    small = start()
    wait_for_notes(warehouse)
    with ThreadPoolExecutor(3) as pool, warehouse.connect() as lock:
        lock.execute(text("LOCK TABLE user_event IN EXCLUSIVE MODE"))
        events = small.app.state.runtime.events  # type: ignore[attr-defined]
        waiting = [pool.submit(small.post, ACTIVITY, json={"action": "first"}, headers=person.headers)]
        eventually(lambda: _locked_inserts(warehouse) == 1, "the first event waits for the lock")
        waiting += [pool.submit(small.post, ACTIVITY, json={"action": "more"}, headers=person.headers) for _ in "ab"]
        eventually(lambda: events.waiting == 2, "the queue is full")
        refused = small.post(ACTIVITY, json={"action": "too many"}, headers=person.headers)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        lock.rollback()
        assert {answer.result().status_code for answer in waiting} == {201}
    assert "user_activity_too many" not in {row.event_type for row in rows(warehouse)}


def test_an_orderly_stop_commits_what_was_accepted(
    person: Person, start: Callable[[], TestClient], warehouse: Engine, client: TestClient
) -> None:
    for n in range(20):
        assert client.post(ACTIVITY, json={"action": f"n{n}"}, headers=person.headers).status_code == 201
    client.app.state.runtime.events.stop()  # type: ignore[attr-defined]
    assert len(rows(warehouse)) == 20
    assert client.post(ACTIVITY, json={"action": "late"}, headers=person.headers).status_code == 503


def test_every_acknowledged_event_survives_kill_minus_9(
    stack_env: dict[str, str], warehouse: Engine, tmp_path: Path
) -> None:
    with served("serving.log.main", stack_env, tmp_path / "server.log") as server:
        acknowledged = asyncio.run(_write_until_killed(server, kill_after=200))
    stored = [str(row.event_id) for row in rows(warehouse)]
    assert len(acknowledged) >= 200
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))


def test_a_server_that_is_told_to_stop_answers_what_it_took_and_ends(
    stack_env: dict[str, str], warehouse: Engine, tmp_path: Path
) -> None:
    with served("serving.log.main", stack_env, tmp_path / "server.log") as server:
        acknowledged = asyncio.run(_write_until(server, 200, server.process.terminate))
        server.process.wait(20)
    assert {str(row.event_id) for row in rows(warehouse)} == set(acknowledged), "nothing was stored unanswered either"
    log = (tmp_path / "server.log").read_text()
    assert "Application shutdown complete" in log
    assert "Traceback" not in log
    assert '"status": 5' not in log


async def _write_until_killed(server: Server, kill_after: int) -> list[str]:
    return await _write_until(server, kill_after, server.kill)


async def _write_until(server: Server, many: int, end: Callable[[], None]) -> list[str]:
    """Write without a pause; when so many are acknowledged, end the server and go on until it is gone."""
    headers = {"Authorization": f"Bearer {Tokens(DEVELOPMENT_SECRET, timedelta(hours=1), wall_clock).issue(7)}"}
    acknowledged: list[str] = []
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as client:

        async def write() -> None:
            while True:
                event_id = str(uuid4())
                try:
                    answer = await client.post(ACTIVITY, json={"action": "x", "event_id": event_id})
                except httpx.TransportError:
                    return
                assert answer.status_code == 201, answer.text
                acknowledged.append(event_id)
                if len(acknowledged) == many:
                    end()

        await asyncio.gather(*(write() for _ in range(16)))
    return acknowledged


def _locked_inserts(warehouse: Engine) -> int:
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'user_event'::regclass"
    with warehouse.connect() as conn:
        return int(conn.scalar(text(query)) or 0)


def test_the_answer_repeats_what_was_sent(client: TestClient, person: Person) -> None:
    body = {"action": "user_login", "path": "/login", "label": "사용자 로그인"}
    answer = client.post(ACTIVITY, json=body, headers=person.headers).json()
    assert json.loads(json.dumps(answer)) | body == answer
    assert answer["user_id"] == person.user_id


def test_a_batch_is_stored_whole_and_sent_again_once(client: TestClient, person: Person, warehouse: Engine) -> None:
    events = [{"action": f"n{n}", "event_id": str(uuid4()), "label": "tab\t\\N\nline"} for n in range(500)]
    for _ in range(2):
        answer = client.post(f"{ACTIVITY}/batch", json={"events": events}, headers=person.headers)
        assert (answer.status_code, answer.json()["count"]) == (201, 500)
        assert answer.json()["event_ids"] == [event["event_id"] for event in events]
    stored = rows(warehouse)
    assert sorted(row.event_type for row in stored) == sorted(f"user_activity_n{n}" for n in range(500))
    assert {(row.user_id, row.label) for row in stored} == {(person.user_id, "tab\t\\N\nline")}


def test_one_bad_event_refuses_its_batch_and_is_named(client: TestClient, person: Person, warehouse: Engine) -> None:
    answer = client.post(
        f"{ACTIVITY}/batch", json={"events": [{"action": "x"}, {"action": ""}]}, headers=person.headers
    )
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "events", 1, "action"]
    for events in ([], [{"action": "x"}] * 1001):
        answer = client.post(f"{ACTIVITY}/batch", json={"events": events}, headers=person.headers)
        assert answer.status_code == 422
    assert rows(warehouse) == []


def test_an_anonymous_event_is_known_by_its_session(client: TestClient, warehouse: Engine) -> None:
    assert client.post(ACTIVITY, json={"action": "x"}).status_code == 401
    answer = client.post(ACTIVITY, json={"action": "x", "session_id": "s-1"})
    assert (answer.status_code, answer.json()["user_id"]) == (201, None)
    wrong = {"Authorization": "Bearer a.b.c"}
    assert client.post(ACTIVITY, json={"action": "x", "session_id": "s-1"}, headers=wrong).status_code == 401
    (row,) = rows(warehouse)
    assert (row.user_id, row.session_id) == (None, "s-1")
