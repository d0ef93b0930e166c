"""A backup holds every row and id, and is restored into empty databases of either engine."""

import gzip
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, Table, delete, event, insert, inspect, select, text

from artifacts import release as releases
from artifacts.open import open_store
from artifacts.store import Store
from pipelines.backup.format import MANIFEST, TABLES, columns_of
from pipelines.backup.restore import RestoreRefused, restore_backup
from pipelines.backup.write import BackupRefused, write_backup
from pipelines.load.ledger import table_of
from pipelines.load.sources import load_source
from pipelines.logs.ingest import ingest_logs
from sql.engines import service_engine, warehouse_engine
from sql.service.users import ErasedUser, SearchHistory, User
from sql.upgrade import Database, newest_revision, upgrade
from sql.warehouse.events import FctUserEvent, UserEvent
from sql.warehouse.steps import StepRun
from tests.builders.command_line import run_ukok
from tests.builders.databases import Server, new_database
from tests.builders.raw_runs import kst, price, product, put_prices, put_products, put_shows, review, seller, show
from tests.conftest import embedded_only

NOW = datetime(2025, 8, 6, 12, tzinfo=UTC)
Rows = dict[str, list[tuple[Any, ...]]]


def fill_all(service: Engine, warehouse: Engine, store: Store) -> None:
    """Write rows of every type of column: texts of any script, instants, days, ids, JSON, numbers and NULLs."""
    put_prices(store, kst("01:00"), [price(1), price(2, None, kind="consult")])
    put_products(store, kst("01:00"), [product(1, reviews=[review()], seller=seller())])
    load_source("kok", service, warehouse, store)
    shows = [show("04:00", "05:00", title="콕 🍣 'quoted' \\n"), show("05:00", "06:00", 2, title=None)]
    put_shows(store, kst("02:00"), shows)
    load_source("hnsmall", service, warehouse, store)
    user = {"password_hash": "x", "created_at": NOW.replace(microsecond=123456)}
    with service.begin() as conn:
        conn.execute(insert(User), [user | {"email": f"{n}@example.org", "username": f"이름 {n}"} for n in range(3)])
        last = conn.scalar(select(User.user_id).order_by(User.user_id.desc()).limit(1))
        conn.execute(delete(User).where(User.user_id == last))
        conn.execute(insert(ErasedUser).values(user_id=last, erased_at=NOW))
        conn.execute(insert(SearchHistory).values(user_id=1, service="kok", keyword="a\tb\\", searched_at=NOW))
    payload = {"nested": {"한글": [1, 2.5, None, True]}, "big": 2**60}
    with warehouse.begin() as conn:
        rows = [{"event_id": UUID(int=n), "received_at": NOW - timedelta(days=n), "payload": payload} for n in range(3)]
        conn.execute(insert(UserEvent), [row | {"event_type": "view" if n else ""} for n, row in enumerate(rows)])
    ingest_logs(warehouse, store, None, None, now=NOW)


def rows_of(service: Engine, warehouse: Engine) -> Rows:
    engines: dict[Database, Engine] = {"service": service, "warehouse": warehouse}
    return {
        f"{database}.{table.name}": _rows(engine, table)
        for database, engine in engines.items()
        for table in TABLES[database]
    }


def _rows(engine: Engine, table: Table) -> list[tuple[Any, ...]]:
    with engine.connect() as conn:
        return sorted((tuple(row) for row in conn.execute(select(*columns_of(table)))), key=repr)


@contextmanager
def fresh(server: Server) -> Iterator[tuple[Engine, Engine]]:
    """Two new databases without tables, the service database on a server of choice."""
    with new_database(server) as service_url, new_database("postgresql") as warehouse_url:
        service, warehouse = service_engine(service_url), warehouse_engine(warehouse_url)
        yield service, warehouse
        service.dispose()
        warehouse.dispose()


