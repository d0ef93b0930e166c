"""Register of releases in the warehouse: since when the live one is live, and which one it replaced.

``CURRENT`` is changed first. A step that is killed before it has written the register leaves that behind, and the next
step that changes or watches releases writes it.
"""

from datetime import datetime

import structlog
from sqlalchemy import Engine, func, select, update

from artifacts import release as releases
from artifacts.store import Store
from sql.warehouse.steps import ReleaseRecord

log = structlog.get_logger(__name__)


def register_live(warehouse: Engine, version: str, now: datetime, replaced: str | None) -> None:
    """Register which release is live since ``now``, and which one it ``replaced`` unless it came back by a rollback."""
    with warehouse.begin() as conn:
        # Never before the one that it replaced, whose instant may be by a clock that is ahead of this one.
        newest = conn.scalar(select(func.max(ReleaseRecord.promoted_at)))
        values = {"promoted_at": max(now, newest or now), "replaced": replaced}
        conn.execute(update(ReleaseRecord).where(ReleaseRecord.version == version).values(values))


def align_registry(warehouse: Engine, store: Store, now: datetime) -> str | None:
    """Register the live release if whatever made it live was killed before it did; return its version.

    It was a promotion if the release that is registered last is the one before it, else a rollback.
    """
    live = releases.current(store)
    registered = _registered(warehouse)
    if live is None or live in registered:
        return live
    before = releases.previous(store)
    replaced = before if before in registered else None
    log.warning("release_registered_late", version=live, replaced=replaced)
    register_live(warehouse, live, now, replaced)
    return live


def register_rollback(warehouse: Engine, version: str, now: datetime) -> None:
    """Register the release that a rollback has made live, unless it is so already: the rollback was of its canary."""
    if _registered(warehouse) != {version}:
        register_live(warehouse, version, now, replaced=None)


def _registered(warehouse: Engine) -> set[str]:
    """The release that was registered last; several if these were at the same instant."""
    newest = select(func.max(ReleaseRecord.promoted_at)).scalar_subquery()
    with warehouse.connect() as conn:
        return set(conn.scalars(select(ReleaseRecord.version).where(ReleaseRecord.promoted_at == newest)))
