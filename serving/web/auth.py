"""Who is asking: access tokens, and the set of logins that were ended."""

import hashlib
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from sqlalchemy import Engine, select

from serving.web.clock import Clock
from serving.web.errors import Unavailable, unauthorized
from sql.service.users import LoginSession
from sql.types import LARGEST_ID

ALGORITHM = "HS256"
CACHED_TOKENS = 20_000
LONGEST_TOKEN = 2048
LATEST_EXPIRY = 253_402_300_799  # the end of the year 9999, the last that a datetime can tell
SESSION_ID = re.compile(r"[0-9a-f]{32,64}")
# Transactions that revoke are short; one that committed late is still seen by the next looks.
OVERLAP = timedelta(seconds=60)
# Without a successful look for this long nobody can know who was logged out elsewhere.
STALE_AFTER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Identity:
    """The user of a verified token, and the login that it came of."""

    user_id: int
    expires_at: float
    session_id: str


class Tokens:
    """Issues and verifies access tokens; a verified one is remembered until it expires."""

    def __init__(self, secret: str, lifetime: timedelta, clock: Clock) -> None:
        self.lifetime = lifetime
        self._key = OctKey.import_key(secret)
        self._clock = clock
        self._verified: dict[str, Identity] = {}

    def issue(self, user_id: int, session_id: str | None = None) -> str:
        """Make a token of the login ``session_id``, or of one of its own.

        The frontend reads the payload by plain base64, so the claims are ASCII without ``>``, ``?`` and ``~``: then no
        ``-`` and no ``_`` is in it, wherever in the payload they stand.
        """
        now = self._clock()
        claims = {
            "sub": str(user_id),
            "iat": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
            "jti": uuid.uuid4().hex,
            "sid": session_id or uuid.uuid4().hex,
        }
        return jwt.encode({"alg": ALGORITHM}, claims, self._key)

    def verify(self, token: str) -> Identity | None:
        """Identity of a token that we signed and that has not expired."""
        identity = self._verified.get(token)
        if identity is None:
            identity = self._decode(token)
            if identity is None:
                return None
            if len(self._verified) >= CACHED_TOKENS:
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
        # A token that names no login is one by itself.
        session_id = claims.get("sid", hashlib.sha256(token.encode()).hexdigest())
        if not isinstance(session_id, str) or not SESSION_ID.fullmatch(session_id):
            return None
        return Identity(int(subject), expires_at, session_id)


class Revocations:
    """The logins that were ended while their tokens were valid, in memory; whoever ends one adds it, polling finds
    those of the other processes.

    When the table cannot be read the set is not to be relied on, and ``fresh`` says so.
    """

    def __init__(self, engine: Engine, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._monotonic = monotonic
        self._until: dict[str, datetime] = {}
        self._newest: datetime | None = None
        self._refreshed_at = float("-inf")

    @property
    def fresh(self) -> bool:
        """Whether the last look at the table succeeded and was a moment ago."""
        return self._monotonic() - self._refreshed_at < STALE_AFTER_SECONDS

    def __contains__(self, identity: Identity) -> bool:
        return identity.session_id in self._until

    def refresh(self) -> None:
        """Read what was revoked since the last look; ``SQLAlchemyError`` leaves the set stale."""
        now = self._clock()
        columns = (LoginSession.session_id, LoginSession.revoked_at, LoginSession.access_until)
        query = select(*columns).where(LoginSession.revoked_at.is_not(None), LoginSession.access_until > now)
        if self._newest is not None:
            query = query.where(LoginSession.revoked_at > self._newest - OVERLAP)
        try:
            with self._engine.connect() as conn:
                rows = conn.execute(query).all()
        except BaseException:
            self._refreshed_at = float("-inf")
            raise
        for session_id, revoked_at, access_until in rows:
            self._until[session_id] = access_until
            self._newest = max(filter(None, (self._newest, revoked_at)))
        for session_id in [session_id for session_id, until in list(self._until.items()) if until <= now]:
            del self._until[session_id]
        self._refreshed_at = self._monotonic()

    def add(self, session_id: str, access_until: datetime) -> None:
        """Refuse the tokens of a login from now on, once its end is committed."""
        self._until[session_id] = access_until


class Authenticator:
    """Turns an ``Authorization`` header into an identity."""

    def __init__(self, tokens: Tokens, revocations: Revocations) -> None:
        self.tokens = tokens
        self.revocations = revocations

    def optional(self, header: str | None) -> Identity | None:
        """The user, or None for anyone whose token cannot be relied on right now."""
        identity = self._verify(header)
        if identity is None or identity in self.revocations or not self.revocations.fresh:
            return None
        return identity

    def required(self, header: str | None) -> Identity:
        """The user; 401 without a valid token, 503 while it cannot be known who was logged out."""
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
