"""Routes that are served without FastAPI's detours answer what FastAPI answers."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Path, Query, Response
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from starlette.testclient import TestClient

from serving.gateway.main import ROUTERS
from serving.runtime.response_cache import MemoryRoute
from serving.web import errors
from tests.builders.small_catalog import BIG_ID
from tests.serving.conftest import Person


class Thing(BaseModel):
    """A body."""

    name: Annotated[str, Field(max_length=5)]
    number: int | None = None


def answering(route_class: type[APIRoute]) -> TestClient:
    """An application of one class of routes."""
    router = APIRouter(route_class=route_class)

    @router.get("/numbers/{number}/words")
    async def words(
        number: Annotated[int, Path(ge=0, le=99)],
        many: Annotated[list[int] | None, Query(max_length=3)] = None,
        text: Annotated[str, Query(max_length=5)] = "none",
        flag: bool = False,
    ) -> Response:
        return Response(repr((number, many, text, flag)))

    @router.post("/things/{name:path}/end")
    async def things(name: str, thing: Thing) -> Response:
        return Response(repr((name, thing)))

    app = FastAPI()
    app.include_router(router)
    errors.install(app)
    app.state.runtime = None
    return TestClient(app)


DIRECT, ORDINARY = answering(MemoryRoute), answering(APIRoute)
VALUES = st.sampled_from(
    ["", "0", "1", "7", "99", "100", "-1", "1.0", "x", "true", "off", "too+long", "%20", "%00", "가"]
)
PAIRS = st.tuples(st.sampled_from(["many", "text", "flag", "number", "other"]), VALUES)
OBJECTS = (
    "{}",
    '{"name": "a"}',
    '{"name": "too long"}',
    '{"name": 1}',
    '{"name": "a", "number": "7"}',
    '{"name": "a", "number": 1e400}',
    '{"name": "\\ud800"}',
    '{"name": "a", "other": 1}',
)
BODIES = st.sampled_from([*OBJECTS, "", "[]", "null", '{"name": "a"'])
KINDS = st.sampled_from(["application/json", "Application/JSON; charset=utf-8", "text/plain", "application/xml", ""])


def same(ask: Callable[[TestClient], Any]) -> None:
    direct, ordinary = ask(DIRECT), ask(ORDINARY)
    assert (direct.status_code, direct.text) == (ordinary.status_code, ordinary.text)


@given(VALUES, st.lists(PAIRS, max_size=6))
def test_parameters_are_read_and_refused_as_fastapi_does(number: str, pairs: list[tuple[str, str]]) -> None:
    query = "&".join(f"{name}={value}" for name, value in pairs)
    same(lambda client: client.get(f"/numbers/{number}/words?{query}"))


@pytest.mark.parametrize("name", ["a", "a/b", "a%2Fb", "end", "end/end", "가", "%00"])
@given(body=BODIES, kind=KINDS)
def test_bodies_are_read_and_refused_as_fastapi_does(name: str, body: str, kind: str) -> None:
    headers = {"content-type": kind} if kind else {}
    direct, ordinary = (c.post(f"/things/{name}/end", content=body, headers=headers) for c in (DIRECT, ORDINARY))
    assert direct.status_code == ordinary.status_code
    if direct.status_code == 200:
        assert direct.text == ordinary.text


def test_a_query_cannot_name_another_thing_than_the_path(client: TestClient, person: Person) -> None:
    ids = {"recipe_id": 9001, "live_id": 1, "ingredient": "감자", "name": "감자", "source": "kok"}
    asked = 0
    for route in (route for router in ROUTERS for route in router.routes if isinstance(route, MemoryRoute)):
        names = list(route.param_convertors)
        if not names or "GET" not in (route.methods or ()) or "user_id" in names:
            continue
        product_id = BIG_ID if "homeshopping" in route.path else 101
        path = route.path_format.format(product_id=product_id, **ids)
        as_it_is = client.get(path, headers=person.headers)
        assert as_it_is.status_code == 200, path
        for name in names:
            other = client.get(f"{path}?{name}=9002", headers=person.headers)
            assert other.json() == as_it_is.json(), f"{path} by {name}"
            asked += 1
    assert asked > 10
