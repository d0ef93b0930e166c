"""Deletion of an account leaves nothing that names the person."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, MetaData, insert, select, text
from starlette.testclient import TestClient

from artifacts.store import Store
from pipelines.logs.erase import erase_users
from pipelines.logs.ingest import ingest_logs
from serving.runtime.accounts import lock_account
from serving.runtime.event_writer import WriterLimits
from serving.user import mail_tokens, queries
from serving.user.mail_tokens import Purpose
from serving.user.passwords import hash_password
from sql.service.attempts import LoginPlace
from sql.service.erase import erase
from sql.service.revocation import CLOCK_SKEW
from sql.service.users import ErasedUser, LoginSession, MailToken, RecipeRating, RefreshToken, SearchHistory, User
from sql.warehouse.events import FctUserEvent, RejectedEvent, UserEvent
from tests.builders.small_catalog import NOON
from tests.builders.waiting import until
from tests.conftest import servers_only
from tests.serving.conftest import Now, Person, leave, log_in, sign_up
from tests.serving.gate import Gate
from tests.serving.test_contract import CASES

ACTIVITY = "/api/log/user/activity"
LATER = NOON + timedelta(hours=1) + CLOCK_SKEW
# No other value is this number.
USER_ID, USERNAME = 778_899_001_122, "사라질 사람"


def everything(engine: Engine) -> list[tuple[str, str]]:
    """Return every row of every table as text, with its table."""
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as conn:
        return [
            (table.name, repr(tuple(row)))
            for table in found.sorted_tables
            if table.name != "erased_user"
            for row in conn.execute(select(table))
        ]


def traces(*engines: Engine) -> list[tuple[str, str]]:
    """Return rows that name the person."""
    rows = [row for engine in engines for row in everything(engine)]
    return [row for row in rows if any(name in row[1] for name in (str(USER_ID), "gone@example.com", USERNAME))]


@pytest.fixture
def leaver(client: TestClient, service: Engine) -> Person:
    """A user with an id that no other number equals, who will delete the account."""
    row = {"user_id": USER_ID, "email": "gone@example.com", "username": USERNAME, "created_at": NOON}
    with service.begin() as conn:
        conn.execute(insert(User).values(row | {"password_hash": hash_password("a right password")}))
    return Person(
        USER_ID, "gone@example.com", "a right password", log_in(client, "gone@example.com", "a right password")
    )


def act(client: TestClient, who: Person, **more: object) -> int:
    body = {
        "action": "navigation_click",
        "label": who.email,
        "path": f"/mypage/{who.user_id}",
        "session_id": f"s{who.user_id}",
    }
    return client.post(ACTIVITY, json=body | more, headers=who.headers).status_code


def land(warehouse: Engine, number: int, **changes: object) -> None:
    """Store an event after its user was deleted."""
    event = {"event_id": UUID(int=number), "received_at": NOON, "user_id": USER_ID, "event_type": "late"}
    event |= {"session_id": f"s{USER_ID}", "path": "/", "label": USERNAME, "payload": {"user_id": USER_ID}} | changes
    with warehouse.begin() as conn:
        conn.execute(insert(UserEvent).values(event))


def ingest(warehouse: Engine, store: Store) -> None:
    ingest_logs(warehouse, store, NOON, LATER, now=LATER)


def test_a_deleted_person_is_in_no_table_and_in_no_training_set(
    client: TestClient, leaver: Person, service: Engine, warehouse: Engine, store: Store
) -> None:
    other = sign_up(client)
    reported = {
        "recipe_id": 9001,
        "recipe_ids": [1, 2],
        "release_version": "20250806T030000Z-3f2a9c01d7",
        "product_source": "hmall",
        "impressions": [
            {"position": 1, "recipe_id": 9002},
            {"position": 2, "product_id": 101, "product_source": "kok"},
        ],
    }
    for who in (leaver, other):
        names: dict[str, Any] = {
            "email": who.email,
            "who": {"id": who.user_id},
            "stage": "hong_gildong",
            "product_ids": [who.email],
        }
        names |= {"product_ids": [who.email], "live_ids": [[who.user_id]]}
        shown = [row | {"reason": who.email} for row in cast(list[dict[str, Any]], reported["impressions"])]
        assert act(client, who, extra_data=reported | names | {"impressions": [*shown, who.email]}) == 201
        keyword = {"keyword": f"{who.email} 감자"}
        assert client.post("/api/kok/search/history", json=keyword, headers=who.headers).status_code == 200
        assert client.post("/api/recipes/9001/rating", json={"rating": 5}, headers=who.headers).status_code == 200
    land(warehouse, 1, event_type=" ", payload=[USERNAME, USER_ID])
    ingest(warehouse, store)
    assert act(client, leaver, action=f"hello {USERNAME}") == 201

    assert client.delete("/api/user").status_code == 401
    left = leave(client, leaver)
    assert (left.status_code, left.json()) == (200, {"message": "회원 탈퇴가 완료되었습니다."})
    assert traces(service, warehouse) == [], "at once"

    land(warehouse, 2)
    land(warehouse, 3, event_type="", payload={"email": leaver.email})
    with service.begin() as conn:
        late = {"user_id": USER_ID, "service": "kok", "keyword": USERNAME, "searched_at": NOON}
        conn.execute(insert(SearchHistory).values(late))
    report = erase_users(service, warehouse, store, now=LATER)
    assert (report.read, report.details) == (1, {"service": 2, "warehouse": 2}), "the late row, the login"
    ingest(warehouse, store)
    assert traces(service, warehouse) == []
    assert erase_users(service, warehouse, store, now=LATER).written == 0, "again changes nothing"

    with warehouse.connect() as conn:
        sent = FctUserEvent.event_type.startswith("user_activity")
        facts = conn.execute(select(FctUserEvent).where(sent)).all()
        rejected = conn.scalars(select(RejectedEvent.event)).all()
    nameless = [fact for fact in facts if fact.user_id is None]
    assert {(fact.session_id, fact.path, fact.label) for fact in nameless} == {(None, None, None)}
    kept = sorted((fact.event_type, len(fact.payload)) for fact in nameless)
    assert kept == [("user_activity", 0)] * 2 + [("user_activity_navigation_click", len(reported))], (
        "words of a client go"
    )
    assert reported in [fact.payload for fact in nameless], "what was looked at stays"
    named = [fact for fact in facts if fact.user_id is not None]
    assert [(fact.user_id, fact.label) for fact in named] == [(other.user_id, other.email)], "others are as they were"
    assert [sorted(event) for event in rejected if event.get("event_type") is None] == [["event_id", "received_at"]]
    assert client.get("/api/user/info", headers=other.headers).status_code == 200


def test_event_types_of_the_api_stay_when_anonymised(client: TestClient, person: Person, warehouse: Engine) -> None:
    def stored() -> dict[UUID, str]:
        with warehouse.connect() as conn:
            rows = conn.execute(select(UserEvent.event_id, UserEvent.event_type))
            return {row.event_id: row.event_type for row in rows}

    def call(method: str, path: str, **send: Any) -> Any:
        answer = client.request(method, path, headers=person.headers, **send)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json()

    for case in CASES:
        call(case.method, case.path, **case.send)
    kok, home_shopping = "/api/kok/search/history", "/api/homeshopping/search/history"
    call("DELETE", f"{kok}/{call('GET', kok)['history'][0]['kok_history_id']}")
    number = call("GET", home_shopping)["history"][0]["homeshopping_history_id"]
    call("DELETE", home_shopping, json={"homeshopping_history_id": number})
    call("POST", "/api/user/logout")
    again = log_in(client, person.email, person.password)
    assert act(client, Person(person.user_id, person.email, "", again)) == 201, "by now all notes are stored"
    before = stored()
    assert leave(client, replace(person, headers=again)).status_code == 200
    assert set(before.values()) > {"user_signup", "user_logout", "recommend_search", "kok_search_history_delete"}
    assert stored() == before


def test_no_token_of_a_deleted_account_opens_anything(
    client: TestClient, person: Person, start: Callable[[], TestClient]
) -> None:
    elsewhere = start()
    login = client.post("/api/user/login", json={"email": person.email, "password": person.password}).json()
    second = {"Authorization": f"Bearer {login['access_token']}"}
    for process in (client, elsewhere):
        assert process.get("/api/user/info", headers=second).status_code == 200
    assert leave(client, person).status_code == 200
    for headers in (person.headers, second):
        assert act(client, Person(person.user_id, person.email, "", headers)) == 401
        assert elsewhere.get("/api/user/info", headers=headers).status_code == 401
    until(
        lambda: act(elsewhere, Person(person.user_id, person.email, "", second)) == 401,
        "the other process refuses the tokens",
    )
    refresh = client.post("/api/auth/refresh", json={"refresh_token": login["refresh_token"]})
    assert refresh.status_code == 401
    form = {"username": person.email, "password": person.password}
    assert client.post("/api/user/login", data=form).status_code == 401
    assert leave(client, replace(person, headers=second)).status_code == 401


def test_deletion_removes_hashes_of_refresh_tokens(client: TestClient, person: Person, service: Engine) -> None:
    def owners() -> list[int | None]:
        query = select(LoginSession.user_id).select_from(RefreshToken)
        query = query.outerjoin(LoginSession, LoginSession.session_id == RefreshToken.session_id)
        with service.connect() as conn:
            return sorted(conn.scalars(query), key=str)

    other = sign_up(client)
    log_in(client, person.email, person.password)
    assert owners() == [person.user_id] * 2 + [other.user_id]
    assert leave(client, person).status_code == 200
    assert owners() == [other.user_id]


def test_deleted_email_can_be_reused_but_its_user_id_is_not(client: TestClient, person: Person) -> None:
    leave(client, person)
    account = {"email": person.email, "password": "another word", "username": "손님"}
    again = client.post("/api/user/signup", json=account)
    assert again.status_code == 201
    assert again.json()["user_id"] != person.user_id


def test_without_the_warehouse_events_are_anonymised_by_the_batch(
    filled: Engine,
    warehouse: Engine,
    store: Store,
    gate: Callable[[str], Gate],
    start: Callable[[], TestClient],
) -> None:
    door = gate("warehouse")
    client = start()
    person = sign_up(client)
    assert act(client, person) == 201
    door.shut()
    assert leave(client, person).status_code == 200
    assert client.get("/api/user/info", headers=person.headers).status_code == 401
    assert [row for row in everything(warehouse) if person.email in row[1]]
    # The events that were sent, and those of signing up and logging in.
    assert erase_users(filled, warehouse, store, now=LATER).details["warehouse"] == 3
    assert [row for row in everything(filled) + everything(warehouse) if person.email in row[1]] == []


@pytest.mark.parametrize("way", ["login", "refresh", "rating", "kok history", "home shopping history", "deletion"])
def test_requests_during_a_deletion_leave_no_rows(
    client: TestClient, person: Person, service: Engine, way: str
) -> None:
    credentials = {"email": person.email, "password": person.password}
    login = client.post("/api/user/login", json=credentials).json()
    method, path, body = {
        "login": ("POST", "/api/user/login", credentials),
        "refresh": ("POST", "/api/auth/refresh", {"refresh_token": login["refresh_token"]}),
        "rating": ("POST", "/api/recipes/9001/rating", {"rating": 5}),
        "kok history": ("POST", "/api/kok/search/history", {"keyword": "감자"}),
        "home shopping history": ("POST", "/api/homeshopping/search/history", {"keyword": "감자"}),
        "deletion": ("DELETE", "/api/user", {"password": person.password}),
    }[way]
    with ThreadPoolExecutor(1) as pool:
        with service.begin() as conn:
            assert lock_account(conn, person.user_id)
            erase(conn, [person.user_id], NOON)
            conn.execute(insert(ErasedUser).values(user_id=person.user_id, erased_at=NOON))
            answer = pool.submit(client.request, method, path, json=body, headers=person.headers)
            until(lambda: answer.done() or waits_for_a_lock(service), "it came to the account")
            assert not answer.done(), "it waits until it is decided whether there is an account"
        assert answer.result().status_code == 401
    with service.connect() as conn:
        assert conn.scalars(select(LoginSession.user_id).where(LoginSession.revoked_at.is_(None))).all() == []
        for kept in (SearchHistory.user_id, RecipeRating.user_id, RefreshToken.session_id):
            assert conn.scalars(select(kept)).all() == []


@pytest.mark.parametrize("way", ["login", "refresh", "password", "deletion"])
@servers_only
def test_no_one_waits_for_rows_of_another_user(client: TestClient, person: Person, service: Engine, way: str) -> None:
    """MariaDB locks every row that a DELETE looks at; two that wait for rows of each other are a deadlock."""
    other = sign_up(client)
    for who in (person, other):
        client.post("/api/kok/search/history", json={"keyword": "감자"}, headers=who.headers)
        client.post("/api/recipes/9001/rating", json={"rating": 5}, headers=who.headers)
        issue_mail_token(service, who)
    login = {"email": other.email, "password": other.password}
    token = client.post("/api/user/login", json=login).json()["refresh_token"]
    method, path, body = {
        "login": ("POST", "/api/user/login", login),
        "refresh": ("POST", "/api/auth/refresh", {"refresh_token": token}),
        "password": ("POST", "/api/user/password", {"current_password": other.password, "new_password": "a new one"}),
        "deletion": ("DELETE", "/api/user", {"password": other.password}),
    }[way]
    with ThreadPoolExecutor(1) as pool, service.begin() as conn:
        lock_everything_of(conn, person.user_id)
        answer = pool.submit(client.request, method, path, json=body, headers=other.headers)
        until(answer.done, "it is done while the rows are locked", seconds=20)
    assert answer.result().status_code == 200


def issue_mail_token(service: Engine, who: Person) -> None:
    with service.begin() as conn:
        account = queries.lock(conn, who.user_id)
        assert account
        mail_tokens.issue(conn, account, Purpose.RESET_PASSWORD, NOON)


def lock_everything_of(conn: Connection, user_id: int) -> None:
    """Lock every row of a user, by its primary key."""
    sessions = conn.scalars(select(LoginSession.session_id).where(LoginSession.user_id == user_id)).all()
    tokens = conn.scalars(select(RefreshToken.token_sha256).where(RefreshToken.session_id.in_(sessions))).all()
    searches = select(SearchHistory.search_history_id).where(SearchHistory.user_id == user_id)
    places = select(LoginPlace.place_sha256).where(LoginPlace.user_id == user_id)
    mails = select(MailToken.token_sha256).where(MailToken.user_id == user_id)
    for table, condition in (
        (User, User.user_id == user_id),
        (LoginSession, LoginSession.session_id.in_(sessions)),
        (RefreshToken, RefreshToken.token_sha256.in_(tokens)),
        (SearchHistory, SearchHistory.search_history_id.in_(conn.scalars(searches).all())),
        (RecipeRating, (RecipeRating.user_id == user_id) & (RecipeRating.recipe_id == 9001)),
        (LoginPlace, (LoginPlace.user_id == user_id) & LoginPlace.place_sha256.in_(conn.scalars(places).all())),
        (MailToken, MailToken.token_sha256.in_(conn.scalars(mails).all())),
    ):
        assert conn.execute(select(table).where(condition).with_for_update()).all()


def test_deletion_is_stamped_after_waiting_for_the_lock(
    client: TestClient, person: Person, service: Engine, now: Now
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with service.begin() as conn:
            assert lock_account(conn, person.user_id)
            answer = pool.submit(leave, client, person)
            until(lambda: waits_for_a_lock(service), "it came to the account")
            now.forward(minutes=5)
        assert answer.result().status_code == 200
    with service.connect() as conn:
        assert conn.scalars(select(LoginSession.revoked_at)).all() == [now()]
        assert conn.scalars(select(ErasedUser.erased_at)).all() == [now()]


# Recorded events wait until a request wants an answer.
@pytest.mark.parametrize("writer_limits", [WriterLimits(recorded_seconds=600.0)], ids=["waiting"])
def test_events_that_wait_for_a_commit_are_anonymised_too(
    client: TestClient, leaver: Person, warehouse: Engine
) -> None:
    assert act(client, leaver) == 201
    assert client.get("/api/recipes/9001", headers=leaver.headers).status_code == 200
    assert leave(client, leaver).status_code == 200
    with warehouse.connect() as conn:
        stored = conn.execute(select(UserEvent.event_type, UserEvent.user_id)).all()
    assert ("recipe_detail_view", None) in stored
    assert {user_id for _, user_id in stored} == {None}


def waits_for_a_lock(service: Engine) -> bool:
    if service.dialect.name == "postgresql":
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    else:
        # Not innodb_trx, which is a copy that frequent reads do not refresh.
        query = "SELECT CAST(variable_value AS INT) FROM information_schema.global_status WHERE variable_name = "
        query += "'Innodb_row_lock_current_waits'"
    with service.connect() as conn:
        return bool(conn.scalar(text(query)))
