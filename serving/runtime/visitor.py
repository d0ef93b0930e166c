"""Who a request comes from, as far as a canary is concerned: the user, else the session of an anonymous visitor."""

from starlette.types import Scope

from serving.web.auth import Authenticator
from serving.web.visitor_session import given_session


def visitor_of(scope: Scope, auth: Authenticator) -> str | None:
    """Return the name of the visitor, None without a valid token and without a session.

    It is the author of the events that the request records, except that a session which begins with it is not named.
    """
    header = next((value for name, value in scope["headers"] if name == b"authorization"), None)
    identity = auth.optional(header.decode("latin-1") if header is not None else None)
    if identity is not None:
        return f"user:{identity.user_id}"
    session_id = given_session(scope)
    return f"session:{session_id}" if session_id else None
