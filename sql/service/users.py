"""Accounts and what they leave: logins, search history, recipe ratings. Written by the serving API only."""

from datetime import datetime

from sqlalchemy import BigInteger, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from sql.service.base import MARIADB, ServiceBase
from sql.types import UtcDateTime


class User(ServiceBase):
    """One account. ``email`` is stored in lower case, which makes its unique key case-insensitive everywhere."""

    __tablename__ = "user_account"
    __table_args__ = ({"comment": "Accounts of the service", **MARIADB},)

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True, comment="Login name, lower case")
    username: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(255), comment="argon2id")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LoginSession(ServiceBase):
    """A login, from the password to the logout: the family of all tokens that came of it."""

    __tablename__ = "login_session"
    __table_args__ = ({"comment": "Logins; one without tokens that are still valid may be deleted", **MARIADB},)

    session_id: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="Claim sid of its access tokens; SHA-256 of a token that has none"
    )
    user_id: Mapped[int | None] = mapped_column(BigInteger, index=True, comment="NULL once the account is gone")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    access_until: Mapped[datetime] = mapped_column(
        UtcDateTime, comment="When the last of its access tokens has expired"
    )
    revoked_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime, index=True, comment="Logged out, token used twice, account gone"
    )


class RefreshToken(ServiceBase):
    """A token that is exchanged, once, for an access token and its own successor."""

    __tablename__ = "refresh_token"
    __table_args__ = ({"comment": "Refresh tokens by their hash; rows past expires_at may be deleted", **MARIADB},)

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True, comment="SHA-256 of the token, hex")
    session_id: Mapped[str] = mapped_column(String(64), index=True, comment="The login that it prolongs")
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime, comment="Exchanged for the next one; a second use is theft"
    )


class ErasedUser(ServiceBase):
    """Someone who deleted the account. Events that were on their way then are known by it."""

    __tablename__ = "erased_user"
    __table_args__ = ({"comment": "Accounts that their owners deleted: nothing else may hold these ids", **MARIADB},)

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, comment="Never given again")
    erased_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SearchHistory(ServiceBase):
    """A keyword that a user searched for, in one of the services ``kok`` and ``home_shopping``."""

    __tablename__ = "search_history"
    __table_args__ = ({"comment": "Search keywords by user", **MARIADB},)

    search_history_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger, index=True)
    service: Mapped[str] = mapped_column(String(20), comment="kok or home_shopping")
    keyword: Mapped[str] = mapped_column(String(255))
    searched_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RecipeRating(ServiceBase):
    """The latest rating of a recipe by a user."""

    __tablename__ = "recipe_rating"
    __table_args__ = ({"comment": "Latest rating by user and recipe, 0 to 5", **MARIADB},)

    recipe_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    rating: Mapped[int] = mapped_column(SmallInteger)
    rated_at: Mapped[datetime] = mapped_column(UtcDateTime)
