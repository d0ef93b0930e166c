"""What endpoints ask for: the runtime, the view, the user, and checked text."""

from typing import Annotated, cast

from fastapi import Depends, Query, Request
from fastapi.security import OAuth2PasswordBearer
from pydantic import AfterValidator, Field, StringConstraints

from serving.common.auth import Identity
from serving.common.runtime import Runtime
from serving.common.view import View
from sql.types import LARGEST_ID

# Shows the "Authorize" button in the documentation; the header itself is read below.
_bearer = OAuth2PasswordBearer(tokenUrl="/api/user/login", auto_error=False)


async def _runtime(request: Request) -> Runtime:
    return cast(Runtime, request.app.state.runtime)


CurrentRuntime = Annotated[Runtime, Depends(_runtime)]


async def _view(runtime: CurrentRuntime) -> View:
    return runtime.view.current


CurrentView = Annotated[View, Depends(_view)]


def visitor_of(request: Request, runtime: Runtime) -> Identity | None:
    """Who asks, None for anyone whose token cannot be relied on; the log line of the request names the user."""
    identity = runtime.auth.optional(request.headers.get("authorization"))
    request.state.user_id = identity.user_id if identity else None
    return identity


def user_of(request: Request, runtime: Runtime) -> Identity:
    """Who asks; 401 or 503 where that is nobody or cannot be known."""
    identity = runtime.auth.required(request.headers.get("authorization"))
    request.state.user_id = identity.user_id
    return identity


async def _visitor(
    request: Request, runtime: CurrentRuntime, _: Annotated[str | None, Depends(_bearer)]
) -> Identity | None:
    return visitor_of(request, runtime)


async def _user(request: Request, runtime: CurrentRuntime, _: Annotated[str | None, Depends(_bearer)]) -> Identity:
    return user_of(request, runtime)


# Anyone; None without a token that can be relied on.
Visitor = Annotated[Identity | None, Depends(_visitor)]
# Someone who is logged in; else 401, or 503 while it cannot be known.
User = Annotated[Identity, Depends(_user)]

# 64 bits: ids of sources exceed 32.
Id = Annotated[int, Field(ge=0, le=LARGEST_ID)]


def is_storable(text: str) -> bool:
    """Whether every database can hold ``text``: no NUL, no half of a surrogate pair."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("holds a character that cannot be stored")
    return text


def _stripped(text: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise ValueError("is blank")
    return stripped


# What surrounds a text counts to its length, as the OpenAPI says.
STRIPPED = AfterValidator(_stripped)
# Goes last in an annotation: text that every database can hold.
STORABLE = AfterValidator(_storable)
IngredientName = Annotated[str, StringConstraints(min_length=1, max_length=100), STRIPPED, STORABLE]
Keyword = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255),
    STRIPPED,
    STORABLE,
    Field(description="What is searched for; spelling and spacing are forgiven", examples=["감자"]),
]
KeywordQuery = Annotated[
    Keyword, Query(description="What is searched for; spelling and spacing are forgiven", examples=["감자"])
]
