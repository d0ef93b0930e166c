"""Images that no kept crawl names, and empty folders of the store."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from artifacts.folder import FolderStore
from artifacts.store import Store
from crawlers.settings import CrawlSettings
from pipelines import crawl as crawl_step
from pipelines.maintenance.run import maintain
from pipelines.report import Report
from pipelines.settings import PipelineSettings
from tests.builders.raw_runs import put
from tests.conftest import embedded_only

NOW = datetime(2025, 8, 6, 12, tzinfo=UTC)


def put_state(store: Store, source: str, age: int, *hashes: str, hour: int = 0) -> None:
    """Write the image state of a crawl, with an image and its thumbnail in the store for each hash."""
    rows = [{"url": f"https://image/{each}.jpg", "sha256": each, "ending": "jpg"} for each in hashes]
    failed = {"url": "https://image/missing.jpg", "sha256": None, "ending": None}
    put(store, source, "images", NOW - timedelta(days=age, hours=-hour), [*rows, failed], [])
    for each in hashes:
        put_image(store, each)


def put_image(store: Store, name: str) -> None:
    for ending in ("jpg", "400.jpg"):
        store.put(f"images/{name[:2]}/{name}.{ending}", b"image")


def left(store: Store) -> set[str]:
    """Return the images of the store; each has both its sizes."""
    keys = store.list("images/")
    names = {key.split("/")[-1].partition(".")[0] for key in keys}
    assert len(keys) == 2 * len(names)
    return names


def clean(service: Engine, warehouse: Engine, store: Store, folder: Path, *, dry_run: bool = False) -> Report:
    settings = PipelineSettings(var_dir=folder)
    (report,) = maintain(service, warehouse, store, settings, NOW, dry_run, ["images"])
    return report


def test_images_go_with_the_crawls_that_name_them(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    put_state(store, "kok", 91, "aa01", "aa02", "ab03")
    put_state(store, "kok", 80, "aa02", "aa04")
    put_state(store, "kok", 80, "aa02", "aa04", "aa05", hour=1)
    put_state(store, "kok", 1, "aa06")
    put_state(store, "hmall", 200, "aa07")
    put_state(store, "hmall", 100, "ab03")  # the newest of this source
    put_image(store, "aa08")  # of a crawl that was killed
    everything = left(store)
    dry = clean(service, warehouse, store, tmp_path, dry_run=True)
    assert left(store) == everything
    assert dry.details["names"] == ["images/aa/aa01", "images/aa/aa07", "images/aa/aa08"]
    done = clean(service, warehouse, store, tmp_path)
    assert left(store) == {"aa02", "ab03", "aa04", "aa05", "aa06"}
    assert done.written == dry.written == 6


@embedded_only
def test_images_stay_while_a_crawl_stores_some(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_image(store, "aa01")
    found: list[Report] = []

    def crawl(*_: object) -> None:
        found.append(clean(service, warehouse, store, tmp_path))
        raise RuntimeError("enough")

    monkeypatch.setattr(crawl_step, "crawl", crawl)
    for images in (True, False):
        settings = CrawlSettings(crawl_images=images)
        with pytest.raises(RuntimeError, match="enough"):
            crawl_step.crawl_source("kok", warehouse, store, NOW.date(), 1, now=NOW, settings=settings)
        assert left(store) == ({"aa01"} if images else set())
    assert found[0].details["skipped"] == "a crawl that stores images is running"


def test_empty_folders_are_listed_and_removed(service: Engine, warehouse: Engine, store: Store, tmp_path: Path) -> None:
    for key in ("raw/kok/prices/dt=2025-08-01/run", "raw/kok/prices/dt=2025-08-02/run", "datasets/recipes/1/TABLES"):
        store.put(key, b"")
    for key in ("raw/kok/prices/dt=2025-08-01/run", "datasets/recipes/1/TABLES"):
        store.delete(key)
    empty = ["datasets", "datasets/recipes", "datasets/recipes/1", "raw/kok/prices/dt=2025-08-01"]
    expected = empty if isinstance(store, FolderStore) else []
    settings = PipelineSettings(var_dir=tmp_path)
    for dry_run, names in ((True, expected), (False, expected), (True, [])):
        (report,) = maintain(service, warehouse, store, settings, NOW, dry_run, ["folders"])
        assert sorted(report.details["names"]) == names
    assert store.list("") == ["raw/kok/prices/dt=2025-08-02/run"]
    store.put("datasets/recipes/2/TABLES", b"")
    store.remove_folder("datasets/recipes")
    assert store.exists("datasets/recipes/2/TABLES")
