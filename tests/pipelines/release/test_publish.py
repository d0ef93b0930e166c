"""Train, build, verify, promote and roll back a release, on every database and store."""

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import faiss
import numpy as np
import pytest
from sqlalchemy import Engine

from artifacts import release as releases
from artifacts.canary import read_canary
from artifacts.errors import StoreError
from artifacts.release import CorruptRelease
from artifacts.store import Store
from pipelines.release import publish
from pipelines.release.build import build_release
from pipelines.release.gate import failed_checks
from pipelines.train import bert, models, word2vec
from pipelines.train.corpora import EmptyCorpus
from recommender.bundle import ReleaseFile
from recommender.loaded_release import LoadedRelease
from recommender.manifest import Manifest
from recommender.product_ref import ProductRef
from tests.builders.market import MarketProduct, fill, market
from tests.conftest import embedded_only

NOW = datetime(2025, 8, 6, 3, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
BIG = 2_200_000_001
CONTENT = replace(
    market(),
    products=(
        *market().products,
        MarketProduct("hmall", BIG, "바로 먹는 두부 10팩", ("두부",), is_ingredient=True),
        MarketProduct("hmall", 12_000, "정체 모를 나눔 세트", (), is_ingredient=False),
    ),
)
TOFU = next(each for each in CONTENT.products if each.source == "kok" and each.ingredients == ("두부",))


@dataclass(frozen=True)
class Built:
    service: Engine
    warehouse: Engine
    store: Store
    version: str


@pytest.fixture
def trained(service: Engine, warehouse: Engine, store: Store) -> None:
    fill(service, CONTENT)
    vectors, encoder = word2vec.train(service, store, NOW), bert.train_and_save(service, store, NOW)
    assert (vectors.version, encoder.version) == (models.newest(store, "word2vec"), models.newest(store, "bert"))
    assert vectors.figures.ingredients == len({name for each in CONTENT.recipes for name in each.ingredients})


@pytest.fixture
def built(trained: None, service: Engine, warehouse: Engine, store: Store) -> Built:
    return Built(service, warehouse, store, build_release(service, warehouse, store, NOW).version)


def test_a_release_is_built_served_and_taken_back(built: Built, stack_env: dict[str, str], tmp_path: Path) -> None:
    assert releases.current(built.store) is None
    later = _build_again(built, stack_env)
    assert later != built.version
    manifest = publish.verify(built.warehouse, built.store, built.version)
    assert manifest.counts.recipes == len(CONTENT.recipes)
    assert failed_checks(manifest.gate) == "no check was made"
    assert manifest.evaluation.relations["product_recipes"].served.wrong_at_5 == 0.0
    publish.promote(built.warehouse, built.store, built.version, NOW)
    assert releases.current(built.store) == built.version

    loaded = LoadedRelease.open(releases.fetch(built.store, built.version, tmp_path))
    _check_answers(loaded)

    with pytest.raises(publish.ReleaseRefused, match="is live already"):
        publish.start_canary(built.warehouse, built.store, built.version, 0.1, LATER)
    canary = publish.start_canary(built.warehouse, built.store, later, 0.1, LATER)
    assert (canary.baseline, read_canary(built.store)) == (built.version, canary)
    publish.promote(built.warehouse, built.store, later, LATER)
    assert read_canary(built.store) is None
    assert publish.rollback(built.warehouse, built.store, LATER).version == built.version
    assert releases.current(built.store) == built.version
    assert [release.is_live for release in publish.list_releases(built.store)] == [True, False]
    _check_damage(built, tmp_path / built.version)


def _build_again(built: Built, env: dict[str, str]) -> str:
    """Build from the same inputs in another process with other threads and hashes: every file must be the same."""
    other = env | {"OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "3", "PYTHONHASHSEED": "1"}
    command = [sys.executable, "-m", "pipelines.cli", "release", "build"]
    output = subprocess.run(command, env=other, stdout=subprocess.PIPE, text=True, check=True).stdout
    later = output.splitlines()[0]
    first, second = (releases.read_manifest(built.store, each, Manifest).files for each in (built.version, later))
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    return later


def _check_answers(loaded: LoadedRelease) -> None:
    baskets = {each.recipe_id: each.ingredients for each in CONTENT.recipes}
    for product in (ProductRef("kok", TOFU.product_id), ProductRef("hmall", BIG)):
        shown = loaded.product_recipes(product, 10)
        assert len(shown) > 3
        assert all("두부" in baskets[neighbour.recipe_id] for neighbour in shown)
        assert {neighbour.reason for neighbour in shown} == {"contains:두부"}
        assert [n.score for n in shown] == sorted((n.score for n in shown), reverse=True)
    assert loaded.product_recipes(ProductRef("kok", 99_999), 10) == []
    assert loaded.similar_products(ProductRef("kok", 99_999), "kok", 5) == []
    similar = loaded.similar_products(ProductRef("hmall", BIG), "kok", 5)
    assert similar
    assert similar[0].reason == "contains:두부"
    with_tofu = next(recipe_id for recipe_id, basket in baskets.items() if "두부" in basket)
    assert "contains:두부" in {neighbour.reason for neighbour in loaded.recipe_products(with_tofu, 10)}
    assert loaded.recipe_products(10**12, 10) == []
    assert loaded.recipes_by_ingredients(["없는재료"], 5) == []
    assert all("두부" in baskets[n.recipe_id] for n in loaded.recipes_by_ingredients(["두부"], 5))
    assert len(loaded.recipes_by_text("두부찌개", 5)) == 5
    assert loaded.products_by_text("뷁쉙", 5) == []
    completed = loaded.complete(["김", "두부"], 5, "두부찌개")
    assert len(completed) == 5
    assert not {"김", "두부"} & {name for name, _ in completed}


def _check_damage(built: Built, folder: Path) -> None:
    """A release without a file, with a changed one or with parts that do not fit is refused; the message names it."""
    manifest = releases.read_manifest(built.store, built.version, Manifest)
    for name in (
        ReleaseFile.BLEND_RANKERS,
        ReleaseFile.RECIPE_TEXTS,
        ReleaseFile.ENCODER_MODEL,
        ReleaseFile.PRODUCT_RECIPES,
    ):
        key = f"releases/{built.version}/{name}"
        data = built.store.get(key)
        for damaged in (data[:-1], data[:20] + bytes([data[20] ^ 1]) + data[21:]):
            built.store.put(key, damaged)
            with pytest.raises(CorruptRelease, match=name):
                publish.verify(built.warehouse, built.store, built.version)
        built.store.put(key, data)
    publish.verify(built.warehouse, built.store, built.version)
    (folder / ReleaseFile.INGREDIENTS).write_text(json.dumps(["하나"]), encoding="utf-8")
    with pytest.raises(CorruptRelease, match=ReleaseFile.INGREDIENT_VECTORS):
        LoadedRelease.open(folder)
    shipped = [name for name in ReleaseFile if name in manifest.files]
    # Nobody has taken anything yet.
    assert set(ReleaseFile) - set(shipped) == {ReleaseFile.PERSONAL_MODEL, ReleaseFile.PERSONAL_CONFIG}
    for name in reversed(shipped):
        (folder / name).unlink()
        with pytest.raises(CorruptRelease, match=f"{name} is missing"):
            LoadedRelease.open(folder)


@embedded_only
def test_the_gate_checks_the_files_that_are_served(
    trained: None, service: Engine, warehouse: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_index = faiss.write_index

    def write_zeros(index: faiss.Index, path: str) -> None:
        zeros = faiss.IndexIDMap2(faiss.IndexFlatIP(index.d))
        zeros.add_with_ids(np.zeros((index.ntotal, index.d), np.float32), faiss.vector_to_array(index.id_map))
        write_index(zeros if Path(path).name == ReleaseFile.RECIPE_TEXTS else index, path)

    monkeypatch.setattr(faiss, "write_index", write_zeros)
    manifest = build_release(service, warehouse, store, NOW)
    assert not manifest.gate.passed
    assert "content.arrays" not in failed_checks(manifest.gate)
    assert "encoder.index: " in failed_checks(manifest.gate)


def test_an_empty_corpus_is_refused(service: Engine, warehouse: Engine, store: Store) -> None:
    for step in (word2vec.train, bert.train_and_save):
        with pytest.raises(EmptyCorpus, match="ukok recipes import"):
            step(service, store, NOW)
    with pytest.raises(EmptyCorpus, match="ukok recipes import"):
        build_release(service, warehouse, store, NOW)


def test_a_release_needs_trained_models(service: Engine, warehouse: Engine, store: Store) -> None:
    fill(service, CONTENT)
    with pytest.raises(StoreError, match="ukok train word2vec"):
        build_release(service, warehouse, store, NOW)
