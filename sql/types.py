"""Column types with the same meaning on PostgreSQL and MariaDB."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import DateTime, Dialect, Interval
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine

# Largest value of a BIGINT.
LARGEST_ID = 2**63 - 1


class UtcDateTime(TypeDecorator[datetime]):
    """An instant with microseconds: takes aware datetimes, returns aware ones in UTC.

    Naive values raise ``ValueError``: MariaDB stores any wall time as it is, nine hours wrong in Korea.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: pass an aware one, e.g. datetime(..., tzinfo=UTC)")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name in {"mysql", "mariadb"} else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def coerce_compared_value(self, op: OperatorType | None, value: object) -> TypeEngine[Any]:
        """Treat a ``timedelta`` in an expression as an interval, anything else as an instant."""
        return Interval() if isinstance(value, timedelta) else self
