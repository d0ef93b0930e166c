"""Canary: a share of the visitors is served another release, each always the same one, and every answer says which."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from artifacts.canary import CANARY, Canary, end_canary, start_canary
from artifacts.store import Store
from pipelines.watch.figures import read_arm
from recommender.bundle import ReleaseFile
from serving.runtime import release_loader
from sql.warehouse.events import UserEvent
from tests.builders import tiny_release
from tests.builders.small_catalog import BIG_ID, NOON
from tests.builders.waiting import until
from tests.conftest import embedded_only
from tests.serving.conftest import sign_up

RECIPES = f"/api/homeshopping/product/{BIG_ID}/recipe-recommend"
SHARE = 0.3
SECOND = "20250807T000000Z-5ec0"
FLAWED = "20250807T000000Z-f1a3ed"


@pytest.fixture
def pair(filled: Engine, warehouse: Engine, store: Store) -> tuple[str, str]:
    """Two releases of the small catalog, of which the first is live."""
    first = tiny_release.build(filled, warehouse, store, NOON)
    tiny_release.copy(store, first, SECOND)
    tiny_release.make_live(store, first)
    return first, SECOND


def canary_of(pair: tuple[str, str], share: float = SHARE) -> Canary:
    return Canary(version=pair[1], baseline=pair[0], share=share, since=NOON)


def visitors(canary: Canary, served_canary: bool) -> Iterator[str]:
    """Sessions that are served the canary, or those that are not."""
    return (f"v{n}" for n in range(1000) if canary.includes(f"session:v{n}") is served_canary)


def ask(client: TestClient, session: str | None = None, path: str = RECIPES, **headers: str) -> dict[str, Any]:
    """The answer for a visitor, who keeps no cookie."""
    client.cookies.clear()
    named = {"X-Session-ID": session} if session else {}
    response = client.get(path, headers=named | headers)
    client.cookies.clear()
    assert response.status_code == 200, response.text
    return dict(response.json())


def state(client: TestClient) -> dict[str, Any]:
    return dict(client.get("/api/health/ml").json())


def wait_for(client: TestClient, canary: Canary) -> None:
    until(lambda: (state(client)["canary"] or {}).get("in_service"), f"{canary.version} is served")


def test_visitors_are_split_stably_and_more_share_only_adds_some() -> None:
    everybody = [f"user:{n}" for n in range(20_000)]
    before: set[str] = set()
    for share in (0.01, 0.1, 0.3, 0.8):
        canary = Canary(version="b", baseline="a", share=share, since=NOON)
        included = {visitor for visitor in everybody if canary.includes(visitor)}
        assert before < included
        assert abs(len(included) / len(everybody) - share) < 0.01
        before = included
    # Fixed: every process and every later version has to agree.
    small = Canary(version="b", baseline="a", share=0.1, since=NOON)
    assert [visitor for visitor in everybody[:20] if small.includes(visitor)] == [
        "user:3",
        "user:5",
        "user:13",
        "user:16",
    ]
    other = small.model_copy(update={"version": "c"})
    assert {visitor for visitor in everybody if other.includes(visitor)} != before


def test_both_releases_are_served_and_recorded(
    pair: tuple[str, str], store: Store, warehouse: Engine, start: Callable[[], TestClient]
) -> None:
    first, second = pair
    client, canary = start(), canary_of(pair)
    assert state(client)["canary"] is None
    start_canary(store, canary)
    wait_for(client, canary)
    to_canary, to_live = next(visitors(canary, True)), next(visitors(canary, False))
    another = start()
    for process in (client, another, client):
        assert ask(process, to_canary)["release_version"] == second
        assert ask(process, to_live)["release_version"] == first
        assert ask(process)["release_version"] == first, "nobody knows who asks"
    until(lambda: len(_recorded(warehouse)) >= 9, "everything is recorded")
    served = {session: version for session, version in _recorded(warehouse) if session in {to_canary, to_live}}
    assert served == {to_canary: second, to_live: first}
    known = ask(client, path="/api/recommend/release")
    assert (known["version"], known["canary"]["version"], known["canary"]["share"]) == (first, second, SHARE)


def _recorded(warehouse: Engine) -> list[tuple[str | None, str]]:
    with warehouse.connect() as conn:
        rows = conn.execute(select(UserEvent.session_id, UserEvent.payload)).all()
    return [(session, payload["release_version"]) for session, payload in rows if "release_version" in payload]


@embedded_only
def test_a_user_is_served_by_the_account_whatever_the_session(
    pair: tuple[str, str], store: Store, start: Callable[[], TestClient]
) -> None:
    client, canary = start(), canary_of(pair)
    start_canary(store, canary)
    wait_for(client, canary)
    person = sign_up(client)
    expected = pair[1] if canary.includes(f"user:{person.user_id}") else pair[0]
    sessions = [None, next(visitors(canary, True)), next(visitors(canary, False))]
    served = {ask(client, session, **person.headers)["release_version"] for session in sessions}
    assert served == {expected}
    personal = ask(client, path="/api/recommend/me/recipes", **person.headers)
    assert personal["release_version"] == expected


@embedded_only
def test_no_cache_gives_one_visitor_the_answer_of_another(
    pair: tuple[str, str], store: Store, start: Callable[[], TestClient]
) -> None:
    first, second = pair
    client, canary = start(), canary_of(pair)
    header = {"X-Session-ID": "anybody"}
    before = client.get(RECIPES, headers=header)
    assert before.headers["cache-control"] == "no-cache"
    start_canary(store, canary)
    wait_for(client, canary)
    sessions = {second: next(visitors(canary, True)), first: next(visitors(canary, False))}
    etags = {}
    for _ in range(2):  # the second time from the cache
        for version, session in sessions.items():
            answer = client.get(RECIPES, headers={"X-Session-ID": session})
            assert answer.json()["release_version"] == version
            assert answer.headers["cache-control"] == "private, no-cache"
            etags[version] = answer.headers["etag"]
    assert etags[first] != etags[second]
    for version, session in sessions.items():
        for etag in etags.values():
            again = client.get(RECIPES, headers={"X-Session-ID": session, "If-None-Match": etag})
            assert again.status_code == (304 if etag == etags[version] else 200)
    end_canary(store)
    until(lambda: state(client)["canary"] is None, "the canary has ended")
    for session in sessions.values():
        assert client.get(RECIPES, headers={"X-Session-ID": session}).json()["release_version"] == first
    assert client.get(RECIPES, headers=header).headers["cache-control"] == "no-cache"


@embedded_only
def test_a_larger_share_takes_effect_and_promotion_ends_it(
    pair: tuple[str, str], store: Store, start: Callable[[], TestClient]
) -> None:
    first, second = pair
    client, small, large = start(), canary_of(pair, 0.01), canary_of(pair, 0.9)
    start_canary(store, small)
    wait_for(client, small)
    session = next(session for session in visitors(large, True) if not small.includes(f"session:{session}"))
    assert ask(client, session)["release_version"] == first
    start_canary(store, large)
    until(lambda: ask(client, session)["release_version"] == second, "the share is larger")
    loaded = client.app.state.runtime.live_snapshot.served.canary.release  # type: ignore[attr-defined]
    tiny_release.make_live(store, second)
    until(lambda: state(client)["release_version"] == second, "the canary is live")
    until(lambda: ask(client)["release_version"] == second, "everybody gets it")
    assert client.app.state.runtime.live_snapshot.current.release is loaded, "loaded once"  # type: ignore[attr-defined]
    assert (state(client)["status"], state(client)["problem"]) == ("ok", None)


@pytest.mark.parametrize(
    "content",
    [
        b"no pointer at all",
        b'{"version": "x"}',
        b'{"version":"x","baseline":"y","share":NaN,"since":"2025-08-06T03:00:00Z"}',
        b"\xff\xfe",
    ],
)
@embedded_only
def test_garbage_in_canary_leaves_the_live_release(
    content: bytes, pair: tuple[str, str], store: Store, start: Callable[[], TestClient]
) -> None:
    client, canary = start(), canary_of(pair)
    start_canary(store, canary)
    wait_for(client, canary)
    session = next(visitors(canary, True))
    assert ask(client, session)["release_version"] == pair[1]
    store.put(CANARY, content)
    until(lambda: state(client)["status"] == "degraded", "it is noticed")
    assert ask(client, session)["release_version"] == pair[0]
    assert f"{CANARY} is not readable" in state(client)["problem"]
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ask(start(), session)["release_version"] == pair[0]
    start_canary(store, canary)
    until(lambda: ask(client, session)["release_version"] == pair[1], "it is named again")
    until(lambda: client.get("/readyz").json()["status"] == "ready", "all is well again")


@embedded_only
def test_a_canary_that_is_damaged_or_out_of_date_is_not_served(
    pair: tuple[str, str],
    store: Store,
    warehouse: Engine,
    start: Callable[[], TestClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = pair
    tiny_release.copy_with_flaw(store, second, FLAWED, ReleaseFile.RECIPE_IDS, "changed")
    flawed = Canary(version=FLAWED, baseline=first, share=SHARE, since=NOON)
    monkeypatch.setattr(release_loader, "MAX_RETRY_SECONDS", 0.0)
    client = start()
    start_canary(store, flawed)
    until(lambda: ReleaseFile.RECIPE_IDS in (state(client)["problem"] or ""), "the flaw is noticed")
    assert ask(client, next(visitors(flawed, True)))["release_version"] == first
    assert state(client)["canary"]["in_service"] is False
    assert (state(client)["release_version"], state(client)["status"]) == (first, "degraded")
    until(lambda: (None, FLAWED) in _recorded(warehouse), "the refusal is recorded")
    end_canary(store)
    until(lambda: state(client)["problem"] is None, "it has ended")
    store.put(CANARY, canary_of(("other", second)).model_dump_json().encode())
    until(lambda: f"is not served: {first} is live, not other" in (state(client)["problem"] or ""), "it is noticed")
    assert [row for row in _recorded(warehouse) if row == (None, FLAWED)] == [(None, FLAWED)], "once"


@embedded_only
def test_answers_that_fail_are_recorded_with_their_release(
    pair: tuple[str, str],
    store: Store,
    warehouse: Engine,
    start: Callable[[], TestClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, canary = start(), canary_of(pair)
    start_canary(store, canary)
    wait_for(client, canary)
    release = client.app.state.runtime.live_snapshot.served.canary.release  # type: ignore[attr-defined]

    def fail(*_: object) -> None:
        raise ZeroDivisionError("of the canary")

    monkeypatch.setattr(release, "product_recipes", fail)
    session = next(visitors(canary, True))
    assert client.get(RECIPES, headers={"X-Session-ID": session}).status_code == 500
    assert ask(client, next(visitors(canary, False)))["release_version"] == pair[0]
    until(lambda: len(_recorded(warehouse)) == 2, "both are recorded")
    assert set(_recorded(warehouse)) == {(session, pair[1]), (next(visitors(canary, False)), pair[0])}
    with warehouse.connect() as conn:
        failed = conn.scalar(select(UserEvent.payload).where(UserEvent.event_type == "answer_failed"))
    assert failed == {"release_version": pair[1], "route": "/api/homeshopping/product/{product_id}/recipe-recommend"}


@embedded_only
def test_the_watch_counts_what_the_api_has_recorded(
    pair: tuple[str, str], store: Store, warehouse: Engine, start: Callable[[], TestClient]
) -> None:
    client, canary = start(), canary_of(pair)
    start_canary(store, canary)
    wait_for(client, canary)
    for is_canary in (True, False):
        for session in islice(visitors(canary, is_canary), 2):
            header = {"X-Session-ID": session}
            shown = [client.get(RECIPES, headers=header).headers["x-impression-id"] for _ in range(3)]
            if is_canary:
                click = {"action": "recommendation_click", "impression_id": shown[1]}
                assert client.post("/api/log/user/activity", json=click, headers=header).status_code == 201
    until(lambda: len(_recorded(warehouse)) == 12, "everything is recorded")
    with warehouse.connect() as conn:
        counted = [read_arm(conn, version, NOON, NOON + timedelta(hours=1)) for version in reversed(pair)]
    # The first answer of each session is left out.
    assert [(arm.shown, arm.clicked, arm.simpler, arm.failed) for arm in counted] == [(4, 2, 0, 0), (4, 0, 0, 0)]
