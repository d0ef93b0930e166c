"""Recorded pages yield their recorded items, and pages can be recorded."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crawlers.runner.crawl import CrawlFailed
from crawlers.runner.record import record, replay
from crawlers.settings import CrawlSettings
from crawlers.standin.faults import replaced, unavailable
from crawlers.standin.server import Standin, running_standin
from pipelines.cli.app import app
from tests.builders.small_crawl import NOON, catalog, kok, show

RECORDED = sorted(path.parent for path in (Path(__file__).parents[1] / "recorded").glob("*/meta.json"))
PRODUCT = "https://kok.uplus.co.kr/m/product?proCode=MTAwMDAwMQ=="
SCHEDULE = "/md/api/v1/display/media/schedule/tv/20250806?formDate=20250806&cnnlCd=TV"


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    shows = [show(4, "14:00", "15:00", 35_000_001)]
    with running_standin(catalog(kok=[kok(1_000_001, review_score=4.5, review_count=9)], shows=shows), NOON) as running:
        yield running


@pytest.fixture(autouse=True)
def _sound(standin: Standin) -> Iterator[None]:
    yield
    standin.faults.rules.clear()


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_a_recorded_page_still_yields_its_items(folder: Path) -> None:
    assert replay(folder) == json.loads((folder / "items.json").read_text(encoding="utf-8"))


def test_a_page_is_recorded_with_its_items_and_its_real_url(standin: Standin, tmp_path: Path) -> None:
    folder = tmp_path / "product"
    items = record(PRODUCT, folder, NOON, standin.settings)
    assert [item["kok_product_id"] for item in items] == [1_000_001]
    assert items[0]["page_url"] == PRODUCT
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    assert (meta["source"], meta["url"], meta["now"]) == ("kok", PRODUCT, NOON.isoformat())
    assert [(response["url"], response["status"]) for response in meta["responses"]] == [(PRODUCT, 200)]
    assert replay(folder) == items == json.loads((folder / "items.json").read_text(encoding="utf-8"))


def test_a_recorded_page_holds_no_names_of_customers(standin: Standin, tmp_path: Path) -> None:
    standin.faults.rules[:] = [replaced("proCode", "</body>", '<div class="phone">바다소년</div></body>')]
    record(PRODUCT, tmp_path / "product", NOON, standin.settings)
    page = (tmp_path / "product" / "1.html").read_text(encoding="utf-8")
    assert '<div class="phone">바**</div>' in page
    assert "바다소년" not in page


def test_the_responses_of_a_page_are_recorded_in_order(standin: Standin, tmp_path: Path) -> None:
    (item,) = record(f"{standin.settings.nsmall_api_url}{SCHEDULE}", tmp_path / "day", NOON, standin.settings)
    assert (item["dataset"], item["price"], item["source_product_id"]) == ("schedule", 35_900, 35_000_001)
    meta = json.loads((tmp_path / "day" / "meta.json").read_text(encoding="utf-8"))
    assert meta["url"] == f"https://mapi.nsmall.com{SCHEDULE}"
    assert ["brdctPriceInfo" in response["url"] for response in meta["responses"]] == [True, False]


def test_a_large_page_is_recorded_gzipped(standin: Standin, tmp_path: Path) -> None:
    standin.faults.rules[:] = [replaced("proCode", "</body>", f"<!-- {'x' * 70_000} --></body>")]
    items = record(PRODUCT, tmp_path / "large", NOON, standin.settings)
    assert (tmp_path / "large" / "1.html.gz").stat().st_size < 10_000
    assert replay(tmp_path / "large") == items


def test_recording_obeys_robots_txt_and_leaves_nothing_behind(standin: Standin, tmp_path: Path) -> None:
    standin.faults.rules[:] = [replaced("/robots.txt", r"(?s)^.*$", "User-agent: *\nDisallow: /", count=1)]
    with pytest.raises(CrawlFailed, match=r"robots\.txt"):
        record(PRODUCT, tmp_path / "product", NOON, standin.settings)
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_fetched_is_not_recorded(standin: Standin, tmp_path: Path) -> None:
    standin.faults.rules[:] = [unavailable("proCode")]
    settings = standin.settings.model_copy(update={"crawl_retries": 0})
    with pytest.raises(CrawlFailed, match="could not be recorded: HTTP 503"):
        record(PRODUCT, tmp_path / "product", NOON, settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://shop.example/goods/1", "belongs to no source"),
        ("https://kok.uplus.co.kr/m/basket", "is not a page that the spider of kok reads"),
        ("https://kok.uplus.co.kr/m/product?proCode=%21", "is not the base64 of a product id"),
        ("https://www.hnsmall.com/display/goods.do", "is not a page that the spider of hnsmall reads"),
        ("https://wwwca.hmall.com/api/hf/dp/v1/main-tv-new/tv-list?brodDt=20250806&brodType=xtv", "unknown channel"),
        ("https://m.nsmall.com/event/7", "is not a page that the spider of nsmall reads"),
    ],
)
def test_a_url_that_no_spider_reads_is_refused(url: str, reason: str, standin: Standin, tmp_path: Path) -> None:
    with pytest.raises(CrawlFailed, match=reason):
        record(url, tmp_path / "page", NOON, standin.settings)


def test_the_real_hosts_are_not_asked_without_a_contact(tmp_path: Path) -> None:
    with pytest.raises(CrawlFailed, match="set UKOK_CONTACT"):
        record(PRODUCT, tmp_path / "page", NOON, CrawlSettings())


def test_the_command_records_into_a_folder_named_after_the_url(
    standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in standin.env.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["crawl", "record", PRODUCT, "--into", str(tmp_path)])
    assert done.exit_code == 0
    assert "1 items in" in done.output
    (folder,) = tmp_path.iterdir()
    assert folder.name == "kok.uplus.co.kr_m_product_proCode_MTAwMDAwMQ"
    assert len(replay(folder)) == 1


def test_a_recording_is_never_overwritten(standin: Standin, tmp_path: Path) -> None:
    with pytest.raises(CrawlFailed, match="exists already"):
        record(PRODUCT, tmp_path, NOON, standin.settings)
