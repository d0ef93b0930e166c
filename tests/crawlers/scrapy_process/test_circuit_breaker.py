"""A host that is away for a while, or for good, counted by the requests that it receives meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crawlers.scrapy_process.circuit_breaker import FAILURES, PROBES
from crawlers.settings import CrawlSettings
from tests.builders.http_host import ALLOW_ALL, HANG_UP, Answer, Host, Received, page, running_host, shows
from tests.builders.small_crawl import Crawled, crawl_into

PRODUCTS = range(10_000_001, 10_000_041)
IN_FLIGHT = 8
BUSY = Answer(status=503)


@contextmanager
def shop(fault: Callable[[int, Received], Answer | None]) -> Iterator[tuple[Host, CrawlSettings]]:
    """A broadcaster whose product pages follow its schedule. ``fault`` gets the number of pages asked for so far."""
    asked = 0

    def answer(request: Received) -> Answer:
        nonlocal asked
        if request.path == "/robots.txt":
            return Answer(ALLOW_ALL, "text/plain")
        if "goods.do" in request.path or asked:
            asked += 1
            if found := fault(asked, request):
                return found
        if "goods.do" in request.path:
            return Answer(page('<div class="priceTotal"></div><div id="tab1Cont">설명</div>'))
        return Answer(page(shows(request, *PRODUCTS)))

    with running_host(answer) as host:
        yield host, CrawlSettings(hnsmall_url=host.url, crawl_delay_seconds=0, crawl_outage_seconds=1)


def products_read(crawled: Crawled) -> list[int]:
    return sorted(item["source_product_id"] for item in crawled.items["products"])


@pytest.mark.parametrize("fault", [BUSY, HANG_UP, Answer(status=500)])
def test_a_host_that_is_away_is_waited_for(fault: Answer, tmp_path: Path) -> None:
    failing = IN_FLIGHT + 2  # more than are in flight when it is suspected, fewer than with all probes
    with shop(lambda asked, _: fault if 5 < asked <= 5 + failing else None) as (host, settings):
        crawled = crawl_into(tmp_path, "hnsmall", settings)
    assert products_read(crawled) == list(PRODUCTS)
    assert crawled.scope("products", products="due").complete
    sent = len(host.requests_for("goods.do"))
    assert sent <= len(PRODUCTS) + FAILURES + 2 * IN_FLIGHT + PROBES


def test_a_host_that_stays_away_is_left_alone(tmp_path: Path) -> None:
    with shop(lambda asked, _: HANG_UP if asked > 5 else None) as (host, settings):
        crawled = crawl_into(tmp_path, "hnsmall", settings)
    assert len(crawled.shows) == len(PRODUCTS)
    assert products_read(crawled) == sorted(products_read(crawled))
    assert 0 < len(products_read(crawled)) <= 5
    # A connection that was open already is tried once more at once.
    assert len(host.requests_for("goods.do")) <= 5 + FAILURES + 2 * IN_FLIGHT + PROBES
    reasons = {fault.reason for fault in crawled.faults("products", "page")}
    assert any("did not answer for 1 s" in reason and "crawl again" in reason for reason in reasons)
    assert not crawled.scope("products", products="due").complete


def test_broken_pages_of_a_host_that_answers_cost_only_themselves(tmp_path: Path) -> None:
    broken = {f"goods_code={number}" for number in PRODUCTS[::3]}
    with shop(lambda _, request: BUSY if any(code in request.path for code in broken) else None) as (host, settings):
        crawled = crawl_into(tmp_path, "hnsmall", settings)
    assert products_read(crawled) == [number for number in PRODUCTS if f"goods_code={number}" not in broken]
    for code in broken:
        # one of them may answer a probe, but none is asked for more often than its retries allow
        assert len(host.requests_for(code)) == 1 + settings.crawl_retries


@pytest.mark.parametrize("fault", [HANG_UP, Answer(status=429, headers={"Retry-After": "4"})])
def test_a_host_that_is_away_delays_no_other_host(fault: Answer, tmp_path: Path) -> None:
    """A host with the descriptions is away until the other one has served every product page."""

    def describe(request: Received) -> Answer:
        if request.path == "/robots.txt":
            return Answer(ALLOW_ALL, "text/plain")
        is_back = len(shop_host.requests_for("goods.do")) == len(PRODUCTS)
        return Answer(page("설명")) if is_back or len(frames.requests_for("frame")) <= 2 else fault

    def sell(request: Received) -> Answer:
        if request.path == "/robots.txt":
            return Answer(ALLOW_ALL, "text/plain")
        if "goods.do" in request.path:
            frame = frames.url.replace("127.0.0.1", "localhost") + f"/frame?{request.path[-8:]}"
            return Answer(page(f'<div class="priceTotal"></div><iframe id="goodsDescribeView" src="{frame}"></iframe>'))
        return Answer(page(shows(request, *PRODUCTS)))

    with running_host(describe) as frames, running_host(sell) as shop_host:
        settings = CrawlSettings(hnsmall_url=shop_host.url, crawl_delay_seconds=0, crawl_outage_seconds=20)
        crawled = crawl_into(tmp_path, "hnsmall", settings)
    assert products_read(crawled) == list(PRODUCTS)
    assert {item["description"] for item in crawled.items["products"]} == {"설명"}
