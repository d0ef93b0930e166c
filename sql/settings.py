"""Where the two databases are."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseSettings):
    """Database URLs; a missing URL means the embedded PostgreSQL under ``var_dir``."""

    model_config = SettingsConfigDict(env_prefix="UKOK_", env_file=".env", extra="ignore")

    service_db_url: SecretStr | None = None
    warehouse_db_url: SecretStr | None = None
    var_dir: Path = Path("var")
