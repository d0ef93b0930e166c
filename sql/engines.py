"""Engines of the two databases: configured by URL, or the embedded PostgreSQL when no URL is set."""

import sqlalchemy
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from sql import embedded
from sql.settings import DatabaseSettings

DRIVERS = {
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "postgres": "postgresql+psycopg2",
    "postgresql": "postgresql+psycopg2",
}


class DatabaseUnavailable(RuntimeError):
    """A database cannot be used as configured; the message says which, why and what to check, never a password."""


def service_engine(url: str | None = None) -> Engine:
    """Engine of the service database (accounts, catalog)."""
    return _engine("service", url)


def warehouse_engine(url: str | None = None) -> Engine:
    """Engine of the warehouse (events, history, reports)."""
    return _engine("warehouse", url)


def check(engine: Engine, name: str) -> None:
    """Connect once, or raise :class:`DatabaseUnavailable` in one line that can be acted on."""
    try:
        with engine.connect():
            return
    except OperationalError as error:
        reason = " ".join(str(error.orig).split())
        where = engine.url.render_as_string(hide_password=True)
        raise DatabaseUnavailable(
            f"{name} database {where} refused the connection: {reason}. "
            f"Check that the server runs and UKOK_{name.upper()}_DB_URL."
        ) from None


def _engine(name: str, url: str | None) -> Engine:
    settings = DatabaseSettings()
    secret = settings.service_db_url if name == "service" else settings.warehouse_db_url
    configured = url or (secret.get_secret_value() if secret else None)
    try:
        parsed = make_url(configured or embedded.start(settings.var_dir)[name])
        parsed = parsed.set(drivername=DRIVERS.get(parsed.drivername, parsed.drivername))
        connect_args: dict[str, object] = {"connect_timeout": 10}
        if parsed.get_backend_name() in {"mysql", "mariadb"}:
            parsed = parsed.update_query_dict({"charset": "utf8mb4"})
            connect_args["init_command"] = "SET sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"
        return sqlalchemy.create_engine(
            parsed,
            isolation_level="READ COMMITTED",
            pool_pre_ping=True,
            connect_args=connect_args,
            hide_parameters=True,
        )
    except (ArgumentError, NoSuchModuleError) as error:
        # The text of ArgumentError may quote the URL with its password.
        kind = "names an unknown driver" if isinstance(error, NoSuchModuleError) else "is not a database URL"
        raise DatabaseUnavailable(
            f"UKOK_{name.upper()}_DB_URL {kind}: expected e.g. postgresql://user:password@host:5432/{name}"
        ) from None
