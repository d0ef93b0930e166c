"""Outages of a database server by the codes of its errors: what is wrong, and whether the connection is of any use.

A connection that answers may be unable to do its job: after a failover it leads to a server that takes no writes, or it
began while the server took none. It has to leave the pool, as one that was cut off.
"""

from typing import Final, NamedTuple

import psycopg2
import pymysql
from sqlalchemy.exc import DBAPIError


class Outage(NamedTuple):
    """What is wrong with a server, what to do about it, and whether connections to it are ``lost``."""

    problem: str
    advice: str
    lost: bool = False


READ_ONLY: Final = Outage(
    "takes no writes", "check that the address leads to the server that takes writes, then run it again", lost=True
)
STOPPING: Final = Outage("is stopping or starting", "run it again when the server runs", lost=True)
CONNECTIONS: Final = Outage("has no connection left", "end some, or raise the limit of the server, then run it again")
FULL: Final = Outage("has no space left", "free space on the disk of the server, then run it again")
MEMORY: Final = Outage("has no memory left", "look at the memory of the server, then run it again")
BUSY: Final = Outage("is busy with another transaction", "run it again")
DENIED: Final = Outage("denies its user a statement", "grant the user what it lacks, then run it again")

# SQLSTATE of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html), by class or in full.
_SQLSTATES: Final = {
    "08": STOPPING,
    "25006": READ_ONLY,
    "25P03": STOPPING,  # idle inside a transaction for too long
    "25P04": STOPPING,
    "40001": BUSY,
    "42501": DENIED,
    "40P01": BUSY,
    "53": MEMORY,
    "53100": FULL,
    "53300": CONNECTIONS,
    "55P03": BUSY,
    "57014": BUSY,  # a timeout of the statement
    "57P": STOPPING,
}
# Numbers of MariaDB (https://mariadb.com/kb/en/mariadb-error-code-reference/) and of its clients (from 2000 on).
_NUMBERS: Final = {
    **dict.fromkeys((1290, 1792, 1836), READ_ONLY),
    **dict.fromkeys((1053, 1077, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927), STOPPING),
    **dict.fromkeys((2002, 2003, 2006, 2013, 2014, 2045, 2055, 4031), STOPPING),
    **dict.fromkeys((1040, 1203, 1226), CONNECTIONS),
    **dict.fromkeys((1021, 1114), FULL),
    **dict.fromkeys((1037, 1038, 1041, 1135), MEMORY),
    **dict.fromkeys((1142, 1143, 1227, 1370), DENIED),
    **dict.fromkeys((1205, 1213, 1317, 1969), BUSY),
}
# psycopg2 gives no code where a connection is refused, nor PyMySQL where it reads what a server said as it closed one.
_TEXTS: Final = {
    "too many clients already": CONNECTIONS,
    "remaining connection slots are reserved": CONNECTIONS,
    "too many connections for": CONNECTIONS,
    "the database system is": STOPPING,
    "Packet sequence number wrong": STOPPING,
}


def outage_of(error: BaseException | None) -> Outage | None:
    """Return the outage that an error of SQLAlchemy or of a driver shows; None if it shows none that is known."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg2.Error | pymysql.err.Error):
        return None
    sqlstate = cause.pgcode if isinstance(cause, psycopg2.Error) else None
    if sqlstate is not None:
        return next((_SQLSTATES[code] for code in (sqlstate, sqlstate[:3], sqlstate[:2]) if code in _SQLSTATES), None)
    first = cause.args[0] if cause.args else None
    if isinstance(first, int):
        return _NUMBERS.get(first)
    return next((outage for text, outage in _TEXTS.items() if text in str(first)), None)


def one_line(error: DBAPIError) -> str:
    """Return which database failed, why, and what to do, in one line without the statement."""
    where = "; ".join(error.detail) or "database"
    reason = " ".join(str(error.orig).split())
    outage = outage_of(error)
    if outage:
        return f"{where}: the server {outage.problem}: {reason}; {outage.advice}"
    hint = "run `ukok db upgrade`" if "exist" in reason else "check that the server runs, then run it again"
    return f"{where}: {reason}; {hint}"
