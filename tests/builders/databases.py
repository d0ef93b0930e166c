"""New databases on the servers that tests run on, and their schemas as comparable lines."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
import sqlalchemy
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError

Server = Literal["mariadb", "postgresql"]

SERVERS = {
    "mariadb": ("MariaDB", "UKOK_TEST_MARIADB_URL", "mysql+pymysql://root@127.0.0.1:3306/"),
    "postgresql": ("PostgreSQL", "UKOK_TEST_POSTGRES_URL", "postgresql+psycopg2://postgres@127.0.0.1:5432/"),
}
# The definition of each column, key and partitioning of PostgreSQL, with the comments, one a line.
POSTGRES_SCHEMA = """
    SELECT format('%s.%s %s%s%s%s -- %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END, ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid),
        ' COLLATE ' || NULLIF(l.collname, 'default'), col_description(c.oid, a.attnum))
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
        LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    UNION ALL
    SELECT format('%s PARTITION BY %s -- %s', relname, pg_get_partkeydef(oid), obj_description(oid, 'pg_class'))
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    UNION ALL
    SELECT format('%s %s', conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT format('%s %s', sequencename, data_type) FROM pg_sequences WHERE schemaname = 'public'
"""


@contextmanager
def new_database(server: Server) -> Iterator[str]:
    """Create a database on a server and drop it afterwards; yields its URL. Without the server, skip or fail in CI."""
    product, variable, default = SERVERS[server]
    url = sqlalchemy.make_url(os.environ.get(variable, default))
    admin = sqlalchemy.create_engine(
        url.set(database="postgres" if server == "postgresql" else None),
        isolation_level="AUTOCOMMIT",
        poolclass=sqlalchemy.NullPool,
    )
    name = f"ukok_test_{secrets.token_hex(5)}"
    try:
        with admin.connect() as conn:
            conn.execute(text(f"CREATE DATABASE {name}"))
            if server == "postgresql":
                # No test cuts the power, so that no commit needs to wait for the disk.
                conn.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    except OperationalError as error:
        message = (
            f"no {product} at {url.render_as_string()}: start one or set {variable}; "
            f"`make test` then runs these tests on it ({' '.join(str(error.orig).split())})"
        )
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as conn:
            conn.execute(text(f"DROP DATABASE {name}" + (" WITH (FORCE)" if server == "postgresql" else "")))


def schema_of(engine: Engine) -> set[str]:
    """Tables, columns in full, keys, partitionings and comments of a database, one a line."""
    with engine.connect() as conn:
        if conn.dialect.name == "postgresql":
            return set(conn.scalars(text(POSTGRES_SCHEMA)))
        return set(_mariadb_schema(conn))


def _mariadb_schema(conn: Connection) -> Iterator[str]:
    for table in inspect(conn).get_table_names():
        definition = conn.execute(text(f"SHOW CREATE TABLE {table}")).one()[1]
        for line in re.sub(r" AUTO_INCREMENT=\d+", "", definition).splitlines():
            yield f"{table}: {line.strip().rstrip(',')}"
