"""The baselines: they create what the models declare, resume after an interruption, and adopt older databases."""

import ast
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, inspect, select, text

from sql.engines import service_engine, warehouse_engine
from sql.errors import DatabaseUnavailable
from sql.service.base import ServiceBase
from sql.service.catalog import Channel
from sql.upgrade import (
    MIGRATIONS,
    NUMBERED_HEADS,
    SHARED_BASELINE,
    Database,
    UnknownRevision,
    check_distinct,
    config,
    upgrade,
)
from sql.warehouse.base import WarehouseBase
from tests.builders.databases import Server, new_database, schema_of
from tests.conftest import ROOT

BOTH: tuple[Database, ...] = ("service", "warehouse")
PAIRS: tuple[tuple[Database, Server], ...] = (
    ("service", "mariadb"),
    ("service", "postgresql"),
    ("warehouse", "postgresql"),
)
DEFINITIONS = ("CREATE", "ALTER", "COMMENT", "INSERT")

NewEngine = Callable[[], Engine]


class Interrupted(Exception):
    """Stands in for a kill."""


@pytest.fixture(params=PAIRS, ids="-".join)
def pair(request: pytest.FixtureRequest) -> tuple[Database, Server]:
    found: tuple[Database, Server] = request.param
    return found


@pytest.fixture
def new_engine(pair: tuple[Database, Server]) -> Iterator[NewEngine]:
    """Return a function that creates empty databases, dropped at the end."""
    database, server = pair
    with ExitStack() as made:

        def make() -> Engine:
            url = made.enter_context(new_database(server))
            engine = service_engine(url) if database == "service" else warehouse_engine(url)
            made.callback(engine.dispose)
            return engine

        yield make


def create_numbered_schema(engine: Engine, database: Database, server: Server, revision: str) -> None:
    """Create the schema of the numbered migrations, recorded as ``revision``, with one renamed channel."""
    script = (ROOT / "tests" / "resources" / "numbered_migrations" / f"{database}.{server}.sql").read_text()
    with engine.begin() as conn:
        for statement in script.splitlines():
            conn.exec_driver_sql(statement)
        key = "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)"
        conn.execute(text(f"CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, {key})"))
        conn.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
        if database == "service":
            conn.execute(text("INSERT INTO channel (channel_id, channel_name, channel_number) VALUES (9, 'old', 1)"))


def head(database: Database) -> str | None:
    return ScriptDirectory.from_config(config(database)).get_current_head()


def recorded(engine: Engine) -> tuple[str, ...]:
    with engine.connect() as conn:
        return MigrationContext.configure(conn).get_current_heads()


def channels(engine: Engine) -> dict[int, str]:
    with engine.connect() as conn:
        rows = conn.execute(select(Channel.channel_id, Channel.channel_name))
        return {row.channel_id: row.channel_name for row in rows}


def test_migrations_create_what_the_models_declare(pair: tuple[Database, Server], new_engine: NewEngine) -> None:
    engine = new_engine()
    upgrade(engine, pair[0])
    metadata = ServiceBase.metadata if pair[0] == "service" else WarehouseBase.metadata
    with engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        inspector = inspect(conn)
        for table in metadata.tables.values():  # Alembic compares neither primary keys nor the comments of tables
            assert inspector.get_pk_constraint(table.name)["constrained_columns"] == table.primary_key.columns.keys()
            assert inspector.get_table_comment(table.name)["text"] == table.comment


def test_mariadb_compares_texts_byte_by_byte() -> None:
    with new_database("mariadb") as url:
        engine = service_engine(url)
        upgrade(engine, "service")
        with engine.connect() as conn:
            collations = conn.execute(
                text(
                    "SELECT DISTINCT engine, table_collation FROM information_schema.tables "
                    "WHERE table_schema = DATABASE() AND table_name <> 'alembic_version'"
                )
            ).all()
            columns = conn.scalars(
                text(
                    "SELECT DISTINCT collation_name FROM information_schema.columns WHERE table_schema = DATABASE() "
                    "AND table_name <> 'alembic_version' AND collation_name IS NOT NULL"
                )
            ).all()
        engine.dispose()
    assert [tuple(row) for row in collations] == [("InnoDB", "utf8mb4_nopad_bin")]
    assert columns == ["utf8mb4_nopad_bin"]


