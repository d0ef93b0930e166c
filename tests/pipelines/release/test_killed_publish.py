"""A promotion or rollback that is killed at any point is finished by the next step that changes releases."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from artifacts import release as releases
from artifacts.canary import CANARY, Canary, read_canary, start_canary
from artifacts.folder import FolderStore
from pipelines.release import publish
from pipelines.watch.rules import Limits
from pipelines.watch.step import watch_release
from sql.warehouse.steps import ReleaseRecord
from tests.builders import evaluations
from tests.conftest import embedded_only

START = datetime(2025, 8, 6, 3, tzinfo=UTC)
DAY = timedelta(days=1)
OLD, LIVE, NEW = (f"2025080{day}T000000Z-{day}a" for day in (4, 5, 6))
WRITES = ("put", "put_if", "delete")


class Killed(BaseException):
    """What ends a process at once."""


class MortalStore(FolderStore):
    """Kills the process around a write: ``at`` 0 before the first one, 1 after it and before the second, and so on."""

    at: int | None = None

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        return self._mortal(found) if name in WRITES and object.__getattribute__(self, "at") is not None else found

    def _mortal(self, write: Callable[..., None]) -> Callable[..., None]:
        def write_or_die(*args: Any) -> None:
            assert self.at is not None
            if self.at == 0:
                raise Killed
            left, self.at = self.at - 1, None  # a write may use another one
            write(*args)
            self.at = left

        return write_or_die


@pytest.fixture
def served(warehouse: Engine, tmp_path: Path) -> MortalStore:
    """Three releases, of which the second is live, and the third its canary."""
    store = MortalStore(tmp_path / "store")
    for version in (OLD, LIVE, NEW):
        releases.publish(store, tmp_path, evaluations.manifest(version))
        with warehouse.begin() as conn:
            conn.execute(insert(ReleaseRecord).values(version=version, built_at=START, evaluation={}))
    publish.promote(warehouse, store, OLD, START - 2 * DAY)
    publish.promote(warehouse, store, LIVE, START - DAY)
    start_canary(store, Canary(version=NEW, baseline=LIVE, share=0.1, since=START))
    return store


def registered(warehouse: Engine) -> tuple[str, str | None]:
    """The release that the register shows as live, and what it replaced."""
    columns = (ReleaseRecord.version, ReleaseRecord.replaced)
    with warehouse.connect() as conn:
        version, replaced = conn.execute(
            select(*columns).where(ReleaseRecord.promoted_at.is_not(None)).order_by(ReleaseRecord.promoted_at.desc())
        ).first() or ("", None)
    return version, replaced


def watch(warehouse: Engine, store: FolderStore) -> None:
    watch_release(warehouse, store, Limits(DAY, 300), START + timedelta(hours=1))


@embedded_only
@pytest.mark.parametrize("at", [0, 1, 2, "register"])
@pytest.mark.parametrize("repeated", [False, True])
def test_a_promotion_killed_anywhere_is_registered(
    warehouse: Engine, served: MortalStore, at: int | str, repeated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kill(served, at, monkeypatch)
    try:
        publish.promote(warehouse, served, NEW, START)
    except Killed:
        assert at != 2, "there are two writes"
    monkeypatch.undo()
    served.at = None
    if repeated:
        publish.promote(warehouse, served, NEW, START + timedelta(minutes=1))
    watch(warehouse, served)
    moved = repeated or at != 0
    assert releases.current(served) == (NEW if moved else LIVE)
    assert registered(warehouse) == ((NEW, LIVE) if moved else (LIVE, OLD))
    assert (read_canary(served) is None) == moved


@embedded_only
@pytest.mark.parametrize("at", [0, 1, 2, 3, "register"])
@pytest.mark.parametrize("repeated", [False, True])
def test_a_rollback_killed_anywhere_goes_back_once(
    warehouse: Engine, served: MortalStore, at: int | str, repeated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.delete(CANARY)
    _kill(served, at, monkeypatch)
    try:
        publish.rollback(warehouse, served, START)
        killed = False
    except Killed:
        killed = True
    assert killed == (at != 3), "there are three writes"
    monkeypatch.undo()
    served.at = None
    if repeated and killed:
        publish.rollback(warehouse, served, START + timedelta(minutes=1))
    watch(warehouse, served)
    moved = repeated or at not in {0, 1}
    assert releases.current(served) == (OLD if moved else LIVE)
    assert registered(warehouse) == ((OLD, None) if moved else (LIVE, OLD))
    assert not releases.is_rollback_unfinished(served)


@embedded_only
@pytest.mark.parametrize("at", [1, 2])
def test_the_killed_end_of_a_canary_registers_nothing(warehouse: Engine, served: MortalStore, at: int) -> None:
    served.at = at
    with pytest.raises(Killed):
        publish.rollback(warehouse, served, START)
    served.at = None
    watch(warehouse, served)
    assert releases.current(served) == LIVE
    assert registered(warehouse) == (LIVE, OLD), "it is still compared with the one that it replaced"


@embedded_only
def test_a_clock_that_is_behind_registers_no_earlier(warehouse: Engine, served: MortalStore) -> None:
    publish.promote(warehouse, served, NEW, START - 2 * DAY)
    assert registered(warehouse) in {(NEW, LIVE), (LIVE, OLD)}, "at the same instant"
    with warehouse.connect() as conn:
        assert conn.scalar(select(ReleaseRecord.promoted_at).filter_by(version=NEW)) == START - DAY
    publish.rollback(warehouse, served, START)
    assert registered(warehouse) == (LIVE, None)


def _kill(store: MortalStore, at: int | str, monkeypatch: pytest.MonkeyPatch) -> None:
    if isinstance(at, int):
        store.at = at
        return

    def killed(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(publish, "register_live", killed)
    monkeypatch.setattr(publish, "register_rollback", killed)
