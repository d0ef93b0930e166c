"""What keeps guesses of passwords slow: counted attempts, and where the owner of an account logs in from."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from sql.service.base import MARIADB, ServiceBase
from sql.types import UtcDateTime

# How long a place is known, and kept, after the latest login from there.
KNOWN_FOR = timedelta(days=90)


class AttemptLimit(ServiceBase):
    """How far a limit of attempts is used up: for an account from an address, for an address, and so on."""

    __tablename__ = "attempt_limit"
    __table_args__ = (
        {
            "comment": "Attempts that are limited in number; rows that are free again may be deleted",
            "info": {"grain": "one row per limit and what it counts"},
            **MARIADB,
        },
    )

    limit_sha256: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="Keyed SHA-256 of the limit and of the account or address, hex"
    )
    free_at: Mapped[int] = mapped_column(
        BigInteger, index=True, comment="When all attempts are available again, in milliseconds since 1970"
    )


class LoginPlace(ServiceBase):
    """A browser or address from which the owner of an account logged in lately."""

    __tablename__ = "login_place"
    __table_args__ = (
        {
            "comment": "Browsers and addresses that an account was logged in from; the oldest are deleted",
            "info": {"grain": "one row per account and browser or address"},
            **MARIADB,
        },
    )

    user_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="Account that logged in"
    )
    place_sha256: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="Keyed SHA-256 of the cookie of the browser, or of the address, hex"
    )
    kind: Mapped[str] = mapped_column(String(10), comment="browser or address")
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="Latest login from there, to the day")
