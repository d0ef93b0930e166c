"""Engines of the two databases: configured by URL, or the embedded PostgreSQL when no URL is set."""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg2
import sqlalchemy
from psycopg2.extensions import make_dsn
from pymysql.connections import Connection as MariaConnection
from sqlalchemy import URL, Engine, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError

from sql import embedded
from sql.errors import DatabaseMisconfigured, DatabaseUnavailable
from sql.outages import outage_of
from sql.settings import DatabaseSettings

DRIVERS = {
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "postgres": "postgresql+psycopg2",
    "postgresql": "postgresql+psycopg2",
}
# Drivers of each database. The warehouse needs COPY and other features of PostgreSQL.
USABLE = {"service": frozenset(DRIVERS.values()), "warehouse": frozenset({"postgresql+psycopg2"})}
LARGEST_PORT = 65_535
LOCK_SECONDS = 600  # for which a batch step waits for rows that another one is writing
# Parts of the messages with which a server that runs refuses a connection for good.
REFUSALS = ("authentication failed", "no pg_hba.conf entry", "does not exist", "Access denied", "Unknown database")


def service_engine(url: str | None = None, *, silence_seconds: int | None = None) -> Engine:
    """Return an engine of the service database (accounts, catalog).

    A connection without an answer for ``silence_seconds`` fails; without them it waits, as batch steps need.
    """
    return _engine("service", url, silence_seconds)


def warehouse_engine(url: str | None = None, *, silence_seconds: int | None = None) -> Engine:
    """Return an engine of the warehouse (events, history, reports); see :func:`service_engine`."""
    return _engine("warehouse", url, silence_seconds)


def check(engine: Engine, name: str) -> None:
    """Connect once, or raise :class:`DatabaseUnavailable` with the reason in one line."""
    try:
        with engine.connect():
            return
    except (OperationalError, InterfaceError) as error:
        reason = " ".join(str(error.orig).split())
        where = shown_url(engine.url)
        refused = any(refusal in reason for refusal in REFUSALS)
        raise (DatabaseMisconfigured if refused else DatabaseUnavailable)(
            f"{name} database {where} refused the connection: {reason}. "
            f"Check that the server runs and UKOK_{name.upper()}_DB_URL."
        ) from None


def shown_url(url: URL) -> str:
    """Return a URL for messages: an option after the ? may be a password too."""
    return url.set(query={}).render_as_string(hide_password=True)


def _engine(name: str, configured: str | None, silence_seconds: int | None) -> Engine:
    url = _url(name, configured)
    connect_args: dict[str, Any] = {"connect_timeout": 10}
    if url.get_backend_name() == "postgresql":
        connect_args |= _postgres_limits(silence_seconds) if silence_seconds else {}
    else:
        init = "SET sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"
        connect_args["init_command"] = init if silence_seconds else f"{init}, innodb_lock_wait_timeout = {LOCK_SECONDS}"
        connect_args |= {"read_timeout": silence_seconds, "write_timeout": silence_seconds} if silence_seconds else {}
    try:
        engine = sqlalchemy.create_engine(
            url, isolation_level="READ COMMITTED", pool_pre_ping=True, connect_args=connect_args, hide_parameters=True
        )
        _check_options(engine)
        _handle_errors(engine, name)
    except (TypeError, ValueError, ArgumentError, psycopg2.ProgrammingError):
        raise _refused(name, "has an option after the ? that its driver does not know") from None
    return engine


def _handle_errors(engine: Engine, name: str) -> None:
    """Let connections that are of no use leave the pool, and add to every error which database and setting it is of."""
    where = shown_url(engine.url)

    @sqlalchemy.event.listens_for(engine, "handle_error")
    def _(context: ExceptionContext) -> OperationalError | None:
        outage = outage_of(context.original_exception)
        # Before the next transaction, every connection of the pool is made anew.
        context.is_disconnect = context.is_disconnect or (outage is not None and outage.lost)
        error = context.sqlalchemy_exception
        if not isinstance(error, DBAPIError):
            return None
        replaced = None
        if (outage or context.is_disconnect) and not isinstance(error, OperationalError):
            # Drivers count some outages as errors of the program.
            error = replaced = OperationalError(
                error.statement, error.params, context.original_exception, hide_parameters=error.hide_parameters
            )
        error.connection_invalidated = context.is_disconnect
        error.add_detail(f"{name} database, UKOK_{name.upper()}_DB_URL, {where}")
        return replaced


@contextmanager
def driver_connection(engine: Engine) -> Iterator[Any]:
    """Yield a connection of the driver, for COPY; rolled back unless committed.

    Its errors are raised as SQLAlchemy's, and one that shows an outage empties the pool, as everywhere else.
    """
    connection = None
    try:
        connection = engine.raw_connection()
        yield connection
    except psycopg2.Error as error:
        outage = outage_of(error)
        lost = (outage is not None and outage.lost) or connection is None or bool(connection.closed)
        if lost and connection is not None:
            connection.invalidate(error)
            engine.dispose()
        if outage or lost:
            raise OperationalError("COPY", None, error, hide_parameters=True) from error
        raise DBAPIError.instance("COPY", None, error, psycopg2.Error, hide_parameters=True) from error
    finally:
        if connection is not None:
            connection.close()


def _url(name: str, configured: str | None) -> URL:
    """Return the URL with its driver, by default the embedded server's; errors omit it, as it may hold a password."""
    settings = DatabaseSettings()
    secret = settings.service_db_url if name == "service" else settings.warehouse_db_url
    text = configured or (secret.get_secret_value() if secret else None) or embedded.start(settings.var_dir)[name]
    try:
        url = make_url(text)
    except ArgumentError:
        raise _refused(name, "is not a database URL") from None
    except ValueError:
        raise _refused(name, "has a port that is not a number") from None
    if url.port is not None and not 0 < url.port <= LARGEST_PORT:
        raise _refused(name, f"has a port outside 1 to {LARGEST_PORT}")
    driver = DRIVERS.get(url.drivername, url.drivername)
    if driver not in USABLE[name]:
        raise _refused(name, f"names the driver {url.drivername}; supported are {', '.join(sorted(USABLE[name]))}")
    url = url.set(drivername=driver)
    return url if driver == "postgresql+psycopg2" else url.update_query_dict({"charset": "utf8mb4"})


def _refused(name: str, why: str) -> DatabaseMisconfigured:
    example = "mysql://user:password@host:3306" if name == "service" else "postgresql://user:password@host:5432"
    return DatabaseMisconfigured(f"UKOK_{name.upper()}_DB_URL {why}: expected e.g. {example}/{name}")


def _postgres_limits(seconds: int) -> Mapping[str, int]:
    """Return the options of libpq that make a connection fail when the server stops acknowledging."""
    third = max(1, seconds // 3)
    keepalives = {"keepalives_idle": third, "keepalives_interval": third, "keepalives_count": 2}
    return keepalives | {"tcp_user_timeout": seconds * 1000}


def _check_options(engine: Engine) -> None:
    """Raise now, not at the first connection, if the driver does not know an option."""
    args, options = engine.dialect.create_connect_args(engine.url)
    if engine.dialect.name == "postgresql":
        make_dsn(*args, **options)
    else:
        inspect.signature(MariaConnection).bind(*args, **options)