@pytest.mark.parametrize("server", ["mariadb", "postgresql"])
def test_a_restored_backup_has_all_rows_and_goes_on(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path, server: Server
) -> None:
    fill_all(service, warehouse, store)
    before = rows_of(service, warehouse)
    assert all(before[name] for name in ("service.kok_seller", "service.broadcast", "warehouse.fct_user_event"))
    report = write_backup(service, warehouse, store, tmp_path / "backup", NOW)
    assert report.written == sum(map(len, before.values()))
    with fresh(server) as (new_service, new_warehouse):
        restored = restore_backup(new_service, new_warehouse, store, tmp_path / "backup")
        assert rows_of(new_service, new_warehouse) == before
        assert restored.rows == {name: len(rows) for name, rows in before.items()}
        assert (restored.missing, restored.changed) == ([], [])
        with new_service.begin() as conn:
            values = {"email": "new@example.org", "username": "새 이름", "password_hash": "x", "created_at": NOW}
            conn.execute(insert(User).values(values))
            newest = conn.execute(select(User.user_id).where(User.email == values["email"])).scalar_one()
            assert newest > conn.execute(select(ErasedUser.user_id)).scalar_one()
        with new_warehouse.begin() as conn:
            event = {"event_id": UUID(int=9), "received_at": NOW, "event_type": "view", "payload": {}}
            conn.execute(insert(UserEvent).values(event))
        ingest_logs(new_warehouse, store, None, None, now=NOW + timedelta(hours=1))
        with new_warehouse.connect() as conn:
            assert UUID(int=9) in conn.scalars(select(FctUserEvent.event_id)).all()
        with pytest.raises(RestoreRefused, match=r"the service database is not empty: .* UKOK_SERVICE_DB_URL"):
            restore_backup(new_service, new_warehouse, store, tmp_path / "backup")


def test_a_backup_is_of_one_moment(service: Engine, warehouse: Engine, store: Store, tmp_path: Path) -> None:
    users = table_of(User)
    values = {"username": "u", "password_hash": "x", "created_at": NOW}
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            with service.begin() as conn:  # both rows or none
                conn.execute(insert(users), [values | {"email": f"{number}-{side}@x"} for side in "ab"])
            number += 1

    thread = threading.Thread(target=write)
    thread.start()
    write_backup(service, warehouse, store, tmp_path / "backup", NOW)
    stop.set()
    thread.join()
    lines = gzip.decompress((tmp_path / "backup/service/user_account.jsonl.gz").read_bytes()).splitlines()
    assert len(lines) % 2 == 0


