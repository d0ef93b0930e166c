"""Dependencies of endpoints: the runtime, the snapshot and the user.

All are ``async`` and depend on the request alone: FastAPI runs ``def`` dependencies in the thread pool and solves every
nested one by itself, which would cost more than most answers.
"""

from collections.abc import Callable
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer
from fastapi.security.base import SecurityBase

from serving.runtime.runtime import Runtime
from serving.runtime.snapshot import Snapshot
from serving.web.auth import Authenticator, Identity


def runtime_of(request: Request) -> Runtime:
    """Return the runtime of the application that handles the request."""
    return cast(Runtime, request.app.state.runtime)


async def _runtime(request: Request) -> Runtime:
    return runtime_of(request)


async def _snapshot(request: Request) -> Snapshot:
    return runtime_of(request).snapshot_of(request.scope)


class _BearerToken(SecurityBase):
    """Security scheme that resolves the ``Authorization`` header by ``identify``; the log line names the user."""

    # Shows the "Authorize" button in the documentation.
    _scheme = OAuth2PasswordBearer(tokenUrl="/api/user/login", auto_error=False)

    def __init__(self, identify: Callable[[Authenticator, str | None], Identity | None]) -> None:
        self.model = self._scheme.model
        self.scheme_name = self._scheme.scheme_name
        self._identify = identify

    async def __call__(self, request: Request) -> Identity | None:
        identity = self._identify(runtime_of(request).auth, request.headers.get("authorization"))
        request.state.user_id = identity.user_id if identity else None
        return identity


CurrentRuntime = Annotated[Runtime, Depends(_runtime)]
CurrentSnapshot = Annotated[Snapshot, Depends(_snapshot)]
# Anyone; None without a token that is known to be valid.
Visitor = Annotated[Identity | None, Depends(_BearerToken(Authenticator.optional))]
# Someone who is logged in; else 401, or 503 while revoked logins cannot be checked.
User = Annotated[Identity, Depends(_BearerToken(Authenticator.required))]
