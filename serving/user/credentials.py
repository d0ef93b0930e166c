"""Who logs in with which password: from the form that the frontend sends, or from JSON."""

from typing import Annotated, Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

import orjson
from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from serving.user.emails import normal
from serving.user.schemas import FormLogin, JsonLogin

FORM, JSON = "application/x-www-form-urlencoded", "application/json"

Model = TypeVar("Model", bound=BaseModel)


class Given(NamedTuple):
    """What was typed; without ``email`` where that is no address."""

    email: str | None
    password: str


async def _given(request: Request) -> Given:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if kind == FORM:
        fields = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        form = _checked(FormLogin, fields)
        return Given(_address(form.username), form.password)
    if kind == JSON:
        login = _checked(JsonLogin, _parsed(body))
        return Given(_address(login.email), login.password)
    raise _invalid("content_type", ("header", "content-type"), f"send {FORM} or {JSON}")


Credentials = Annotated[Given, Depends(_given)]

# FastAPI describes one kind of body by itself; this is for both.
REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {"schema": FormLogin.model_json_schema()},
            JSON: {"schema": JsonLogin.model_json_schema()},
        },
    }
}


def _checked(model: type[Model], fields: object) -> Model:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        raise RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in found]) from None


def _parsed(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _invalid("json_invalid", ("body", error.pos), f"JSON decode error: {error.msg}") from None


def _invalid(kind: str, where: tuple[str | int, ...], message: str) -> RequestValidationError:
    return RequestValidationError([{"type": kind, "loc": where, "msg": message, "input": None}])


def _address(typed: str) -> str | None:
    try:
        return normal(typed)
    except ValueError:
        return None
