"""A manifest survives its JSON, and one that cannot be read is refused with one line."""

import json
from typing import Any

import pytest

from artifacts.folder import FolderStore
from artifacts.release import BaseManifest, CorruptRelease, parse_manifest, read_manifest
from pipelines.release.publish import list_releases
from recommender.manifest import Manifest
from recommender.rankers.config import BlendConfig, NearestConfig
from tests.builders.evaluations import manifest


def changed(**fields: Any) -> bytes:
    return json.dumps(json.loads(manifest("v1").model_dump_json()) | fields).encode()


def test_a_manifest_survives_its_json() -> None:
    written = manifest("v1", BlendConfig(nearest=NearestConfig(neighbours=7)))
    data = written.model_dump_json(indent=2).encode()
    assert parse_manifest(data, "v1", Manifest) == written
    assert json.loads(data)["evaluation"]["completion"]["methods"]["blend"]["hit@10"] == 0.6
    assert parse_manifest(data, "v1", BaseManifest).files == written.files


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"no JSON", "manifest.json is not valid: content: Invalid JSON"),
        (b"{}", "manifest.json is not valid: schema_version: Field required"),
        (changed(schema_version=3), "manifest.json has schema version 3, this version reads 2: upgrade ukok"),
        (changed(schema_version=1), "manifest.json has schema version 1, this version reads 2: build a new release"),
        (changed(counts={}), "manifest.json is not valid: counts.recipes: Field required"),
        (changed(surprise=1), "manifest.json is not valid: surprise: Extra inputs are not permitted"),
        (changed(version="v2"), "manifest.json is that of v2"),
    ],
)
def test_an_unreadable_manifest_is_refused_in_one_line(data: bytes, message: str) -> None:
    with pytest.raises(CorruptRelease) as refused:
        parse_manifest(data, "v1", Manifest)
    assert str(refused.value).startswith(f"release v1: {message}")
    assert "\n" not in str(refused.value)


ODD_NAMES = ("/etc/passwd", "../other/recipes.faiss", "blend/../../x", ".", "", "a//b", "./a", "a/", "C:\\x", "x\0y")


@pytest.mark.parametrize("name", [*ODD_NAMES, "감자.npy", "a" * 500, ".hidden", "-rf"])
def test_file_names_that_lead_out_of_the_release_are_refused(name: str) -> None:
    entry = {"sha256": "0" * 64, "size": 1}
    with pytest.raises(CorruptRelease, match="leads out of the folder"):
        parse_manifest(changed(files={name: entry}), "v1", BaseManifest)


def test_an_unreadable_release_is_listed_with_its_problem(tmp_path: Any) -> None:
    store = FolderStore(tmp_path)
    store.put("releases/v1/manifest.json", changed())
    store.put("releases/v2/manifest.json", changed(version="v2", schema_version=3))
    first, second = list_releases(store)
    assert (first.version, first.is_live, first.problem) == ("v1", False, None)
    assert first.manifest == read_manifest(store, "v1", Manifest)
    assert (second.version, second.manifest) == ("v2", None)
    assert "schema version 3" in str(second.problem)
