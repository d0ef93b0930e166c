"""The step that watches releases: what it counts, decides, records and does, also if it was killed before."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, insert, select

from artifacts import release as releases
from artifacts.canary import CANARY, Canary, read_canary, start_canary
from artifacts.errors import StoreError
from artifacts.release import CorruptRelease
from artifacts.store import Store
from pipelines.errors import CanaryRunning
from pipelines.logs.tables import LANDED
from pipelines.release import publish
from pipelines.watch.figures import Arm, count_refusals, read_arm
from pipelines.watch.rules import Limits, Outcome
from pipelines.watch.step import watch_release
from sql.warehouse.steps import ReleaseRecord, ReleaseWatch
from tests.builders import evaluations
from tests.builders.events import an_event
from tests.conftest import embedded_only

START = datetime(2025, 8, 6, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR
LIMITS = Limits(DAY, 300)
OLD, LIVE, NEW = (f"2025080{day}T000000Z-{day}a" for day in (4, 5, 6))
SHOWN, CLICK = "product_recipe_recommendation", "user_activity_recommendation_click"


@pytest.fixture
def served(warehouse: Engine, store: Store, tmp_path: Path) -> Store:
    """A store with three releases, of which the second is live since two days before the start."""
    for version in (OLD, LIVE, NEW):
        releases.publish(store, tmp_path, evaluations.manifest(version))
        record = {"version": version, "built_at": START, "evaluation": {}}
        with warehouse.begin() as conn:
            conn.execute(insert(ReleaseRecord).values(record))
    publish.promote(warehouse, store, OLD, START - 9 * DAY)
    publish.promote(warehouse, store, LIVE, START - 2 * DAY)
    return store


@pytest.fixture
def canary(served: Store) -> Canary:
    """The newest release as the canary of the live one."""
    running = Canary(version=NEW, baseline=LIVE, share=0.1, since=START)
    start_canary(served, running)
    return running


def answer(at: datetime, version: str, **changes: Any) -> dict[str, Any]:
    payload = {"release_version": version, "stage": "release", "impressions": []}
    fields: dict[str, Any] = {"event_type": SHOWN, "payload": payload | changes.pop("payload", {})}
    return an_event(at, **fields | changes)


def click(at: datetime, shown: UUID, **changes: Any) -> dict[str, Any]:
    return an_event(at, event_type=CLICK, payload={"impression_id": str(shown)}, **changes)


def visits(at: datetime, version: str, users: int, clicks: int) -> Iterator[dict[str, Any]]:
    """Users with one answer each; some of them click."""
    first = int(at.timestamp()) % 10**6 * 10_000 + (0 if version == LIVE else 5_000)
    for n in range(users):
        event = answer(at, version, user_id=first + n)
        yield event
        if n < clicks:
            yield click(at + timedelta(minutes=1), event["event_id"], user_id=first + n)


def land(warehouse: Engine, *events: dict[str, Any]) -> None:
    with warehouse.begin() as conn:
        conn.execute(insert(LANDED), [{"session_id": None} | event for event in events])


def decisions(warehouse: Engine) -> list[tuple[str, str, str, str]]:
    columns = (ReleaseWatch.kind, ReleaseWatch.version, ReleaseWatch.baseline, ReleaseWatch.decision)
    with warehouse.connect() as conn:
        rows = conn.execute(select(*columns).order_by(ReleaseWatch.run_id))
        return [(kind, version, baseline, decision) for kind, version, baseline, decision in rows]


def watch(warehouse: Engine, store: Store, hours: float) -> Outcome | None:
    watched = watch_release(warehouse, store, LIMITS, START + hours * HOUR)
    return watched.decision.outcome if watched else None


def counts(arm: Arm) -> tuple[int, int, int, int]:
    return arm.shown, arm.clicked, arm.simpler, arm.failed


def test_an_equal_canary_waits_and_is_promoted(warehouse: Engine, served: Store, canary: Canary) -> None:
    land(warehouse, *visits(START + HOUR, LIVE, 1_000, 100), *visits(START + HOUR, NEW, 200, 20))
    assert watch(warehouse, served, 2) is Outcome.WAIT
    assert watch(warehouse, served, 25) is Outcome.WAIT, "too few answers, however long it takes"
    land(warehouse, *visits(START + 25 * HOUR, NEW, 200, 20))
    assert watch(warehouse, served, 26) is Outcome.PROMOTE
    assert (releases.current(served), read_canary(served)) == (NEW, None)
    assert decisions(warehouse) == [("canary", NEW, LIVE, each) for each in ("wait", "wait", "promote")]
    with warehouse.connect() as conn:
        row = conn.execute(select(ReleaseWatch).order_by(ReleaseWatch.run_id.desc())).mappings().first()
        promoted = conn.execute(select(ReleaseRecord.promoted_at, ReleaseRecord.replaced).filter_by(version=NEW)).one()
    assert row
    assert (row["shown"], row["clicked"], row["baseline_shown"], row["baseline_clicked"]) == (400, 40, 1_000, 100)
    assert (row["share"], row["since"], row["baseline_since"]) == (0.1, START, START)
    assert row["p_value"] == pytest.approx(0.5, abs=0.02)
    assert "10.00% of 400" in row["reason"]
    assert tuple(promoted) == (START + 26 * HOUR, LIVE)


@embedded_only
def test_a_worse_canary_is_rolled_back_before_its_hours(warehouse: Engine, served: Store, canary: Canary) -> None:
    land(warehouse, *visits(START + HOUR, LIVE, 1_000, 100), *visits(START + HOUR, NEW, 400, 10))
    assert watch(warehouse, served, 2) is Outcome.ROLL_BACK
    assert (releases.current(served), read_canary(served)) == (LIVE, None)
    assert watch(warehouse, served, 3) is None, "the release that is left went live long ago"
    assert decisions(warehouse) == [("canary", NEW, LIVE, "roll_back")]


@embedded_only
def test_only_answers_to_visitors_who_are_known_are_counted(warehouse: Engine) -> None:
    at = START + HOUR
    first, second = (answer(at + n * HOUR, NEW, user_id=None, session_id="anybody") for n in (0, 1))
    empty = answer(at, NEW, user_id=8, payload={"stage": None})
    simpler = answer(at, NEW, user_id=8, payload={"stage": "popular"})
    failed = an_event(at, event_type="answer_failed", payload={"release_version": NEW, "route": "/api/x"}, user_id=9)
    land(
        warehouse,
        first,
        second,
        empty,
        simpler,
        failed,
        click(at, first["event_id"], user_id=None, session_id="anybody"),
        *(click(at + 2 * HOUR, second["event_id"], user_id=None, session_id="anybody") for _ in range(2)),
        click(at, uuid4()),
        answer(at, LIVE),
        answer(at, NEW, user_id=None, session_id=None),
        answer(START - HOUR, NEW),
        answer(START + DAY, NEW),
        an_event(at, event_type="kok_product_info_view", payload={"release_version": NEW}),
    )
    with warehouse.connect() as conn:
        arm = read_arm(conn, NEW, START, START + DAY)
    assert counts(arm) == (3, 1, 2, 1)
    assert sum(group.visitors for group in arm.groups) == 3


@embedded_only
def test_a_click_counts_once_and_only_for_who_was_shown_it(warehouse: Engine) -> None:
    at = START + HOUR
    mine, other, empty = (answer(at, NEW, user_id=user) for user in (7, 8, 9))
    anonymous = [answer(at + n * HOUR, NEW, user_id=None, session_id="anybody") for n in (0, 1)]
    seen = anonymous[1]["event_id"]
    land(
        warehouse,
        *(mine, other, empty, *anonymous),
        *(click(at + n * HOUR, mine["event_id"], user_id=7) for n in range(5)),
        click(at, other["event_id"], user_id=7),
        click(at, other["event_id"], user_id=None, session_id="anybody"),
        click(at, seen, user_id=None, session_id="somebody else"),
        click(at, seen, user_id=8),
        click(at, uuid4(), user_id=9),
    )
    with warehouse.connect() as conn:
        assert counts(read_arm(conn, NEW, START, START + DAY)) == (4, 1, 0, 0)


@embedded_only
def test_only_refusals_of_the_api_itself_are_counted(warehouse: Engine) -> None:
    at, refused = START + HOUR, {"event_type": "release_refused", "payload": {"release_version": NEW}}
    land(warehouse, an_event(at, **refused), an_event(at, **refused, user_id=None) | {"session_id": "anybody"})
    with warehouse.connect() as conn:
        assert count_refusals(conn, NEW, START, START + DAY) == 0
        land(warehouse, an_event(at, **refused, user_id=None))
        assert count_refusals(conn, NEW, START, START + DAY) == 1


@embedded_only
@pytest.mark.parametrize("cut_off", ["before CURRENT", "before CANARY"])
def test_a_promotion_that_was_killed_is_finished(
    cut_off: str, warehouse: Engine, served: Store, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(warehouse, *visits(START + HOUR, LIVE, 1_000, 100), *visits(START + HOUR, NEW, 400, 40))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(served), "put_if" if cut_off == "before CURRENT" else "delete", killed)
    with pytest.raises(KeyboardInterrupt):
        watch(warehouse, served, 24)
    monkeypatch.undo()
    assert read_canary(served) == canary
    assert releases.current(served) == (LIVE if cut_off == "before CURRENT" else NEW)
    watch(warehouse, served, 24.1)
    assert (releases.current(served), read_canary(served)) == (NEW, None)
    assert releases.previous(served) == LIVE
    with warehouse.connect() as conn:
        assert conn.scalar(select(ReleaseRecord.replaced).filter_by(version=NEW)) == LIVE


@embedded_only
def test_a_rollback_that_was_killed_is_repeated(
    warehouse: Engine, served: Store, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(warehouse, *visits(START + HOUR, LIVE, 1_000, 100), *visits(START + HOUR, NEW, 400, 10))
    delete = type(served).delete

    def cut_off(self: Store, key: str) -> None:
        if key == releases.ROLLBACK:
            raise StoreError("the store is away")
        delete(self, key)

    monkeypatch.setattr(type(served), "delete", cut_off)
    with pytest.raises(StoreError):
        watch(warehouse, served, 2)
    monkeypatch.undo()
    assert watch(warehouse, served, 2.1) is None
    assert (releases.current(served), read_canary(served)) == (LIVE, None)


@embedded_only
def test_a_promoted_release_is_rolled_back_if_its_clicks_fall(warehouse: Engine, served: Store) -> None:
    at = START + 2 * HOUR
    yesterday = visits(at - DAY, LIVE, 1_000, 100)
    land(warehouse, *yesterday, *visits(START - 5 * HOUR, LIVE, 1_000, 0), *visits(START - 3 * DAY, LIVE, 900, 0))
    publish.promote(warehouse, served, NEW, START)
    land(warehouse, *visits(at, NEW, 500, 48))
    assert watch(warehouse, served, 3) is Outcome.WAIT, "equal to the same hours of the day before"
    land(warehouse, *visits(at + HOUR, NEW, 500, 3))
    assert watch(warehouse, served, 4) is Outcome.ROLL_BACK
    assert releases.current(served) == LIVE
    assert watch(warehouse, served, 5) is None, "a rollback is not watched, or it would go back further"
    assert releases.current(served) == LIVE
    assert decisions(warehouse) == [("promotion", NEW, LIVE, each) for each in ("wait", "roll_back")]
    publish.promote(warehouse, served, NEW, START + 6 * HOUR)
    assert watch(warehouse, served, 6.5) is Outcome.WAIT
    assert watch(warehouse, served, 31) is None, "it was watched for its hours"


@embedded_only
def test_a_canary_whose_baseline_is_no_longer_live_ends(warehouse: Engine, served: Store, canary: Canary) -> None:
    releases.promote(served, OLD, expected=LIVE)  # not by the command, which would refuse
    assert watch(warehouse, served, 1) is Outcome.WAIT, "as after a promotion that was killed"
    assert (releases.current(served), read_canary(served)) == (OLD, None)


@embedded_only
def test_the_canary_comes_before_other_promotions_and_rollbacks(
    warehouse: Engine, served: Store, canary: Canary
) -> None:
    with pytest.raises(CanaryRunning, match=f"{NEW} is a canary for 10% of visitors"):
        publish.promote(warehouse, served, OLD, START)
    assert [each.served for each in publish.list_releases(served)] == ["", "live", "canary 10%"]
    assert publish.rollback(warehouse, served, START) == publish.RolledBack(LIVE, ended_canary=True)
    assert (releases.current(served), read_canary(served)) == (LIVE, None)
    start_canary(served, canary)
    publish.promote(warehouse, served, NEW, START)
    assert (releases.current(served), read_canary(served)) == (NEW, None)
    assert publish.rollback(warehouse, served, START) == publish.RolledBack(LIVE, ended_canary=False)


@embedded_only
def test_a_repeated_rollback_of_a_canary_leaves_the_live_release(
    warehouse: Engine, served: Store, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete = type(served).delete
    deleted: list[str] = []

    def cut_off(self: Store, key: str) -> None:
        delete(self, key)
        deleted.append(key)
        if key == CANARY:
            raise StoreError("the answer is lost")

    monkeypatch.setattr(type(served), "delete", cut_off)
    with pytest.raises(StoreError):
        publish.rollback(warehouse, served, START)
    monkeypatch.undo()
    assert deleted == [CANARY]
    assert publish.rollback(warehouse, served, START).version == LIVE
    assert releases.current(served) == LIVE


@embedded_only
def test_an_unreadable_canary_stops_the_watch_and_is_removed(warehouse: Engine, served: Store, canary: Canary) -> None:
    served.put(CANARY, b"garbage")
    with pytest.raises(CorruptRelease, match="`ukok release rollback` removes it"):
        watch(warehouse, served, 1)
    assert publish.rollback(warehouse, served, START) == publish.RolledBack(LIVE, ended_canary=True)
    assert watch(warehouse, served, 1) is None
