"""Clock of a database, for what several machines compare within seconds."""

from datetime import datetime

from sqlalchemy import Connection, func, select, type_coerce

from sql.types import UtcDateTime


def database_now(conn: Connection) -> datetime:
    """Return the present time of the database server, not that of the transaction's start."""
    moment = func.clock_timestamp() if conn.dialect.name == "postgresql" else func.utc_timestamp(6)
    return conn.execute(select(type_coerce(moment, UtcDateTime))).scalar_one()
