"""Error answers as ``{"detail": ...}``: of the API, of the databases, of validation."""

import math
from typing import Any, cast

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from artifacts.errors import StoreError
from artifacts.release import CorruptRelease
from sql.outages import STOPPING, outage_of

log = structlog.get_logger()

RETRY_AFTER = {"Retry-After": "2"}
# SQLSTATE of PostgreSQL and error number of MariaDB for a missing table.
MISSING_TABLE = {"42P01", 1146}

# Values of fields with these words in their name are never echoed.
SECRET = ("password", "token")
# FastAPI's 400 for bodies that are not UTF-8 or nested too deeply; other invalid bodies are 422.
UNREADABLE = "There was an error parsing the body"


class ErrorBody(BaseModel):
    """Body of an error."""

    detail: str = Field(description="What was wrong, and with what")


# Argument ``responses`` of a route: OpenAPI response by status.
Described = dict[int | str, dict[str, Any]]


def described(status: int, description: str, detail: str) -> Described:
    """Describe an error for the OpenAPI, with an example of its ``detail``."""
    example = {"application/json": {"example": {"detail": detail}}}
    return {status: {"model": ErrorBody, "description": description, "content": example}}


def absent(what: str) -> Described:
    """Describe a 404 for the OpenAPI, with ``what`` as an example of what was not found."""
    return described(404, "Not found", not_found(what).detail)


UNAUTHORIZED = described(401, "Not logged in", "log in first")
# Clients resolve such a name as a path segment and request another path.
NO_NAME = described(404, "A name that no path can hold, such as ..", "Not Found")
INVALID: Described = {
    422: {
        "description": "Validation Error",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/HTTPValidationError"}}},
    }
}
AWAY = described(503, "A service that the request needs is unavailable; try again", "the database does not answer")


class StartupError(RuntimeError):
    """The configuration is invalid; the message is one line that says what to change."""


class Unavailable(HTTPException):
    """503: something that the request needs is unavailable; the client may try again."""

    def __init__(self, detail: str) -> None:
        super().__init__(503, detail, headers=RETRY_AFTER)


def unauthorized(reason: str) -> HTTPException:
    """Return a 401 with its reason and the authentication scheme."""
    return HTTPException(401, reason, headers={"WWW-Authenticate": "Bearer"})


def too_many(what: str, seconds: float) -> HTTPException:
    """Return a 429 of ``what``, with the seconds after which they are accepted again, rounded up."""
    wait = math.ceil(seconds)
    detail = f"too many {what}: try again in {wait} seconds"
    return HTTPException(429, detail, headers={"Retry-After": str(wait)})


def not_found(what: str) -> HTTPException:
    """Return a 404 that names what was not found."""
    return HTTPException(404, f"{what} not found")


def is_missing_table(error: BaseException) -> bool:
    """Whether a statement failed because the schema was never created."""
    if not isinstance(error, ProgrammingError) or error.orig is None:
        return False
    return _code(error) in MISSING_TABLE


def _code(error: DBAPIError) -> object:
    """Return the SQLSTATE of PostgreSQL or the error number of MariaDB."""
    return getattr(error.orig, "pgcode", None) or next(iter(getattr(error.orig, "args", ())), None)


def summary(error: BaseException) -> str:
    """Summarise an error for clients, without hosts, folders, settings, users and statements: the log has those."""
    if is_missing_table(error):
        return "tables are missing: run `ukok db upgrade`"
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError):
        outage = outage_of(error)
        return f"the database {outage.problem}" if outage and outage is not STOPPING else "the database does not answer"
    if isinstance(error, SQLAlchemyError):
        return "the database refused a statement"
    if isinstance(error, CorruptRelease):
        return str(error)
    if isinstance(error, StoreError):
        return "the artifact store does not answer as it should"
    return f"unexpected {type(error).__name__}"


def log_reason(error: BaseException) -> str:
    """Format an error as one line for the log; the engines keep parameters and passwords out of messages.

    A database quotes the values that it refuses, which may be an e-mail address: of those errors only the code is
    named.
    """
    if isinstance(error, DataError | IntegrityError):
        return f"{type(error).__name__} {_code(error)}"
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return " ".join(str(cause).split())


def install(app: FastAPI) -> None:
    """Answer every error in FastAPI's shape."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    for kind in (OperationalError, InterfaceError, PoolTimeoutError, ProgrammingError):
        app.add_exception_handler(kind, _database_away)


async def _database_away(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, ProgrammingError) and not is_missing_table(error):
        raise error
    route = getattr(request.scope.get("route"), "path", None)
    log.warning("database_unavailable", route=route, reason=log_reason(error))
    return JSONResponse({"detail": summary(error)}, 503, headers=RETRY_AFTER)


async def _http_error(request: Request, error: Exception) -> Response:
    error = cast(HTTPException, error)
    if error.status_code == 400 and error.detail == UNREADABLE:
        wrong = {"type": "json_invalid", "loc": ["body"], "msg": "The body is not JSON in UTF-8, or nested too deeply"}
        return JSONResponse({"detail": [wrong | {"input": None}]}, 422)
    if error.status_code == 405:
        allow = {"Allow": ", ".join(_methods(request))}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=allow)
        error = HTTPException(405, error.detail, headers=allow)
    return await http_exception_handler(request, error)


def _methods(request: Request) -> list[str]:
    """Return the methods of a path: those of every route that matches it, HEAD where there is GET, and OPTIONS.

    Each method has a route of its own, so that the route which refused the request knows one of them only.
    """
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    found = {m for route in routes if route.matches(request.scope)[0] != Match.NONE for m in route.methods or ()}
    return sorted(found | {"OPTIONS"} | ({"HEAD"} if "GET" in found else set()))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    detail = [
        {"type": e["type"], "loc": e["loc"], "msg": e["msg"], "input": _echo(e["loc"], e.get("input"))}
        for e in cast(RequestValidationError, error).errors()
    ]
    return JSONResponse({"detail": detail}, 422)


def _echo(where: tuple[int | str, ...], value: object) -> str | int | bool | None:
    """Return the invalid value if it is short and harmless: never a secret, a whole body or a broken character."""
    if where == ("body",) or any(name in str(part).lower() for part in where for name in SECRET):
        return None
    if isinstance(value, bool | int) and abs(value) < 2**63:
        return value
    if isinstance(value, str) and len(value) <= 200:
        return value.encode(errors="replace").decode()
    return None
