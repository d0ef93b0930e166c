"""Additions to FastAPI's OpenAPI.

Optional logins, the answers to bodies that are too large, an example of a validation error, exact bounds of integers,
and the models of bodies that routes declare by ``openapi_extra``.
"""

from inspect import signature
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

from serving.web.middleware import TOO_LARGE
from sql.types import LARGEST_ID

_INVALID: Final = {
    "detail": [
        {
            "type": "greater_than_equal",
            "loc": ["query", "page"],
            "msg": "Input should be greater than or equal to 1",
            "input": "0",
        }
    ]
}

_TOO_LARGE: Final = {
    "description": "The body is larger than 2 MB",
    "content": {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/ErrorBody"},
            "example": {"detail": TOO_LARGE},
        }
    },
}


def complete(app: FastAPI, optional_login: object) -> None:
    """Complete the OpenAPI of ``app``; ``optional_login`` is the annotation of a parameter for an optional user."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = described()
            for route in app.routes:
                if isinstance(route, APIRoute) and route.include_in_schema:
                    for method in route.methods or ():
                        operation = schema["paths"][route.path_format][method.lower()]
                        _complete(operation, anonymous=_allows_anonymous(route, optional_login))
                        schema["components"]["schemas"] |= _shared_models(operation)
            schema["components"]["schemas"]["HTTPValidationError"]["example"] = _INVALID
            _make_bounds_whole(schema)
        return described()

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(operation: dict[str, Any], *, anonymous: bool) -> None:
    if anonymous:
        operation["security"] = [{}, *operation["security"]]
    if "requestBody" in operation:
        operation["responses"]["413"] = _TOO_LARGE


def _shared_models(operation: dict[str, Any]) -> dict[str, Any]:
    """Remove the models from the schema of a body that ``openapi_extra`` declares, and return them."""
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    return {name: model for each in content.values() for name, model in each["schema"].pop("$defs", {}).items()}


def _make_bounds_whole(part: Any) -> None:  # noqa: ANN401 - any part of the OpenAPI
    """Make the bounds of integers integers: FastAPI makes them floats, which cannot represent the largest id."""
    if isinstance(part, list):
        for member in part:
            _make_bounds_whole(member)
    elif isinstance(part, dict):
        if part.get("type") == "integer":
            for bound in {"minimum", "maximum"} & part.keys():
                part[bound] = min(int(part[bound]), LARGEST_ID)
        for member in part.values():
            _make_bounds_whole(member)


def _allows_anonymous(route: APIRoute, optional_login: object) -> bool:
    return any(parameter.annotation == optional_login for parameter in signature(route.endpoint).parameters.values())
