"""Which answers a browser or a proxy may store."""

import re

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Engine
from starlette.testclient import TestClient

from serving.catalog.recipes import RecipeBook
from tests.conftest import embedded_only
from tests.serving.conftest import Person

QUERY = dict.fromkeys(("keyword", "recipe", "ingredient", "prefix"), "감자") | {"product_ids": "101", "email": "a@b.kr"}
NUMBERS = {"recipe_id": "9001", "live_id": "6", "product_id": "101", "history_id": "1"}

pytestmark = embedded_only


def reads(client: TestClient, person: Person) -> list[str]:
    """A path of each GET route."""
    assert isinstance(client.app, FastAPI)
    numbers = NUMBERS | {"user_id": str(person.user_id), "source": "kok"}
    routes = [route for route in client.app.routes if isinstance(route, APIRoute) and "GET" in (route.methods or ())]
    paths = (re.sub(r"{(\w+)[^}]*}", lambda found: numbers.get(found[1], "감자"), route.path) for route in routes)
    return [path for path in paths if path != "/"]


def test_only_answers_with_an_etag_may_be_stored(client: TestClient, person: Person) -> None:
    kinds = set()
    for path in reads(client, person):
        for headers in ({}, person.headers):
            answer = client.get(path, params=QUERY, headers=headers | {"X-Session-ID": "somebody"})
            policy = answer.headers["cache-control"]
            assert (policy == "no-store") == ("etag" not in answer.headers), path
            assert (policy == "private, no-cache") == ("Authorization" in answer.headers.get("vary", "")), path
            kinds.add((answer.status_code, policy))
    assert kinds >= {(200, "no-store"), (200, "no-cache"), (200, "private, no-cache"), (401, "no-store")}


def test_what_belongs_to_a_user_is_never_stored(client: TestClient, person: Person) -> None:
    login = {"email": person.email, "password": person.password}
    answers = [
        client.post("/api/user/login", json=login),
        client.post("/api/user/login", json=login | {"password": "wrong"}),
        client.post("/api/auth/refresh", json={"refresh_token": "unknown"}),
        client.get("/api/user/info", headers=person.headers),
        client.get("/api/user/logins", headers=person.headers),
        client.get("/api/user/export", headers=person.headers),
        client.get("/api/kok/search/history", headers=person.headers),
        client.get("/api/recommend/me/products", headers=person.headers),
        client.get(f"/api/log/user/event/{person.user_id}", headers=person.headers),
        client.post("/api/user/signup", json={"email": "not one"}),
        client.delete("/api/kok/discounted"),
        client.get("/api/nothing"),
    ]
    assert [answer.headers.get_list("cache-control") for answer in answers] == [["no-store"]] * len(answers)
    assert {answer.status_code for answer in answers} == {200, 401, 404, 405, 422}


def test_an_internal_error_is_not_stored(client: TestClient, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RecipeBook, "name_of", None)
    answer = client.get("/api/recommend/ingredient/감자/substitutes")
    assert (answer.status_code, answer.headers["cache-control"]) == (500, "no-store")


def test_the_catalog_stays_cached_for_everybody(client: TestClient, filled: Engine) -> None:
    first = client.get("/api/kok/discounted", headers={"X-Session-ID": "somebody"})
    assert first.headers["cache-control"] == "no-cache"
    assert "Authorization" not in first.headers.get("vary", "")
    again = client.get(
        "/api/kok/discounted", headers={"If-None-Match": first.headers["etag"], "X-Session-ID": "somebody"}
    )
    assert again.status_code == 304
