"""Lineage: the chain from a release and from a product back to raw files and pages."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from artifacts.release import CorruptRelease
from artifacts.store import Store
from pipelines.lineage import NoLineage, ProductLineage, product_lineage, release_lineage
from pipelines.load.ledger import close_file, record_loaded, table_of
from pipelines.load.sources import load_source
from pipelines.report import record
from recommender.product_ref import ProductRef
from sql.service.catalog import LoadedFile
from tests.builders.command_line import run_ukok
from tests.builders.raw_runs import kst, price, product, put, put_prices, put_products
from tests.builders.small_catalog import fill
from tests.builders.tiny_release import build, make_live
from tests.conftest import embedded_only

NOW = datetime(2025, 8, 6, 12, tzinfo=UTC)


@embedded_only
def test_a_release_names_models_datasets_and_their_raw_files(service: Engine, warehouse: Engine, store: Store) -> None:
    fill(service)
    runs = [put(store, "kok", "prices", kst("01:00"), [], []), put(store, "kok", "prices", kst("02:00"), [], [])]
    recipes = put(store, "recipes", "recipes", kst("00:30"), [], [])
    with service.begin() as conn:
        for run in (*runs, recipes):
            record_loaded(conn, table_of(LoadedFile), run, 0)
        close_file(conn, table_of(LoadedFile), put(store, "kok", "prices", kst("03:00"), [], []))  # nothing of it
    version = build(service, warehouse, store, NOW)
    make_live(store, version)
    found = release_lineage(warehouse, store, version)
    assert (found.version, found.is_live, found.built_at) == (version, True, NOW)
    assert [step.step for step in found.builds] == ["build_release"]
    datasets = {dataset.name: dataset for dataset in found.datasets}
    assert (datasets["products"].raw_files, datasets["products"].newest) == (2, [runs[1].stem])
    assert datasets["recipes"].newest == [recipes.stem]
    assert [(model.kind, model.datasets[0].version) for model in found.models] == [
        ("word2vec", "small"),
        ("bert", "small"),
    ]
    with pytest.raises(CorruptRelease, match="there is no release 'none'"):
        release_lineage(warehouse, store, "none")


def test_a_product_is_traced_to_its_pages(service: Engine, warehouse: Engine, store: Store) -> None:
    with record(warehouse, store, "crawl_kok") as crawl:
        old = put_prices(store, kst("01:00"), [price(1), price(2)])
        crawl.details["run_id"] = old.run_id
    pages = put_products(store, kst("01:00"), [product(1), product(2)])
    new = put_prices(store, kst("02:00"), [price(2)])
    load_source("kok", service, warehouse, store)
    put_prices(store, kst("03:00"), [price(1), price(2)])  # is not loaded
    files = {file.raw_file: file for file in product_lineage(service, warehouse, store, ProductRef("kok", 1)).files}
    assert set(files) == {old.stem, pages.stem}
    assert (files[old.stem].page_url, files[pages.stem].page_url) == ("http://kok/list", "http://kok/product")
    assert [step.run_id for step in files[old.stem].crawl] == [crawl.run_id]
    assert {step.step for step in files[old.stem].loads} == {"load_kok", "load_kok_history"}
    newer = product_lineage(service, warehouse, store, ProductRef("kok", 2))
    assert new.stem in {file.raw_file for file in newer.files}
    assert newer.release is None
    with pytest.raises(NoLineage, match="no product kok:3"):
        product_lineage(service, warehouse, store, ProductRef("kok", 3))


@embedded_only
def test_the_command_prints_the_chain(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stack_env: dict[str, str],
    service: Engine,
    warehouse: Engine,
    store: Store,
) -> None:
    for name, value in stack_env.items():
        monkeypatch.setenv(name, value)
    put_prices(store, kst("01:00"), [price(1)])
    put_products(store, kst("01:00"), [product(1)])
    load_source("kok", service, warehouse, store)
    shown = run_ukok(monkeypatch, capsys, "lineage", "kok:1")
    assert shown.code == 0
    assert "http://kok/product" in shown.out
    assert "not in the live release" in shown.out
    found = ProductLineage.model_validate(json.loads(run_ukok(monkeypatch, capsys, "lineage", "kok:1", "--json").out))
    assert found.product == "kok:1"
    for wrong, reason in {"mall:1": "is no product", "kok:x": "is no product", "live": "no release is live"}.items():
        ended = run_ukok(monkeypatch, capsys, "lineage", wrong)
        assert ended.code == 1
        assert reason in ended.err
