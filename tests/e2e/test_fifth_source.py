"""A fifth source is a spider module and an entry in the settings; no other code names it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from artifacts.store import Store
from crawlers.registry import broadcasters, sources
from crawlers.runner.crawl import crawl
from crawlers.settings import CrawlSettings
from crawlers.standin.server import running_standin
from pipelines.load.sources import load_source
from sql.service.catalog import Broadcast, HomeShoppingProduct
from sql.service.pages import ProductDetail, ProductImage
from sql.warehouse.history import DimProduct, FctBroadcast
from tests.builders.hanbit_pages import HANBIT
from tests.builders.small_crawl import DAY, NOON, catalog, show
from tests.conftest import embedded_only

PACKAGES = ("crawlers.spiders", "tests.crawlers.more_sources")


@pytest.fixture(scope="module")
def settings() -> Iterator[CrawlSettings]:
    shows = [
        show(9, "09:00", "10:00", 90_000_001),
        show(9, "09:00", "10:00", 90_000_002, "sub"),
        show(9, "23:50", "01:00", 90_000_003),
        show(1, "09:00", "10:00", 90_000_001),
    ]
    with running_standin(catalog(shows=shows), NOON, further=HANBIT) as standin:
        yield standin.settings.model_copy(update={"spider_modules": PACKAGES})


def test_it_is_found_by_its_module(settings: CrawlSettings) -> None:
    assert sources(settings) == ("kok", "hanbit", "hmall", "hnsmall", "nsmall")
    assert broadcasters(settings) == ("hanbit", "hmall", "hnsmall", "nsmall")


@embedded_only
def test_it_is_crawled_and_loaded_like_the_others(
    settings: CrawlSettings, service: Engine, warehouse: Engine, store: Store
) -> None:
    runs = crawl("hanbit", DAY, 1, NOON, store, settings)
    assert {run.dataset for run in runs} == {"schedule", "products"}
    load_source("hanbit", service, warehouse, store)
    with service.connect() as conn:
        broadcasts = conn.execute(
            select(Broadcast.channel_id, Broadcast.source_product_id, Broadcast.slot, Broadcast.starts_at)
            .where(Broadcast.source == "hanbit")
            .order_by(Broadcast.source_product_id)
        ).all()
        at_nine = NOON - timedelta(hours=3)
        assert [tuple(row) for row in broadcasts] == [
            (9, 90_000_001, "main", at_nine),
            (9, 90_000_002, "sub", at_nine),
            (9, 90_000_003, "main", at_nine + timedelta(hours=14, minutes=50)),
        ]
        product = conn.execute(
            select(HomeShoppingProduct.store_name, HomeShoppingProduct.price, HomeShoppingProduct.list_price)
            .where(HomeShoppingProduct.source == "hanbit")
            .distinct()
        ).all()
        assert [tuple(row) for row in product] == [("한빛농원", 35_900, 39_900)]
        images = conn.scalars(select(ProductImage.image_url).where(ProductImage.source == "hanbit")).all()
        assert "https://image.hanbit.example/90000001.jpg" in images
        assert len(conn.execute(select(ProductDetail).where(ProductDetail.source == "hanbit")).all()) == 6
    with warehouse.connect() as conn:
        assert len(conn.execute(select(FctBroadcast).where(FctBroadcast.source == "hanbit")).all()) == 3
        assert len(conn.execute(select(DimProduct).where(DimProduct.source == "hanbit")).all()) == 3
    # The second crawl reads no product page, and the second load writes nothing.
    again = crawl("hanbit", DAY, 1, NOON + timedelta(hours=3), store, settings)
    reports = load_source("hanbit", service, warehouse, store)
    assert len(again) == 2
    assert [report.written for report in reports] == [0, 0]
