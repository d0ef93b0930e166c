"""Authentication: access tokens, and the logins that were revoked."""

import base64
import hashlib
import hmac
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from sqlalchemy import Connection, Engine, select

from serving.web.clock import Clock
from serving.web.errors import Unavailable, unauthorized
from sql.service.revocation import CLOCK_SKEW
from sql.service.users import LoginRevision, LoginSession
from sql.types import LARGEST_ID

ALGORITHM = "HS256"
CACHED_TOKENS = 20_000
LONGEST_TOKEN = 2048
LATEST_EXPIRY = 253_402_300_799  # the end of the year 9999, the last that a datetime can hold
SESSION_ID = re.compile(r"[0-9a-f]{32,64}")
# Without a successful refresh for this long, logins that other processes ended are unknown.
STALE_AFTER_SECONDS = 10.0
# So seldom, because it looks at every login that is held.
FORGET_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Identity:
    """The user and the login of a verified token."""

    user_id: int
    expires_at: float
    session_id: str


class Tokens:
    """Issues and verifies access tokens; verified ones are cached until they expire."""

    def __init__(self, secret: str, lifetime: timedelta, clock: Clock, max_cached: int = CACHED_TOKENS) -> None:
        self.lifetime = lifetime
        self._secret = secret.encode()
        self._key = OctKey.import_key(secret)
        self._clock = clock
        self._max_cached = max_cached
        self._verified: dict[str, Identity] = {}

    def issue(self, user_id: int, session_id: str | None = None, until: datetime | None = None) -> str:
        """Issue a token of the login ``session_id``, by default of a new one, that expires after its lifetime.

        It expires at ``until`` instead if that is given.

        The frontend decodes the payload as plain base64, so the claims are ASCII without ``>``, ``?`` and ``~``: these
        alone would be encoded with ``-`` and ``_``.
        """
        now = self._clock()
        claims = {
            "sub": str(user_id),
            "iat": int(now.timestamp()),
            "exp": int((until or now + self.lifetime).timestamp()),
            "jti": uuid.uuid4().hex,
            "sid": session_id or uuid.uuid4().hex,
        }
        return jwt.encode({"alg": ALGORITHM}, claims, self._key)

    def successor(self, refresh_token: str) -> str:
        """Return the token that a refresh token is exchanged for: always the same, and unknown without the key."""
        digest = hmac.digest(self._secret, b"successor of " + refresh_token.encode(), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def verify(self, token: str) -> Identity | None:
        """Return the identity of a token, None if it is not signed by this key or has expired."""
        identity = self._verified.get(token)
        if identity is None:
            identity = self._decode(token)
            if identity is None:
                return None
            if len(self._verified) >= self._max_cached:
                self._verified.pop(next(iter(self._verified)), None)
            self._verified[token] = identity
        if identity.expires_at <= self._clock().timestamp():
            self._verified.pop(token, None)
            return None
        return identity

    def _decode(self, token: str) -> Identity | None:
        if len(token) > LONGEST_TOKEN:
            return None
        try:
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError):
            return None
        subject, expires_at = claims.get("sub"), claims.get("exp")
        if not isinstance(subject, str) or not subject.isdecimal() or type(expires_at) is not int:
            return None
        if int(subject) > LARGEST_ID or not 0 <= expires_at <= LATEST_EXPIRY:
            return None
        # A token without a session id is a login of its own.
        session_id = claims.get("sid", hashlib.sha256(token.encode()).hexdigest())
        if not isinstance(session_id, str) or not SESSION_ID.fullmatch(session_id):
            return None
        return Identity(int(subject), expires_at, session_id)


class Revocations:
    """In-memory set of logins that were ended before their tokens expired.

    This process adds those that it ends, and :meth:`refresh` finds those of other processes by their numbers. While the
    table cannot be read, ``fresh`` soon becomes False: the set may be incomplete.
    """

    def __init__(self, engine: Engine, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._monotonic = monotonic
        self._until: dict[str, datetime] = {}
        self._newest = 0
        self._refreshed_at = float("-inf")
        self._forgot_at = float("-inf")

    @property
    def fresh(self) -> bool:
        """Whether a refresh succeeded within the last ten seconds."""
        return self._monotonic() - self._refreshed_at < STALE_AFTER_SECONDS

    def __contains__(self, identity: Identity) -> bool:
        return identity.session_id in self._until

    def refresh(self) -> None:
        """Read the logins revoked since the last refresh, and forget those whose tokens no process accepts."""
        began = self._monotonic()
        forgotten = self._clock() - CLOCK_SKEW
        with self._engine.connect() as conn:
            newest = conn.scalar(select(LoginRevision.revision)) or 0
            if newest < self._newest:
                # The database was restored from a backup: its numbers begin anew from there.
                self._newest = 0
            if newest > self._newest:
                self._newest = self._read(conn, forgotten, newest)
        if began - self._forgot_at >= FORGET_SECONDS:
            self._forgot_at = began
            for session_id in [session_id for session_id, until in list(self._until.items()) if until <= forgotten]:
                del self._until[session_id]
        self._refreshed_at = began

    def add(self, session_id: str, access_until: datetime) -> None:
        """Refuse the tokens of a login from now on; call it after its end is committed."""
        self._until[session_id] = max(access_until, self._until.get(session_id, access_until))

    def _read(self, conn: Connection, forgotten: datetime, newest: int) -> int:
        """Read what was revoked since, up to the number ``newest`` at least; return the newest number that was read."""
        columns = (LoginSession.session_id, LoginSession.access_until, LoginSession.revision)
        newer = (LoginSession.revision > self._newest, LoginSession.access_until > forgotten)
        for session_id, access_until, revision in conn.execute(select(*columns).where(*newer)).all():
            self._until[session_id] = access_until
            newest = max(newest, revision or 0)
        return newest


class Authenticator:
    """Resolves ``Authorization`` headers to identities."""

    def __init__(self, tokens: Tokens, revocations: Revocations) -> None:
        self.tokens = tokens
        self.revocations = revocations

    def optional(self, header: str | None) -> Identity | None:
        """Return the user, None without a valid token or while revoked logins are unknown."""
        identity = self._verify(header)
        if identity is None or identity in self.revocations or not self.revocations.fresh:
            return None
        return identity

    def required(self, header: str | None) -> Identity:
        """Return the user; 401 without a valid token, 503 while revoked logins are unknown."""
        identity = self._verify(header)
        if identity is None or identity in self.revocations:
            raise unauthorized("log in first")
        if not self.revocations.fresh:
            raise Unavailable("logins cannot be checked right now")
        return identity

    def _verify(self, header: str | None) -> Identity | None:
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        return self.tokens.verify(token.strip()) if scheme.lower() == "bearer" else None
