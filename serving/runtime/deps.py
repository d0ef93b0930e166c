"""What endpoints ask for: the runtime, the view and the user."""

from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from serving.runtime.runtime import Runtime
from serving.runtime.snapshot import Snapshot
from serving.web.auth import Identity

# Shows the "Authorize" button in the documentation; the header itself is read below.
_bearer = OAuth2PasswordBearer(tokenUrl="/api/user/login", auto_error=False)


async def _runtime(request: Request) -> Runtime:
    return cast(Runtime, request.app.state.runtime)


CurrentRuntime = Annotated[Runtime, Depends(_runtime)]


async def _snapshot(runtime: CurrentRuntime) -> Snapshot:
    return runtime.snapshot.current


CurrentSnapshot = Annotated[Snapshot, Depends(_snapshot)]


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
