"""The running canary, and what was last decided about it."""

from datetime import datetime

from sqlalchemy import Connection, Row, select

from artifacts.canary import Canary, read_canary
from artifacts.errors import StoreError
from artifacts.store import Store
from pipelines.status.databases import DatabasePart, one_line
from pipelines.status.schemas import CanaryStatus
from sql.warehouse.steps import ReleaseWatch


def canary_status(store: Store, warehouse: DatabasePart) -> tuple[CanaryStatus | None, str | None]:
    """Read the running canary, None if there is none, and why it cannot be read."""
    try:
        canary = read_canary(store)
    except (StoreError, OSError) as error:
        return None, one_line(error)
    if canary is None:
        return None, None
    last = warehouse.read(lambda conn: _last_decision(conn, canary))
    decided = {"watched_at": last.watched_at, "decision": last.decision, "reason": last.reason} if last else {}
    return CanaryStatus(**canary.model_dump(), **decided), None


def _last_decision(conn: Connection, canary: Canary) -> Row[datetime, str, str] | None:
    columns = (ReleaseWatch.watched_at, ReleaseWatch.decision, ReleaseWatch.reason)
    of_canary = select(*columns).where(ReleaseWatch.version == canary.version, ReleaseWatch.since == canary.since)
    return conn.execute(of_canary.order_by(ReleaseWatch.watched_at.desc()).limit(1)).one_or_none()
