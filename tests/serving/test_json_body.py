"""Bodies that pydantic reads from the bytes are accepted and refused as FastAPI's own."""

from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from starlette.testclient import TestClient

from serving.web import errors
from serving.web.json_body import JsonBody


class Thing(BaseModel):
    """A body."""

    name: Annotated[str, Field(max_length=5)]
    number: int | None = None


THING = JsonBody(Thing)
app = FastAPI()
errors.install(app)


@app.post("/raw", openapi_extra=THING.openapi())
async def raw(request: Request) -> Thing:
    return await THING.read(request)


@app.post("/plain")
async def plain(thing: Thing) -> Thing:
    return thing


CLIENT = TestClient(app)
OBJECTS = (
    "{}",
    '{"name": "a"}',
    '{"name": "too long"}',
    '{"name": 1}',
    '{"name": "a", "number": "7"}',
    '{"name": "a", "number": 1e400}',
    '{"name": "a", "number": 7.5}',
    '{"name": "a", "other": 1}',
    '{"name": "a", "name": "b"}',
    "",
)
KINDS = (
    "application/json",
    "Application/JSON; charset=utf-8",
    "application/problem+json",
    "text/plain",
    "application/xml",
    "nonsense",
    "",
)


def answers(body: str | bytes, kind: str) -> tuple[Any, Any]:
    headers = {"content-type": kind} if kind else {}
    return tuple(CLIENT.post(path, content=body, headers=headers) for path in ("/raw", "/plain"))  # type: ignore[return-value]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", OBJECTS)
def test_body_is_read_and_refused_as_fastapi_does(body: str, kind: str) -> None:
    ours, fastapi = answers(body, kind)
    assert (ours.status_code, ours.json()) == (fastapi.status_code, fastapi.json())


@pytest.mark.parametrize("body", ["[]", "null", '"text"', "7"])
def test_json_that_is_no_object_is_refused(body: str) -> None:
    ours, fastapi = answers(body, "application/json")
    assert ours.status_code == fastapi.status_code == 422
    assert [error["loc"] for error in ours.json()["detail"]] == [["body"]]


@pytest.mark.parametrize("body", ['{"name": "a"', "no json", '{"name": "\\ud800"}', b'{"name": "\xff"}', "[" * 5000])
def test_invalid_json_is_refused_with_its_reason(body: str | bytes) -> None:
    ours, fastapi = answers(body, "application/json")
    assert ours.status_code == fastapi.status_code == 422
    (error,) = ours.json()["detail"]
    assert (error["type"], error["loc"]) == ("json_invalid", ["body"])
    assert error["msg"].startswith("Invalid JSON: ")
