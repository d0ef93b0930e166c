"""Erasure of deleted accounts, and of what is kept of the others for some time only.

Rows and events of a deleted account may be written during the deletion, or while a database is away. The API removes
what it finds at that moment. This step finds the rest, before events become facts and training data.
"""

from datetime import datetime

from sqlalchemy import Engine, select

from artifacts.store import Store
from pipelines.report import Report, record
from sql.service.erase import delete_rows, erase, forget_expired, forget_expired_of, users_with_expired
from sql.service.users import ErasedUser, LoginSession, MailToken
from sql.upsert import chunks
from sql.warehouse.erase import anonymise

STEP = "erase_users"
# Accounts that are locked at a time: they cannot log in for as long as a transaction takes.
ACCOUNTS_AT_ONCE = 100


def erase_users(service: Engine, warehouse: Engine, store: Store, *, now: datetime) -> Report:
    """Delete the rows of the users in ``erased_user`` and anonymise their events. Running it again changes nothing.

    Logins, the places that they came from and tokens that were mailed are deleted when they have expired, of users who
    do not come back too. The Report counts users as read and rows as written.
    """
    with record(warehouse, store, STEP) as report:
        with service.connect() as conn:
            user_ids = list(conn.scalars(select(ErasedUser.user_id).order_by(ErasedUser.user_id)))
        rows = 0
        for some in chunks(user_ids):
            with service.begin() as conn:
                rows += erase(conn, some, now)
        rows += _delete_expired(service, now)
        with warehouse.begin() as conn:
            events = anonymise(conn, user_ids)
        report.read, report.written = len(user_ids), rows + events
        report.details |= {"service": rows, "warehouse": events}
    return report


def _delete_expired(service: Engine, now: datetime) -> int:
    """Delete what has expired, in transactions of its own: who revokes logins waits for no other rows (ADR 14)."""
    with service.begin() as conn:
        rows = forget_expired(conn, LoginSession.user_id.is_(None), now)
    with service.begin() as conn:
        rows += delete_rows(conn, MailToken.token_sha256, MailToken.expires_at <= now)
    with service.connect() as conn:
        user_ids = users_with_expired(conn, now)
    for some in chunks(user_ids, ACCOUNTS_AT_ONCE):
        with service.begin() as conn:
            rows += forget_expired_of(conn, some, now)
    return rows
