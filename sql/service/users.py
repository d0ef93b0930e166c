"""Accounts and their data: logins, search history, recipe ratings. Written by the API, and by ``ukok logs erase``."""

from datetime import datetime

from sqlalchemy import BigInteger, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from sql.service.base import MARIADB, ServiceBase
from sql.types import UtcDateTime


class User(ServiceBase):
    """An account. ``email`` is stored in lower case, which makes its unique key case-insensitive on every engine."""

    __tablename__ = "user_account"
    __table_args__ = ({"comment": "Accounts of the service", "info": {"grain": "one row per account"}, **MARIADB},)

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="Id of the account")
    email: Mapped[str] = mapped_column(String(320), unique=True, comment="Login name, lower case")
    username: Mapped[str] = mapped_column(String(100), comment="Name that the frontend shows")
    password_hash: Mapped[str] = mapped_column(String(255), comment="argon2id")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="Sign-up")
    email_verified_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime, comment="When a link that was mailed to the address was opened; NULL before"
    )


class LoginSession(ServiceBase):
    """A login session, from password to logout: the family of tokens issued for it."""

    __tablename__ = "login_session"
    __table_args__ = (
        {
            "comment": "Login sessions; rows without valid tokens may be deleted",
            "info": {"grain": "one row per login"},
            **MARIADB,
        },
    )

    session_id: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="Claim sid of its access tokens; SHA-256 of a token without that claim"
    )
    user_id: Mapped[int | None] = mapped_column(BigInteger, index=True, comment="NULL after the account is deleted")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="When the user logged in")
    access_until: Mapped[datetime] = mapped_column(UtcDateTime, comment="Expiry of its last access token")
    last_used_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime, comment="Latest refresh of its tokens; NULL before the first"
    )
    device: Mapped[str | None] = mapped_column(
        String(40), comment="Browser and system by the user agent, without versions; NULL when unknown"
    )
    revoked_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime,
        comment="Logout, reuse of a refresh token, new password or deletion of the account; NULL while valid",
    )
    revision: Mapped[int | None] = mapped_column(
        BigInteger, index=True, comment="Number of its revocation, in the order of commits; NULL while valid"
    )


class LoginRevision(ServiceBase):
    """Counter of revocations, locked until the transaction that revokes commits: numbers become visible in order."""

    __tablename__ = "login_revision"
    __table_args__ = (
        {
            "comment": "Number of the last revocation of logins; each process of the API reads what is newer",
            "info": {"grain": "at most one row"},
            **MARIADB,
        },
    )

    login_revision_id: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False, comment="Always 1"
    )
    revision: Mapped[int] = mapped_column(BigInteger, comment="Number of the last revocation")


class RefreshToken(ServiceBase):
    """A single-use token, exchanged for an access token and its successor."""

    __tablename__ = "refresh_token"
    __table_args__ = (
        {
            "comment": "Refresh tokens by their hash; rows past expires_at may be deleted",
            "info": {"grain": "one row per issued refresh token"},
            **MARIADB,
        },
    )

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True, comment="SHA-256 of the token, hex")
    session_id: Mapped[str] = mapped_column(String(64), index=True, comment="Login session that it extends")
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="When the token was issued")
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="End of validity")
    used_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime, comment="When it was first exchanged, by the clock of the database; a late second use is theft"
    )


class MailToken(ServiceBase):
    """A single-use token that was mailed to the address of an account, for one purpose; deleted when it is used."""

    __tablename__ = "mail_token"
    __table_args__ = (
        {
            "comment": "Tokens sent by mail, by their hash; rows past expires_at may be deleted",
            "info": {"grain": "one row per mail"},
            **MARIADB,
        },
    )

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True, comment="SHA-256 of the token, hex")
    user_id: Mapped[int] = mapped_column(BigInteger, index=True, comment="Account that it is of")
    purpose: Mapped[str] = mapped_column(String(20), comment="verify_email or reset_password")
    email: Mapped[str] = mapped_column(String(320), comment="Address that it was sent to; void for any other")
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="When the token was issued")
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="End of validity")


class ErasedUser(ServiceBase):
    """A deleted account, kept so that its late events are anonymised as well."""

    __tablename__ = "erased_user"
    __table_args__ = (
        {
            "comment": "Deleted accounts: no other table may hold these ids",
            "info": {"grain": "one row per deleted account"},
            **MARIADB,
        },
    )

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, comment="Never reused")
    erased_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="When the account was deleted")


class SearchHistory(ServiceBase):
    """A keyword that a user searched for in one of the services ``kok`` and ``home_shopping``."""

    __tablename__ = "search_history"
    __table_args__ = (
        {"comment": "Search keywords by user", "info": {"grain": "one row per saved keyword"}, **MARIADB},
    )

    search_history_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="Id that the API deletes by")
    user_id: Mapped[int] = mapped_column(BigInteger, index=True, comment="Account that searched")
    service: Mapped[str] = mapped_column(String(20), comment="kok or home_shopping")
    keyword: Mapped[str] = mapped_column(String(255), comment="Keyword")
    searched_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="When the keyword was saved")


class RecipeRating(ServiceBase):
    """The latest rating of a recipe by a user."""

    __tablename__ = "recipe_rating"
    __table_args__ = (
        {
            "comment": "Latest rating by user and recipe, 0 to 5",
            "info": {"grain": "one row per user and recipe"},
            **MARIADB,
        },
    )

    recipe_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, comment="Rated recipe")
    user_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, index=True, comment="Account that rated"
    )
    rating: Mapped[int] = mapped_column(SmallInteger, comment="0 to 5")
    rated_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="Latest rating")