def test_events_are_partitioned_by_day(warehouse: Engine) -> None:
    with warehouse.connect() as conn:
        assert conn.scalar(text("SELECT pg_get_partkeydef('fct_user_event'::regclass)")) == "RANGE (day)"


def test_every_warehouse_table_and_column_has_a_comment(warehouse: Engine) -> None:
    inspector = inspect(warehouse)
    missing = []
    for table in WarehouseBase.metadata.tables:
        if not inspector.get_table_comment(table)["text"]:
            missing.append(table)
        missing += [f"{table}.{c['name']}" for c in inspector.get_columns(table) if not c["comment"]]
    assert missing == []


def test_an_interrupted_upgrade_is_resumed(pair: tuple[Database, Server], new_engine: NewEngine) -> None:
    # MariaDB commits each statement, so any prefix of them may be there.
    database = pair[0]
    whole, statements = new_engine(), []

    def watch(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.strip().startswith(DEFINITIONS):
            statements.append(statement)

    event.listen(whole, "before_cursor_execute", watch)
    upgrade(whole, database)
    expected = schema_of(whole)
    assert len(statements) > 20
    for stop in (1, len(statements) // 2, len(statements) - 1):
        engine = new_engine()
        left = stop

        def interrupt(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            nonlocal left
            if statement.strip().startswith(DEFINITIONS):
                if left == 0:
                    raise Interrupted
                left -= 1

        event.listen(engine, "before_cursor_execute", interrupt)
        with pytest.raises(Interrupted):
            upgrade(engine, database)
        event.remove(engine, "before_cursor_execute", interrupt)
        upgrade(engine, database)
        assert schema_of(engine) == expected
        assert recorded(engine) == (head(database),)
        if database == "service":
            assert channels(engine) == channels(whole)


def test_a_second_upgrade_changes_nothing(pair: tuple[Database, Server], new_engine: NewEngine) -> None:
    engine = new_engine()
    upgrade(engine, pair[0])
    first = schema_of(engine)
    upgrade(engine, pair[0])
    assert schema_of(engine) == first
    assert recorded(engine) == (head(pair[0]),)


def test_the_last_numbered_revision_is_adopted(pair: tuple[Database, Server], new_engine: NewEngine) -> None:
    database, server = pair
    old, fresh = new_engine(), new_engine()
    create_numbered_schema(old, database, server, NUMBERED_HEADS[database])
    upgrade(old, database)
    upgrade(fresh, database)
    assert schema_of(old) == schema_of(fresh)
    assert recorded(old) == (head(database),)
    if database == "service":
        assert channels(old) == channels(fresh) | {9: "old"}


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair[0] == "service"], ids="-".join, indirect=True)
def test_logins_that_were_revoked_before_get_a_number(pair: tuple[Database, Server], new_engine: NewEngine) -> None:
    database, server = pair
    old, fresh = new_engine(), new_engine()
    create_numbered_schema(old, database, server, NUMBERED_HEADS[database])
    with old.begin() as conn:
        for name, revoked_at in (("a", "2025-08-06"), ("b", "2025-08-07"), ("c", None)):
            statement = "INSERT INTO login_session (session_id, started_at, access_until, revoked_at) "
            statement += "VALUES (:name, :day, :day, :revoked_at)"
            conn.execute(text(statement), {"name": name, "day": "2025-08-06", "revoked_at": revoked_at})
    for engine, counter in ((old, [1]), (fresh, [])):
        upgrade(engine, database)
        with engine.connect() as conn:
            assert conn.scalars(text("SELECT revision FROM login_revision")).all() == counter
    with old.connect() as conn:
        numbers = conn.scalars(text("SELECT revision FROM login_session ORDER BY session_id")).all()
    assert numbers == [1, 1, None]


def test_the_shared_baseline_is_adopted(pair: tuple[Database, Server], new_engine: NewEngine) -> None:
    engine = new_engine()
    upgrade(engine, pair[0])
    before = schema_of(engine)
    record(engine, SHARED_BASELINE)
    upgrade(engine, pair[0])
    assert schema_of(engine) == before
    assert recorded(engine) == (head(pair[0]),)


def record(engine: Engine, revision: str) -> None:
    with engine.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def test_the_baselines_have_different_ids() -> None:
    assert head("service") != head("warehouse")


@pytest.mark.parametrize("revision", [None, SHARED_BASELINE])
@pytest.mark.parametrize("database", BOTH)
def test_the_other_database_is_refused(database: Database, revision: str | None) -> None:
    other: Database = "warehouse" if database == "service" else "service"
    with new_database("postgresql") as url:
        engine = warehouse_engine(url)
        upgrade(engine, other)
        if revision:
            record(engine, revision)
        before, at = schema_of(engine), recorded(engine)
        with pytest.raises(UnknownRevision, match=rf"^{database} .* that of the {other} database") as caught:
            upgrade(engine, database)
        assert "\n" not in str(caught.value)
        assert (schema_of(engine), recorded(engine)) == (before, at)
        engine.dispose()


@pytest.mark.parametrize(
    ("service_url", "warehouse_url"),
    [
        ("postgresql://u:p@h/one", "postgresql://u:q@h:5432/one"),
        ("postgresql://h/one?sslmode=disable", "postgresql://h/one"),
        ("postgresql:///one?host=/a", "postgresql:///one?host=/a"),
    ],
)
def test_one_database_for_both_is_refused(service_url: str, warehouse_url: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"both name .*one") as caught:
        check_distinct(service_engine(service_url), warehouse_engine(warehouse_url))
    assert ":p@" not in str(caught.value)


@pytest.mark.parametrize(
    ("service_url", "warehouse_url"),
    [
        ("mysql://h/one", "postgresql://h/one"),
        ("postgresql://h/one", "postgresql://h/two"),
        ("postgresql://h/one", "postgresql://h:5433/one"),
        ("postgresql:///one?host=/a", "postgresql:///one?host=/b"),
    ],
)
def test_different_databases_are_accepted(service_url: str, warehouse_url: str) -> None:
    check_distinct(service_engine(service_url), warehouse_engine(warehouse_url))


def test_a_foreign_table_of_our_name_is_refused(pair: tuple[Database, Server], new_engine: NewEngine) -> None:
    engine, name = new_engine(), {"service": "recipe", "warehouse": "release"}[pair[0]]
    with engine.begin() as conn:
        conn.exec_driver_sql(f"CREATE TABLE {name} (x INT)")
    with pytest.raises(DatabaseUnavailable, match=rf"^{pair[0]} database .*: its table {name} has no column") as caught:
        upgrade(engine, pair[0])
    assert "\n" not in str(caught.value)
    assert recorded(engine) == ()
    assert [column["name"] for column in inspect(engine).get_columns(name)] == ["x"]


@pytest.mark.parametrize("revision", ["0049", "0076", "20991231_future"])
def test_an_unknown_revision_is_refused(pair: tuple[Database, Server], new_engine: NewEngine, revision: str) -> None:
    database, server = pair
    engine = new_engine()
    create_numbered_schema(engine, database, server, revision)
    before = schema_of(engine)
    with pytest.raises(UnknownRevision, match=f"is at revision {revision}, .*{NUMBERED_HEADS[database]}") as caught:
        upgrade(engine, database)
    assert "\n" not in str(caught.value)
    assert schema_of(engine) == before
    assert recorded(engine) == (revision,)


@pytest.mark.parametrize("database", BOTH)
def test_revisions_are_named_by_date_and_slug(database: Database) -> None:
    scripts = list(ScriptDirectory.from_config(config(database)).walk_revisions())
    assert scripts
    for script in scripts:
        assert script.module.__file__ == str(MIGRATIONS / database / "versions" / f"{script.revision}.py")
        date, _, slug = script.revision.partition("_")
        assert len(date) == 8
        assert date.isdigit()
        assert slug.isidentifier()
        assert len(script.revision) <= 32, "alembic_version.version_num holds 32 characters"


def test_migrations_import_no_models() -> None:
    files = [*MIGRATIONS.glob("*/versions/*.py"), MIGRATIONS / "ddl.py"]
    assert len(files) >= 3
    for file in files:
        nodes = list(ast.walk(ast.parse(file.read_text())))
        names = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        names |= {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
        assert {name for name in names if name.split(".")[0] == "sql"} <= {"sql.migrations.ddl"}
