"""Accounts and what they leave: revoked tokens, search history, recipe ratings. Written by the serving API only."""

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


class RevokedToken(ServiceBase):
    """An access token that was logged out before it expired."""

    __tablename__ = "revoked_token"
    __table_args__ = (
        {"comment": "Tokens logged out before their expiry; rows past expires_at may be deleted", **MARIADB},
    )

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True, comment="SHA-256 of the token, hex")
    revoked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


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
