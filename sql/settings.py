"""Location of the two databases."""

from pydantic import SecretStr

from ukok.settings import Settings


class DatabaseSettings(Settings):
    """Database URLs; without one, the embedded PostgreSQL under ``var_dir``."""

    service_db_url: SecretStr | None = None
    warehouse_db_url: SecretStr | None = None
