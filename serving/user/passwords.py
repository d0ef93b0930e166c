"""Passwords: the rules for new ones, and hashes by argon2id."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Final

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from serving.web.errors import Unavailable

SHORTEST_PASSWORD, LONGEST_PASSWORD = 4, 200
BUSY: Final = "too many people log in right now"

# OWASP's first recommendation for argon2id: 19 MiB, two passes, one lane.
_hasher = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
# As many hashes at a time as there are cores, 19 MiB each. The others wait: no more than half of the threads that the
# endpoints share, since a flood of logins must leave some for the other routes.
AT_A_TIME: Final = os.cpu_count() or 1
MOST_WAITING: Final = 20
WAIT_SECONDS: Final = 5.0
_waiting = BoundedSemaphore(MOST_WAITING)
_hashing = BoundedSemaphore(AT_A_TIME)
_NOBODY = _hasher.hash("nobody has this password")


def check_rules(password: str, email: str | None, username: str | None) -> None:
    """Refuse a new password that is guessed first; ``ValueError`` says which rule it breaks."""
    if not password.strip():
        raise ValueError("the password must not be blank")
    folded = password.strip().casefold()
    if email is not None and folded in {email.casefold(), email.rpartition("@")[0].casefold()}:
        raise ValueError("the password must not be the e-mail address or what stands before its @")
    if username is not None and folded == username.casefold():
        raise ValueError("the password must not be the user name")


@contextmanager
def password_turn() -> Iterator[None]:
    """Wait for a turn to hash or check a password; 503 when too many wait, or for too long."""
    if not _waiting.acquire(blocking=False):
        raise Unavailable(BUSY)
    try:
        if not _hashing.acquire(timeout=WAIT_SECONDS):
            raise Unavailable(BUSY)
        try:
            yield
        finally:
            _hashing.release()
    finally:
        _waiting.release()


def hash_password(password: str) -> str:
    """Return the hash of a new password."""
    return _hasher.hash(password)


def check_password(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Return whether the password is right, and a new hash if the stored one has weaker parameters.

    An unknown user (``stored`` is None) takes the same time as a known one.
    """
    right, renewed = _hasher.verify_and_update(password, stored or _NOBODY)
    return right and stored is not None, renewed