@embedded_only
def test_a_backup_that_breaks_off_leaves_no_folder(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(BackupRefused, match="exists"):
        write_backup(service, warehouse, store, tmp_path / "there", NOW)
    with warehouse.begin() as conn:
        conn.execute(text("ALTER TABLE fct_price RENAME TO hidden"))
    try:
        with pytest.raises(Exception, match="fct_price"):
            write_backup(service, warehouse, store, tmp_path / "backup", NOW)
    finally:
        with warehouse.begin() as conn:
            conn.execute(text("ALTER TABLE hidden RENAME TO fct_price"))
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    (tmp_path / ".backup.incoming").mkdir()
    with pytest.raises(BackupRefused, match=r"\.backup\.incoming exists: another backup"):
        write_backup(service, warehouse, store, tmp_path / "backup", NOW)
    with warehouse.connect() as conn:
        assert set(conn.scalars(select(StepRun.status))) == {"failed"}


@embedded_only
def test_a_backup_of_another_schema_leaves_new_databases_empty(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    """The version that made it finds them as it needs them: its own schema is not the newest one."""
    write_backup(service, warehouse, store, tmp_path / "backup", NOW)
    _replace(tmp_path / "backup" / MANIFEST, newest_revision("warehouse"), "20200101_other")
    with fresh("postgresql") as (new_service, new_warehouse):
        with pytest.raises(RestoreRefused, match="and the backup at 20200101_other: restore it with version"):
            restore_backup(new_service, new_warehouse, store, tmp_path / "backup")
        assert [inspect(engine).get_table_names() for engine in (new_service, new_warehouse)] == [[], []]


@embedded_only
def test_a_restore_gives_way_to_one_that_was_faster(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    fill_all(service, warehouse, store)
    before = rows_of(service, warehouse)
    write_backup(service, warehouse, store, tmp_path / "backup", NOW)
    with fresh("postgresql") as (slow, slow_warehouse):
        upgrade(slow, "service")
        upgrade(slow_warehouse, "warehouse")
        faster = [service_engine(str(slow.url)), warehouse_engine(str(slow_warehouse.url))]

        @event.listens_for(slow, "before_cursor_execute")
        def restore_first(_conn: object, _cursor: object, statement: str, *_: object) -> None:
            if statement.startswith(("INSERT ", "DELETE ")) and faster:
                restore_backup(faster.pop(0), faster.pop(0), store, tmp_path / "backup")

        with pytest.raises(RestoreRefused, match="somebody else is filling the service database"):
            restore_backup(slow, slow_warehouse, store, tmp_path / "backup")
        assert rows_of(slow, slow_warehouse) == before


@embedded_only
def test_a_database_behind_the_backup_is_to_be_upgraded(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    write_backup(service, warehouse, store, tmp_path / "backup", NOW)
    with fresh("postgresql") as (old, new):
        upgrade(old, "service")
        with old.begin() as conn:
            conn.execute(text("UPDATE alembic_version SET version_num = '20261130_service_baseline'"))
        with pytest.raises(
            RestoreRefused, match=r"at revision 20261130_service_baseline, and .*: run `ukok db upgrade`"
        ):
            restore_backup(old, new, store, tmp_path / "backup")


@embedded_only
def test_a_damaged_or_foreign_backup_changes_nothing(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    good = tmp_path / "good"
    write_backup(service, warehouse, store, good, NOW)
    with warehouse.begin() as conn:
        conn.execute(delete(StepRun))
    newest = newest_revision("service")
    refusals: dict[str, Callable[[Path], object]] = {
        "is missing": lambda folder: (folder / "service/kok_seller.jsonl.gz").unlink(),
        "is damaged": lambda folder: (folder / "artifacts.jsonl.gz").write_bytes(b"x"),
        "it is no backup": lambda folder: (folder / MANIFEST).unlink(),
        "is damaged or of another version": lambda folder: (folder / MANIFEST).write_text("{"),
        "of another version: 1 errors": lambda folder: _replace(
            folder / MANIFEST, '"artifacts.', '"../good/artifacts.'
        ),
        "restore it with version": lambda folder: _replace(folder / MANIFEST, '_version": 1', '_version": 9'),
        "and the backup at 20200101_other": lambda folder: _replace(folder / MANIFEST, newest, "20200101_other"),
    }
    for number, (reason, damage) in enumerate(refusals.items()):
        folder = tmp_path / str(number)
        shutil.copytree(good, folder)
        damage(folder)
        with pytest.raises(RestoreRefused, match=reason):
            restore_backup(service, warehouse, store, folder)
    restore_backup(service, warehouse, store, good)


def _replace(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


@embedded_only
def test_artifacts_are_compared_and_the_live_release_named(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    (tmp_path / "release").mkdir()
    releases.publish(store, tmp_path / "release", releases.BaseManifest(version="1", files={}))
    releases.promote(store, "1", expected=None)
    store.put("raw/a", b"1")
    store.put("raw/b", b"1")
    write_backup(service, warehouse, store, tmp_path / "backup", NOW)
    with warehouse.begin() as conn:
        conn.execute(delete(StepRun))
    copy = open_store(str(tmp_path / "copy"))
    copy.put("releases/1/manifest.json", store.get("releases/1/manifest.json"))
    copy.put("raw/b", b"22")
    restored = restore_backup(service, warehouse, copy, tmp_path / "backup")
    assert (restored.missing, restored.changed) == (["raw/a"], ["raw/b"])
    assert (restored.live, restored.is_live) == ("1", True)
    assert releases.current(copy) == "1"


@embedded_only
def test_the_commands_back_up_and_restore(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stack_env: dict[str, str],
    service: Engine,
    warehouse: Engine,
    tmp_path: Path,
) -> None:
    for name, value in stack_env.items():
        monkeypatch.setenv(name, value)
    folder = str(tmp_path / "backup")
    done = run_ukok(monkeypatch, capsys, "backup", folder)
    assert (done.code, done.out.partition(":")[0]) == (0, "backup")
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0
    refused = run_ukok(monkeypatch, capsys, "restore", folder)
    assert (refused.code, "step_run has 1 rows" in refused.err) == (1, True)
    with warehouse.begin() as conn:
        conn.execute(delete(StepRun))
    restored = run_ukok(monkeypatch, capsys, "restore", folder)
    assert restored.code == 0
    assert "warehouse.fct_price" in restored.out
