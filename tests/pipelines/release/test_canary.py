"""`ukok release canary` makes the checks of verify and promote before it names a release."""

import tempfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine

from artifacts import release as releases
from artifacts.canary import CANARY, Canary, read_canary
from artifacts.folder import FolderStore
from artifacts.release import CorruptRelease
from pipelines.release import publish
from recommender.manifest import Manifest
from tests.builders.command_line import run_ukok
from tests.builders.market_release import LIVE
from tests.conftest import embedded_only

NOW = datetime(2025, 8, 7, 3, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
NEW, REFUSED = "20250807T030000Z-1", "20250807T030000Z-2"


@pytest.fixture
def pair(market_store: FolderStore) -> FolderStore:
    """A store with the live release, one like it, and one that its gate refused."""
    manifest = releases.read_manifest(market_store, LIVE, Manifest)
    gate = manifest.gate.model_copy(update={"passed": False})
    with tempfile.TemporaryDirectory() as cache:
        folder = releases.fetch(market_store, LIVE, Path(cache))
        for changes in ({"version": NEW}, {"version": REFUSED, "gate": gate}):
            releases.publish(market_store, folder, manifest.model_copy(update=changes))
    return market_store


@embedded_only
def test_a_canary_is_checked_before_it_is_named(warehouse: Engine, pair: FolderStore) -> None:
    def start(version: str) -> None:
        publish.start_canary(warehouse, pair, version, 0.1, NOW)

    for version, reason in ((LIVE, "it is live already"), (REFUSED, f"release {REFUSED} was not promoted")):
        with pytest.raises(publish.ReleaseRefused, match=reason):
            start(version)
    key = f"releases/{NEW}/recipe_ids.npy"
    data = pair.get(key)
    pair.put(key, data[:-1])
    with pytest.raises(CorruptRelease, match=r"recipe_ids\.npy"):
        start(NEW)
    assert not pair.exists(CANARY)
    pair.put(key, data)
    canary = publish.start_canary(warehouse, pair, NEW, 0.1, NOW)
    assert canary == Canary(version=NEW, baseline=LIVE, share=0.1, since=NOW) == read_canary(pair)
    assert publish.start_canary(warehouse, pair, NEW, 0.1, LATER) == canary, "it goes on"
    assert publish.start_canary(warehouse, pair, NEW, 0.3, LATER).since == LATER, "the comparison begins again"
    pair.delete(releases.CURRENT)
    with pytest.raises(publish.ReleaseRefused, match="there is no live release"):
        start(NEW)


@embedded_only
def test_a_canary_is_started_listed_and_ended_by_commands(
    stack_env: dict[str, str],
    pair: FolderStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in (stack_env | {"UKOK_ARTIFACTS_URL": str(pair.root)}).items():
        monkeypatch.setenv(name, value)
    ukok = partial(run_ukok, monkeypatch, capsys, "release")
    assert f"{NEW} is served to 20.0% of the visitors" in " ".join(ukok("canary", NEW, "--share", "0.2").out.split())
    assert "canary 20%" in ukok("list").out
    assert ukok("watch").out.startswith(f"canary {NEW}: wait: nothing to compare")
    refused = ukok("promote", LIVE)
    assert (refused.code, f"{NEW} is a canary for 20% of visitors" in refused.err) == (1, True)
    assert f"{LIVE} serves everybody: the canary has ended" in " ".join(ukok("rollback").out.split())
    assert ukok("watch").out.startswith("there is no canary")


def test_pointers_that_name_nothing_served_are_listed(
    pair: FolderStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UKOK_ARTIFACTS_URL", str(pair.root))
    ukok = partial(run_ukok, monkeypatch, capsys, "release", "list")

    def shown() -> str:
        ended = ukok()
        assert (ended.code, LIVE in ended.out, NEW in ended.out) == (0, True, True), ended
        return " ".join(ended.out.split())

    unknown = Canary(version=NEW, baseline="20250101T000000Z-0", share=0.1, since=NOW)
    pair.put(CANARY, unknown.model_dump_json().encode())
    said = f"the canary {NEW} (10%) is not served: {LIVE} is live, not its baseline 20250101T000000Z-0"
    assert said in shown()
    pair.put(CANARY, b"garbage")
    assert "releases/CANARY is not readable" in shown()
    pair.delete(CANARY)
    pair.put(releases.CURRENT, b"garbage")
    assert "releases/CURRENT is not readable" in shown()
    pair.put(releases.CURRENT, b'{"version": "20250101T000000Z-0"}')
    assert "there is no release '20250101T000000Z-0'" in shown()
    pair.put(releases.CURRENT, b'{"version": "%s"}' % LIVE.encode())
    assert "releases/" not in shown()
