"""Who is asking: access tokens, and the set of those that were logged out."""

import hashlib
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException

from serving.common.clock import Clock
from serving.common.errors import Unavailable
from sql.service.users import RevokedToken

log = structlog.get_logger()

ALGORITHM = "HS256"
CACHED_TOKENS = 20_000
LONGEST_TOKEN = 2048
# Transactions that revoke are short; one that committed late is still seen by the next looks.
OVERLAP = timedelta(seconds=60)
# Without a successful look for this long nobody can know who was logged out elsewhere.
STALE_AFTER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Identity:
    """The user of a verified token."""

    user_id: int
    expires_at: float
    token_sha256: str


class Tokens:
    """Issues and verifies access tokens; a verified one is remembered until it expires."""

    def __init__(self, secret: str, lifetime: timedelta, clock: Clock) -> None:
        self._key = OctKey.import_key(secret)
        self._lifetime = lifetime
        self._clock = clock
        self._verified: dict[str, Identity] = {}

    def issue(self, user_id: int) -> str:
        """Make a token. The frontend reads its payload by plain base64, so the claims are digits and hex only."""
        now = self._clock()
        claims = {
            "sub": str(user_id),
            "iat": int(now.timestamp()),
            "exp": int((now + self._lifetime).timestamp()),
            "jti": uuid.uuid4().hex,
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
        return Identity(int(subject), expires_at, hashlib.sha256(token.encode()).hexdigest())


class Revocations:
    """The tokens that were logged out, in memory; written through at logout and refreshed by polling.

    When the table cannot be read the set is not to be relied on, and ``fresh`` says so.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._until: dict[str, datetime] = {}
        self._newest: datetime | None = None
        self._refreshed_at = float("-inf")

    @property
    def fresh(self) -> bool:
        """Whether the last look at the table succeeded and was a moment ago."""
        return time.monotonic() - self._refreshed_at < STALE_AFTER_SECONDS

    def __contains__(self, identity: Identity) -> bool:
        return identity.token_sha256 in self._until

    def refresh(self) -> None:
        """Read what was revoked since the last look; ``SQLAlchemyError`` leaves the set stale."""
        now = self._clock()
        query = select(RevokedToken.token_sha256, RevokedToken.revoked_at, RevokedToken.expires_at)
        query = query.where(RevokedToken.expires_at > now)
        if self._newest is not None:
            query = query.where(RevokedToken.revoked_at > self._newest - OVERLAP)
        try:
            with self._engine.connect() as conn:
                rows = conn.execute(query).all()
        except BaseException:
            self._refreshed_at = float("-inf")
            raise
        for digest, revoked_at, expires_at in rows:
            self._until[digest] = expires_at
            self._newest = max(self._newest or revoked_at, revoked_at)
        for digest in [digest for digest, expires_at in list(self._until.items()) if expires_at <= now]:
            del self._until[digest]
        self._refreshed_at = time.monotonic()

    def revoke(self, identity: Identity) -> None:
        """Log a token out: committed first, then at once in this process, within a poll in the others."""
        expires_at = datetime.fromtimestamp(identity.expires_at, tz=self._clock().tzinfo)
        row = {"token_sha256": identity.token_sha256, "revoked_at": self._clock(), "expires_at": expires_at}
        try:
            with self._engine.begin() as conn:
                conn.execute(insert(RevokedToken), row)
        except IntegrityError:
            log.info("token_already_revoked", user_id=identity.user_id)
        self._until[identity.token_sha256] = expires_at


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
            raise HTTPException(401, "log in first", headers={"WWW-Authenticate": "Bearer"})
        if not self.revocations.fresh:
            raise Unavailable("logins cannot be checked right now")
        return identity

    def _verify(self, header: str | None) -> Identity | None:
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        return self.tokens.verify(token.strip()) if scheme.lower() == "bearer" else None
