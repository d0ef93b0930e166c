"""Settings of the API."""

from typing import Annotated, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import NoDecode

from serving.web.errors import StartupError
from sql.settings import DatabaseSettings
from ukok.settings import Settings, parse_list

DEVELOPMENT_SECRET = "for-development-only-not-a-secret"  # noqa: S105 - good for the embedded database alone
# A stolen token stays valid, and a revoked session is remembered, for that long.
MOST_MINUTES = 30 * 24 * 60
MOST_DAYS = 365
MOST_LOGIN_DAYS = 3650
# Changes must show within five seconds; revocations older than ten seconds are not trusted.
MOST_POLL_SECONDS = 4
SMTP_PORTS = {"smtp": 587, "smtps": 465}


class SmtpServer(NamedTuple):
    """A mail server. Without ``implicit_tls`` a connection that leaves this machine is encrypted by STARTTLS."""

    host: str
    port: int
    user: str
    password: str
    implicit_tls: bool


def parse_smtp_url(url: str) -> SmtpServer:
    """Parse ``smtp://`` or ``smtps://``; the error does not repeat it, as it may hold a password."""
    refused = ValueError("UKOK_SMTP_URL is no URL such as smtp://user:password@host:587 or smtps://user:password@host")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise refused from None
    if parts.scheme not in SMTP_PORTS or not parts.hostname:
        raise refused
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return SmtpServer(parts.hostname, port or SMTP_PORTS[parts.scheme], user, password, parts.scheme == "smtps")


class ServingSettings(Settings):
    """Settings of the API; databases and artifacts have their own."""

    environment: Literal["development", "production"] = "development"
    secret_key: SecretStr = SecretStr(DEVELOPMENT_SECRET)
    access_token_minutes: int = Field(default=60, ge=1, le=MOST_MINUTES)
    refresh_token_days: int = Field(default=14, ge=1, le=MOST_DAYS)
    login_days: int = Field(default=90, ge=1, le=MOST_LOGIN_DAYS, description="A login ends then, however often used")
    poll_seconds: float = Field(
        default=1.0,
        gt=0,
        le=MOST_POLL_SECONDS,
        description="Poll interval for data, releases and revoked sessions",
    )
    cors_origins: Annotated[list[str], NoDecode, BeforeValidator(parse_list)] = Field(
        default=[], description="Origins other than its own that may call the API, e.g. https://shop.example.com"
    )

    mailer: Literal["off", "console", "smtp"] = "off"
    smtp_url: SecretStr | None = Field(default=None, description="e.g. smtps://user:password@host:465")
    mail_from: str | None = Field(default=None, pattern=r"^[^\r\n]*@[^\r\n]+$", description="Sender of mails")
    site_url: str | None = Field(
        default=None, pattern=r"^https?://\S+$", description="Where the pages of the frontend are that mails link to"
    )

    @model_validator(mode="after")
    def _check_mailer(self) -> "ServingSettings":
        if self.mailer == "console" and self.environment == "production":
            raise ValueError("UKOK_MAILER is console, which prints secret links: in production set it to smtp or off")
        if self.mailer == "smtp":
            missing = [name for name in ("smtp_url", "mail_from", "site_url") if getattr(self, name) is None]
            if missing:
                raise ValueError("UKOK_MAILER is smtp, which needs " + ", ".join(f"UKOK_{n}".upper() for n in missing))
        if self.smtp_url is not None:
            parse_smtp_url(self.smtp_url.get_secret_value())
        return self

    @model_validator(mode="after")
    def _check_secret(self) -> "ServingSettings":
        secret = self.secret_key.get_secret_value()
        if secret == DEVELOPMENT_SECRET and (self.environment == "production" or _has_servers()):
            raise ValueError("UKOK_SECRET_KEY is the development default: set a random one of 32 characters or more")
        if len(secret.strip()) < 32:
            raise ValueError("UKOK_SECRET_KEY is shorter than 32 characters, spaces around it aside: set a random one")
        return self


def _has_servers() -> bool:
    """Whether a database is a server's, and not the embedded one of somebody who tries the project out."""
    databases = DatabaseSettings()
    return databases.service_db_url is not None or databases.warehouse_db_url is not None


def read_settings() -> ServingSettings:
    """Read the environment and ``.env``; raise :class:`StartupError` in one line without the values."""
    try:
        return ServingSettings()
    except ValidationError as error:
        problems = ("/".join(f"UKOK_{part}".upper() for part in e["loc"]) + " " + e["msg"] for e in error.errors())
        raise StartupError("settings: " + "; ".join(problem.strip() for problem in problems)) from None
