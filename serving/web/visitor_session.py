"""Session of an anonymous visitor: an id of the client, or a cookie that the API sets.

The id is random and holds nothing about the visitor. It ends with the session of the browser and is not stored with
events of logged-in users, so that it does not tell who an anonymous visitor is.
"""

import re
import secrets
from typing import Final, NamedTuple

from starlette.types import Scope

from serving.web.cookies import is_secure
from serving.web.settings import ServingSettings

COOKIE: Final = "ukok_session"
HEADER: Final = "X-Session-ID"
SESSION_ID: Final = r"^[A-Za-z0-9._-]+$"
LONGEST_SESSION_ID: Final = 64

_HEADER: Final = HEADER.lower().encode()
_COOKIE: Final = re.compile(rf"(?:^|;)\s*{COOKIE}=([A-Za-z0-9._-]{{1,{LONGEST_SESSION_ID}}})\s*(?:;|$)".encode())
_GIVEN: Final = re.compile(rf"[A-Za-z0-9._-]{{1,{LONGEST_SESSION_ID}}}".encode())


class VisitorSession(NamedTuple):
    """Id of a session, and the ``Set-Cookie`` header of a new one."""

    session_id: str
    set_cookie: bytes | None = None


def given_session(scope: Scope) -> str | None:
    """Return the session that a request names, in the header before the cookie; None without a well-formed one."""
    cookie: str | None = None
    for name, value in scope["headers"]:
        if name == _HEADER and _GIVEN.fullmatch(value):
            return str(value, "ascii")
        if name == b"cookie" and (found := _COOKIE.search(value)):
            cookie = found[1].decode("ascii")
    return cookie


def session_of(scope: Scope, settings: ServingSettings) -> VisitorSession:
    """Return the session of a request, a new one if it names none."""
    given = given_session(scope)
    if given is not None:
        return VisitorSession(given)
    session_id = secrets.token_urlsafe(16)
    secure = "; Secure" if is_secure(scope, settings) else ""
    cookie = f"{COOKIE}={session_id}; Path=/api; HttpOnly; SameSite=Lax{secure}"
    return VisitorSession(session_id, cookie.encode())
