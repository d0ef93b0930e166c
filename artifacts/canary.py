"""Canary: a release that is served to a share of the visitors, beside the live one, to compare the two.

``releases/CANARY`` names it while it runs. Whoever promotes it changes ``CURRENT`` first and removes ``CANARY`` last: a
reader who reads them in the other order never finds the canary gone and the release before it live.
"""

import hashlib
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from artifacts.errors import Conflict, NotFound
from artifacts.names import Version
from artifacts.release import CorruptRelease, current, named_by_current, rolling_back
from artifacts.store import Store

CANARY: Final = "releases/CANARY"
_BUCKETS: Final = 2**64


class Canary(BaseModel):
    """Content of ``CANARY``: the release, the live one that it is compared with, its share of visitors, its start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Version
    baseline: Version
    share: float = Field(gt=0, lt=1)
    since: AwareDatetime

    def includes(self, visitor: str) -> bool:
        """Whether a visitor is served the canary: the same everywhere, and a larger share only adds visitors.

        The version is hashed too, so that it is not always the same visitors who get what is new.
        """
        digest = hashlib.blake2b(f"{self.version}\n{visitor}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) < self.share * _BUCKETS


def read_canary(store: Store) -> Canary | None:
    """Read the running canary, None without one; :class:`~artifacts.release.CorruptRelease` if it is unreadable."""
    return _read(store)[0]


def start_canary(store: Store, canary: Canary) -> Canary:
    """Start a canary, or change the share of a running one, which begins its comparison again; return what runs.

    Raises :class:`~artifacts.errors.Conflict` if its baseline is not live or another canary runs.
    """
    live = current(store)
    if live != canary.baseline:
        raise Conflict(f"the live release is {live}, not {canary.baseline}: start the canary again")
    try:
        running, etag = _read(store)
    except CorruptRelease:
        running, etag = None, store.get_versioned(CANARY)[1]
    if running and running.version != canary.version and running.baseline == live:
        raise Conflict(f"{running.version} is the canary already: `ukok release rollback` ends it")
    if running and running.model_copy(update={"since": canary.since}) == canary:
        return running
    store.put_if(CANARY, canary.model_dump_json().encode(), etag)
    return canary


def end_canary(store: Store) -> None:
    """Remove ``CANARY``, readable or not; without one nothing is done."""
    store.delete(CANARY)


def roll_back_canary(store: Store) -> bool:
    """End a canary, readable or not; False if there is none. Killed and repeated, the live release stays live."""
    if not store.exists(CANARY):
        return False
    with rolling_back(store):
        end_canary(store)
    return True


def named_versions(store: Store) -> set[str]:
    """Versions that are served, may be rolled back to or are compared: those of ``CURRENT`` and of ``CANARY``."""
    canary = read_canary(store)
    return named_by_current(store) | ({canary.version, canary.baseline} if canary else set())


def _read(store: Store) -> tuple[Canary | None, str | None]:
    try:
        data, etag = store.get_versioned(CANARY)
    except NotFound:
        return None, None
    try:
        return Canary.model_validate_json(data), etag
    except ValueError:
        raise CorruptRelease(f"{CANARY} is not readable: `ukok release rollback` removes it") from None
