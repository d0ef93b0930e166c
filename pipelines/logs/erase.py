"""Erasure of deleted accounts: rows and events that were written during the deletion, or while a database was away.

The API removes what it finds at that moment. This step finds the rest, before events become facts and training data.
"""

from datetime import datetime

from sqlalchemy import Engine, select

from artifacts.store import Store
from pipelines.report import Report, record
from sql.service.erase import delete_rows, erase, forget_expired
from sql.service.users import ErasedUser, LoginSession, MailToken
from sql.upsert import chunks
from sql.warehouse.erase import anonymise

STEP = "erase_users"


def erase_users(service: Engine, warehouse: Engine, store: Store, *, now: datetime) -> Report:
    """Delete the rows of the users in ``erased_user`` and anonymise their events. Running it again changes nothing.

    Logins without a user are deleted after their last token has expired, and so are tokens that were mailed. The Report
    counts users as read and rows as written.
    """
    with record(warehouse, store, STEP) as report:
        with service.begin() as conn:
            user_ids = list(conn.scalars(select(ErasedUser.user_id).order_by(ErasedUser.user_id)))
            rows = sum(erase(conn, some, now) for some in chunks(user_ids))
            rows += forget_expired(conn, LoginSession.user_id.is_(None), now)
            rows += delete_rows(conn, MailToken.token_sha256, MailToken.expires_at <= now)
        with warehouse.begin() as conn:
            events = anonymise(conn, user_ids)
        report.read, report.written = len(user_ids), rows + events
        report.details |= {"service": rows, "warehouse": events}
    return report
