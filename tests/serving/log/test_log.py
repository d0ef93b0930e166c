"""Event routes: events are acknowledged after their commit."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import Engine, Row, func, select, text, update
from starlette.testclient import TestClient

from serving.runtime.event_writer import WriterLimits
from serving.web.auth import Tokens
from serving.web.clock import wall_clock
from sql.warehouse.event_types import RECORDED_BY_API
from sql.warehouse.events import UserEvent
from tests.builders.api_process import Server, served
from tests.builders.small_catalog import NOON
from tests.builders.waiting import until
from tests.conftest import SECRET_KEY
from tests.serving.conftest import Now, Person, sign_up

ACTIVITY = "/api/log/user/activity"


def rows(warehouse: Engine) -> list[Row[Any]]:
    with warehouse.connect() as conn:
        sent = select(UserEvent.__table__).where(UserEvent.event_type.like("user_activity_%"))
        return list(conn.execute(sent.order_by(UserEvent.event_id)))


def wait_for_login(warehouse: Engine) -> None:
    """Wait until the events of signing up and logging in are stored, so that no others are waiting."""

    def event() -> int:
        with warehouse.connect() as conn:
            return conn.scalar(select(func.count()).where(UserEvent.event_type == "user_login")) or 0

    until(lambda: event() == 1, "the login is recorded")


# While a test holds a lock, the writer neither checks the warehouse, which would wait for the lock too, nor gives up.
PATIENT = WriterLimits(check_seconds=60.0, statement_seconds=60.0, answer_seconds=60.0)
patient = pytest.mark.parametrize("writer_limits", [PATIENT], ids=["patient"])


def own_events(client: TestClient, person: Person) -> list[dict[str, Any]]:
    """Return what the person is shown, without what the API records itself."""
    answer = client.get(f"/api/log/user/event/{person.user_id}", headers=person.headers)
    assert answer.status_code == 200, answer.text
    shown: list[dict[str, Any]] = answer.json()
    return [event for event in shown if event["event_type"] not in {"user_signup", "user_login"}]


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


def test_unstorable_values_are_refused_and_other_events_stored(
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


@patient
def test_requests_share_a_commit_and_are_answered_after_it(
    client: TestClient, person: Person, warehouse: Engine
) -> None:
    many = 40
    wait_for_login(warehouse)
    with ThreadPoolExecutor(many) as pool, warehouse.connect() as lock:
        lock.execute(text("LOCK TABLE user_event IN EXCLUSIVE MODE"))
        events = client.app.state.runtime.events  # type: ignore[attr-defined]
        answers = [pool.submit(client.post, ACTIVITY, json={"action": "first"}, headers=person.headers)]
        until(lambda: _locked_inserts(warehouse) == 1, "the first event waits for the lock")
        answers += [
            pool.submit(client.post, ACTIVITY, json={"action": f"n{n}"}, headers=person.headers) for n in range(1, many)
        ]
        until(lambda: events.waiting == many - 1, "the other requests reach the writer")
        assert not any(answer.done() for answer in answers)
        lock.rollback()
        assert {answer.result().status_code for answer in answers} == {201}
    with warehouse.connect() as conn:
        count = select(func.count(func.distinct(text("xmin::text")))).select_from(UserEvent)
        transactions = conn.scalar(count.where(UserEvent.event_type.like("user_activity_%")))
    assert len(rows(warehouse)) == many
    assert transactions is not None
    assert transactions <= 3


@pytest.mark.parametrize("writer_limits", [replace(PATIENT, max_waiting=2)], ids=["small"])
def test_full_queue_is_answered_503_with_retry_after(client: TestClient, person: Person, warehouse: Engine) -> None:
    wait_for_login(warehouse)
    with ThreadPoolExecutor(3) as pool, warehouse.connect() as lock:
        lock.execute(text("LOCK TABLE user_event IN EXCLUSIVE MODE"))
        events = client.app.state.runtime.events  # type: ignore[attr-defined]
        waiting = [pool.submit(client.post, ACTIVITY, json={"action": "first"}, headers=person.headers)]
        until(lambda: _locked_inserts(warehouse) == 1, "the first event waits for the lock")
        waiting += [pool.submit(client.post, ACTIVITY, json={"action": "more"}, headers=person.headers) for _ in "ab"]
        until(lambda: events.waiting == 2, "the queue is full")
        refused = client.post(ACTIVITY, json={"action": "too many"}, headers=person.headers)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        lock.rollback()
        assert {answer.result().status_code for answer in waiting} == {201}
    assert "user_activity_too many" not in {row.event_type for row in rows(warehouse)}


@patient
def test_stop_commits_what_was_accepted(client: TestClient, person: Person, warehouse: Engine) -> None:
    wait_for_login(warehouse)
    events = client.app.state.runtime.events  # type: ignore[attr-defined]

    def post(action: str) -> int:
        return client.post(ACTIVITY, json={"action": action}, headers=person.headers).status_code

    with ThreadPoolExecutor(20) as pool, warehouse.connect() as lock:
        lock.execute(text("LOCK TABLE user_event IN EXCLUSIVE MODE"))
        answers = [pool.submit(post, "first")]
        until(lambda: _locked_inserts(warehouse) == 1, "the first event waits for the lock")
        answers += [pool.submit(post, "more") for _ in range(10)]
        until(lambda: events.waiting == 10, "the others wait for the next commit")
        stop = pool.submit(events.stop)
        until(lambda: post("late") == 503, "nothing more is taken")
        assert not stop.done()
        lock.rollback()
        stop.result()
        assert sorted(row.event_type for row in rows(warehouse)) == [
            "user_activity_first",
            *["user_activity_more"] * 10,
        ]
        assert {answer.result() for answer in answers} == {201}


def test_acknowledged_events_survive_kill_9(stack_env: dict[str, str], warehouse: Engine, tmp_path: Path) -> None:
    with served("serving.log.main", stack_env, tmp_path / "server.log") as server:
        acknowledged = asyncio.run(_write_until_killed(server, kill_after=200))
    stored = [str(row.event_id) for row in rows(warehouse)]
    assert len(acknowledged) >= 200
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))


def test_stopping_server_answers_accepted_requests(
    stack_env: dict[str, str], warehouse: Engine, tmp_path: Path
) -> None:
    with served("serving.log.main", stack_env, tmp_path / "server.log") as server:
        acknowledged = asyncio.run(_write_until(server, 200, server.process.terminate))
        server.process.wait(120)
    assert {str(row.event_id) for row in rows(warehouse)} == set(acknowledged), "nothing was stored unanswered either"
    log = (tmp_path / "server.log").read_text()
    assert "Application shutdown complete" in log
    assert "Traceback" not in log
    assert '"status": 5' not in log


async def _write_until_killed(server: Server, kill_after: int) -> list[str]:
    return await _write_until(server, kill_after, server.kill)


async def _write_until(server: Server, many: int, end: Callable[[], None]) -> list[str]:
    """Write without a pause; call ``end`` after ``many`` acknowledgements, and go on until the server ends."""
    headers = {"Authorization": f"Bearer {Tokens(SECRET_KEY, timedelta(hours=1), wall_clock).issue(7)}"}
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


def test_a_batch_without_a_token_needs_a_session_for_every_event(client: TestClient, warehouse: Engine) -> None:
    def answer(*sessions: str | None) -> int:
        events = [{"action": "x", "session_id": session} for session in sessions]
        return client.post(f"{ACTIVITY}/batch", json={"events": events}).status_code

    assert [answer(None), answer(None, "s-1"), answer("s-1", None)] == [401, 401, 401]
    assert rows(warehouse) == []
    assert answer("s-1", "s-2") == 201
    assert {(row.user_id, row.session_id) for row in rows(warehouse)} == {(None, "s-1"), (None, "s-2")}


def test_a_user_is_shown_their_own_latest_50_events_newest_first(client: TestClient, person: Person, now: Now) -> None:
    other = sign_up(client)
    # Ids in the reverse order of time.
    ids = [f"00000000-0000-4000-8000-{1000 - n:012}" for n in range(60)]
    for n, event_id in enumerate(ids):
        now.forward(seconds=1)
        body = {"action": f"n{n}", "event_id": event_id}
        assert client.post(ACTIVITY, json=body, headers=person.headers).status_code == 201
        if n % 10 == 0:
            assert client.post(ACTIVITY, json={"action": "of the other"}, headers=other.headers).status_code == 201
    assert [event["event_id"] for event in own_events(client, person)] == ids[:-51:-1]
    assert {event["event_type"] for event in own_events(client, other)} == {"user_activity_of the other"}
    of_the_other = client.get(f"/api/log/user/event/{other.user_id}", headers=person.headers)
    assert of_the_other.status_code == 403


def test_time_without_a_date_in_korea_is_refused(client: TestClient, person: Person, warehouse: Engine) -> None:
    activity = {"action": "x"}
    event = {"user_id": person.user_id, "event_type": "x"}
    for moment in ("9999-12-31T23:59:59Z", "9999-12-31T15:00:00Z", "0001-01-01T00:00:00", "0001-01-01T00:00:00+09:00"):
        for path, body in (
            (ACTIVITY, activity | {"timestamp": moment}),
            (f"{ACTIVITY}/batch", {"events": [activity, activity | {"timestamp": moment}]}),
            ("/api/log/user/event", event | {"request_time": moment}),
            ("/api/log/user/event", event | {"response_time": moment}),
        ):
            assert client.post(path, json=body, headers=person.headers).status_code == 422, (path, moment)
    assert own_events(client, person) == []
    for moment in ("9999-12-31T14:59:59Z", "9999-12-31T23:59:59", "0001-01-01T00:00:00Z"):
        answer = client.post(ACTIVITY, json=activity | {"timestamp": moment}, headers=person.headers)
        assert answer.status_code == 201
        (shown, *_) = own_events(client, person)
        assert shown["request_time"] == answer.json()["timestamp"]
    with warehouse.begin() as conn:
        conn.execute(text("UPDATE user_event SET occurred_at = '9999-12-31 23:59:59+00'"))
    assert {event["request_time"] for event in own_events(client, person)} == {None}, "it cannot be shown"


@pytest.mark.parametrize("moment", [0, 1_754_449_198.5, "0", "1754449198", True])
def test_number_is_refused_as_a_time(client: TestClient, person: Person, moment: object) -> None:
    answer = client.post(ACTIVITY, json={"action": "x", "timestamp": moment}, headers=person.headers)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "timestamp"]


def test_fields_of_a_call_are_shown_again(client: TestClient, person: Person) -> None:
    body = {"user_id": person.user_id, "event_type": "recipe_detail_view", "event_data": {"recipe_id": 9001}}
    body |= {"http_method": "GET", "api_url": "/api/recipes/9001", "response_code": 200}
    body |= {"request_time": "2025-08-06T11:59:58", "response_time": "2025-08-06T03:00:01Z"}
    answer = client.post("/api/log/user/event", json=body, headers=person.headers)
    assert answer.status_code == 201
    (shown,) = own_events(client, person)
    assert shown == answer.json()
    assert shown == shown | body | {"response_time": "2025-08-06T12:00:01"}


@pytest.mark.parametrize("event_type", sorted(RECORDED_BY_API))
def test_a_client_cannot_record_what_a_release_showed(client: TestClient, person: Person, event_type: str) -> None:
    body = {"user_id": person.user_id, "event_type": event_type, "event_data": {"release_version": "x"}}
    answer = client.post("/api/log/user/event", json=body, headers=person.headers)
    assert answer.status_code == 422
    assert f"may not be {event_type}, which only the API records" in answer.json()["detail"][0]["msg"]
    assert own_events(client, person) == []


CALLS: list[object] = [{"response_code": "x"}, {"response_code": 200, "of": "the client"}, {}, [], 7, None]


@pytest.mark.parametrize("call", [{"response_code": 200}, *CALLS])
def test_client_data_is_not_taken_for_a_call(
    client: TestClient, person: Person, warehouse: Engine, call: object
) -> None:
    data = {"http_call": call}
    event = {"user_id": person.user_id, "event_type": "x", "event_data": data}
    for path, body in ((ACTIVITY, {"action": "x", "extra_data": data}), ("/api/log/user/event", event)):
        answer = client.post(path, json=body, headers=person.headers)
        assert answer.status_code == 422
        assert "http_call" in answer.json()["detail"][0]["msg"]
    assert own_events(client, person) == []


@pytest.mark.parametrize("call", CALLS)
def test_old_client_data_under_the_call_key_is_shown_as_data(
    client: TestClient, person: Person, warehouse: Engine, call: object
) -> None:
    payload = {"http_call": call, "recipe_id": 9001}
    assert client.post(ACTIVITY, json={"action": "x"}, headers=person.headers).status_code == 201
    with warehouse.begin() as conn:
        mine = update(UserEvent).where(UserEvent.event_type == "user_activity_x")
        conn.execute(mine.values(payload=payload))
    (shown,) = own_events(client, person)
    assert shown["event_data"] == payload
    assert (shown["http_method"], shown["response_code"]) == (None, None)


def test_event_id_of_another_user_is_refused_without_naming_them(
    client: TestClient, person: Person, warehouse: Engine
) -> None:
    other = sign_up(client)
    event = {"action": "x", "event_id": str(uuid4())}
    assert client.post(ACTIVITY, json=event, headers=person.headers).status_code == 201
    for path, body in ((ACTIVITY, event), (f"{ACTIVITY}/batch", {"events": [{"action": "y"}, event]})):
        answer = client.post(path, json=body, headers=other.headers)
        reason = f"another event has the event_id {event['event_id']}: give this one a new id"
        assert (answer.status_code, answer.json()) == (409, {"detail": reason})
    assert [(row.user_id, row.event_type) for row in rows(warehouse)] == [(person.user_id, "user_activity_x")]


def test_within_a_batch_one_id_is_one_event(client: TestClient, person: Person, warehouse: Engine) -> None:
    event = {"action": "x", "event_id": str(uuid4()), "extra_data": {"position": 1}}
    other = {"action": "y"}
    for different in ({"label": "z"}, {"extra_data": {"position": 2}}):
        events = [other, event, other, event | different]
        answer = client.post(f"{ACTIVITY}/batch", json={"events": events}, headers=person.headers)
        assert answer.status_code == 422
        assert "the events at 1 and 3 are different" in answer.json()["detail"][0]["msg"]
    assert rows(warehouse) == []
    answer = client.post(f"{ACTIVITY}/batch", json={"events": [event, other, event]}, headers=person.headers)
    assert (answer.status_code, answer.json()["count"]) == (201, 2)
    assert [answer.json()["event_ids"][place] for place in (0, 2)] == [event["event_id"]] * 2
    assert sorted(row.event_type for row in rows(warehouse)) == ["user_activity_x", "user_activity_y"]


def test_data_is_stored_to_the_last_digit_and_backslash_or_refused(
    client: TestClient, person: Person, warehouse: Engine
) -> None:
    data = {
        "path": r"C:\u0000dir",
        "\\\\u0000": [r"\\u0000\n", "\n\\"],
        "numbers": [2**63, 2**64 - 1, -(2**63), 1e18, 2.5],
    }
    assert client.post(ACTIVITY, json={"action": "x", "extra_data": data}, headers=person.headers).status_code == 201
    (row,) = rows(warehouse)
    assert row.payload == data
    for wrong in ("\0", "\\\0", r"\u0000" + "\0", 2**64, -(2**63) - 1, 10**30):
        for extra_data in ({"value": wrong}, {"values": [{"value": [1, wrong]}]}):
            answer = client.post(ACTIVITY, json={"action": "x", "extra_data": extra_data}, headers=person.headers)
            assert answer.status_code == 422, extra_data
            assert answer.json()["detail"][0]["loc"] == ["body", "extra_data"], "and the place is named"
    assert len(rows(warehouse)) == 1


@pytest.mark.parametrize(("user_id", "status"), [(2**63 - 1, 403), (2**63, 422), (-1, 422)])
def test_the_id_of_a_user_has_64_bits(client: TestClient, person: Person, user_id: int, status: int) -> None:
    activity = {"action": "x", "user_id": user_id}
    event = {"event_type": "x", "user_id": user_id}
    for path, body in ((ACTIVITY, activity), ("/api/log/user/event", event)):
        assert client.post(path, json=body, headers=person.headers).status_code == status
