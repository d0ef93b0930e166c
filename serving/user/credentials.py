"""Credentials of a login: the form that the frontend sends, or JSON."""

from typing import Annotated, Any, NamedTuple
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError

from serving.user.emails import normalize
from serving.user.schemas import FormLogin, JsonLogin
from serving.web.json_body import JsonBody, media_type, validated

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
JSON_LOGIN = JsonBody(JsonLogin)


class Given(NamedTuple):
    """E-mail address and password as given; ``email`` is None if it is not an address."""

    email: str | None
    password: str


async def _given(request: Request) -> Given:
    content_type = media_type(request.headers.get("content-type", ""))
    body = await request.body()
    if content_type == FORM:
        fields = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        form = validated(lambda: FormLogin.model_validate(fields))
        return Given(_address(form.username), form.password)
    if content_type == JSON:
        login = JSON_LOGIN.validate(body)
        return Given(_address(login.email), login.password)
    wrong = {"type": "content_type", "loc": ("header", "content-type"), "msg": f"send {FORM} or {JSON}", "input": None}
    raise RequestValidationError([wrong])


Credentials = Annotated[Given, Depends(_given)]

# FastAPI describes a body of one content type only.
REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {"schema": FormLogin.model_json_schema()},
            JSON: {"schema": JsonLogin.model_json_schema()},
        },
    }
}


def _address(typed: str) -> str | None:
    try:
        return normalize(typed)
    except ValueError:
        return None
