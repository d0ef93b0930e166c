"""Settings of the API."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import NoDecode

from serving.web.errors import StartupError
from sql.settings import DatabaseSettings
from ukok.settings import Settings, parse_list

DEVELOPMENT_SECRET = "for-development-only-not-a-secret"  # noqa: S105 - good for the embedded database alone
# A stolen token stays valid, and a revoked session is remembered, for that long.
MOST_MINUTES = 30 * 24 * 60
MOST_DAYS = 365
# Changes must show within five seconds; revocations older than ten seconds are not trusted.
MOST_POLL_SECONDS = 4


class ServingSettings(Settings):
    """Settings of the API; databases and artifacts have their own."""

    environment: Literal["development", "production"] = "development"
    secret_key: SecretStr = SecretStr(DEVELOPMENT_SECRET)
    access_token_minutes: int = Field(default=60, ge=1, le=MOST_MINUTES)
    refresh_token_days: int = Field(default=14, ge=1, le=MOST_DAYS)
    poll_seconds: float = Field(
        default=1.0,
        gt=0,
        le=MOST_POLL_SECONDS,
        description="Poll interval for data, releases and revoked sessions",
    )
    cors_origins: Annotated[list[str], NoDecode, BeforeValidator(parse_list)] = Field(
        default=[], description="Origins other than its own that may call the API, e.g. https://shop.example.com"
    )

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
