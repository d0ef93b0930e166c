"""What visitors type is in no log, and what operators configure is in no answer, whatever fails."""

import logging
import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Engine, insert
from sqlalchemy.exc import IntegrityError
from starlette.testclient import TestClient

from serving.runtime.snapshot import Snapshot
from serving.web.errors import log_reason
from serving.web.logging import configure
from sql.service.users import User
from tests.builders.small_catalog import NOON
from tests.builders.waiting import until
from tests.conftest import embedded_only
from tests.serving.conftest import sign_up
from tests.serving.gate import Gate

WORD = "gonjajeon"
EMAIL = f"{WORD}@example.com"
# Settings, folders, addresses and drivers.
INTERNAL = re.compile(
    r"UKOK_|FORWARDED_|/tmp/|/home/|/app/|127\.0\.0\.1|localhost|\w:\d{4,5}\b|psycopg|pymysql|s3://|\.py\b"
)
BODY: dict[str, Any] = {
    "email": EMAIL,
    "username": WORD,
    "password": f"{WORD} is a password",
    "refresh_token": WORD,
    "keyword": WORD,
    "action": WORD,
    "label": WORD,
    "session_id": WORD,
    "event_type": WORD,
    "user_id": 1,
    "rating": 3,
    "extra_data": {"word": WORD},
    "events": [{"action": WORD, "session_id": WORD}],
}
ALL = (
    "keyword",
    "recipe",
    "ingredient",
    "prefix",
    "name",
    "title",
    "email",
    "method",
    "sort_by",
    "live_date",
    "anything",
)
# These end the login of the others.
LAST = ("/api/user/logout", "/api/user")


def walk(client: TestClient, headers: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Call every route with the word in each place, with numbers where they are due and without, logged in and not."""
    assert isinstance(client.app, FastAPI)
    routes = [route for route in client.app.routes if isinstance(route, APIRoute)]
    for route in sorted(routes, key=lambda route: route.path in LAST):
        paths = {re.sub(r"{[^}]*}", WORD, re.sub(r"{\w*id}", number, route.path)) for number in ("1", WORD)}
        for method, path, who in product(sorted(route.methods or ()), sorted(paths), ({}, headers)):
            body = None if method == "GET" else BODY
            yield route.path, client.request(method, path, params=dict.fromkeys(ALL, WORD), json=body, headers=who)
    for path in (f"/{WORD}", f"/api/{WORD}?q={WORD}", "/docs", "/openapi.json"):
        yield path, client.get(path, headers={"User-Agent": EMAIL, "Referer": f"https://shop.example.com/?q={WORD}"})
    yield "", client.request(WORD, "/api/kok/discounted")
    yield "", client.post("/api/user/login", data={"username": EMAIL, "password": WORD})


def failing(*_: object, **__: object) -> Any:
    raise KeyError(WORD)


@embedded_only
def test_no_log_holds_what_a_visitor_typed(
    filled: Engine,
    start: Callable[[], TestClient],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    client = start()
    person = sign_up(client)
    for fails in (False, True):
        if fails:
            monkeypatch.setattr(Snapshot, "did_you_mean", failing)
            monkeypatch.setattr("serving.user.queries.find_by_email", failing)
        statuses = {answer.status_code for _, answer in walk(client, person.headers)}
        person = sign_up(client) if not fails else person
    assert 500 in statuses
    logged = capfd.readouterr().err
    assert logged.count('"event": "request"') > 200
    assert "builtins.KeyError" in logged, "what failed is logged"
    assert WORD not in logged
    assert '"route": "unmatched"' in logged
    assert '"route": "/api/recommend/ingredient/{name:path}/substitutes"' in logged


def test_what_a_database_refuses_is_not_quoted(service: Engine) -> None:
    row = {"email": EMAIL, "username": "a", "password_hash": "x", "created_at": NOON}
    with service.begin() as conn:
        conn.execute(insert(User).values(row))
    with pytest.raises(IntegrityError) as caught, service.begin() as conn:
        conn.execute(insert(User).values(row))
    assert WORD in str(caught.value.orig)
    assert log_reason(caught.value) in {"IntegrityError 23505", "IntegrityError 1062"}


def test_a_trace_names_types_and_lines_but_no_values(capfd: pytest.CaptureFixture[str]) -> None:
    configure()
    try:
        try:
            failing()
        except KeyError as error:
            raise ValueError(EMAIL) from error
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    logged = capfd.readouterr().err
    assert "builtins.KeyError" in logged
    assert "builtins.ValueError" in logged
    assert "test_private_words.py" in logged
    assert WORD not in logged


def test_no_answer_holds_what_is_internal_when_all_fails(
    filled: Engine,
    gate: Callable[[str], Gate],
    configured: pytest.MonkeyPatch,
    start: Callable[[], TestClient],
) -> None:
    doors = [gate("service"), gate("warehouse")]
    configured.setenv("UKOK_ARTIFACTS_URL", "/tmp/no-such-folder-of-artifacts")
    client = start()
    person = sign_up(client)
    assert_nothing_internal(client, person.headers)
    for door in doors:
        door.shut()
    until(lambda: client.get("/readyz").json()["dependencies"]["logins"] != "ok", "the loss is noticed")
    assert_nothing_internal(client, person.headers)


def assert_nothing_internal(client: TestClient, headers: dict[str, str]) -> None:
    found = []
    for path, answer in walk(client, headers):
        if path not in {"/metrics", "/docs"}:
            shown = answer.text + str({k: v for k, v in answer.headers.items() if k != "x-request-id"})
            found += [(path, answer.status_code, match.group()) for match in [INTERNAL.search(shown)] if match]
    assert found == []
