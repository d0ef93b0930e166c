"""End logins before their tokens expire, so that every process of the API learns it whatever its clock says.

Each revocation has a number from a counter whose row stays locked until the commit. Numbers therefore become visible in
their order: a process that has read up to a number misses none below it, however late a transaction commits.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select, update
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from sql.service.users import LoginRevision, LoginSession
from sql.upsert import chunks

# Clocks of two processes may differ by so much: revocations are kept for as long after their last token has expired.
CLOCK_SKEW = timedelta(hours=2)


class EndedLogin(NamedTuple):
    """A login that was ended, and when its last access token expires."""

    session_id: str
    access_until: datetime


def revoke(conn: Connection, logins: ColumnElement[bool], now: datetime) -> list[EndedLogin]:
    """End the logins among ``logins`` that are not over. The caller holds their account locked and commits soon."""
    query = select(LoginSession.session_id, LoginSession.access_until)
    ended = [EndedLogin(*row) for row in conn.execute(query.where(logins, LoginSession.revoked_at.is_(None)))]
    if ended:
        values = {"revoked_at": now, "revision": next_revision(conn)}
        for some in chunks([login.session_id for login in ended]):
            # By their key, because MariaDB locks every row that it looks at: whoever has the counter waits for no one.
            conn.execute(update(LoginSession).where(LoginSession.session_id.in_(some)).values(values))
    return ended


def next_revision(conn: Connection) -> int:
    """Count a revocation and return its number; other revocations wait until the transaction ends."""
    row = {"login_revision_id": 1, "revision": 1}
    following = LoginRevision.revision + 1
    if conn.dialect.name == "postgresql":
        statement = postgresql_insert(LoginRevision).values(row)
        conn.execute(
            statement.on_conflict_do_update(index_elements=["login_revision_id"], set_={"revision": following})
        )
    else:
        conn.execute(mysql_insert(LoginRevision).values(row).on_duplicate_key_update(revision=following))
    return conn.execute(select(LoginRevision.revision)).scalar_one()
