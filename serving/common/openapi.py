"""What FastAPI leaves out of the OpenAPI: that a login is not always needed, and what an invalid request gets."""

from inspect import signature
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

from serving.common.deps import Visitor

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


def complete(app: FastAPI) -> None:
    """Let ``app`` describe itself in full."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = described()
            for route in app.routes:
                if isinstance(route, APIRoute) and _takes_anyone(route):
                    for method in route.methods or ():
                        operation = schema["paths"][route.path_format][method.lower()]
                        operation["security"] = [{}, *operation["security"]]
            schema["components"]["schemas"]["HTTPValidationError"]["example"] = _INVALID
        return described()

    app.openapi = openapi  # type: ignore[method-assign]


def _takes_anyone(route: APIRoute) -> bool:
    return any(parameter.annotation == Visitor for parameter in signature(route.endpoint).parameters.values())
