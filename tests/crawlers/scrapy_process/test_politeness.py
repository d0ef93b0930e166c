"""Politeness towards a host, measured at the host with its own clock; lower bounds only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest

from artifacts.open import open_store
from crawlers.registry import sources
from crawlers.runner.crawl import CrawlFailed, crawl
from crawlers.settings import CrawlSettings
from crawlers.standin.server import Standin, running_standin
from tests.builders.http_host import ALLOW_ALL, NOT_FOUND, Answer, Host, Received, page, running_host, shows
from tests.builders.small_crawl import DAY, NOON, catalog, crawl_into, kok, show
from ukok import __version__

PAUSE = 0.3  # seconds in the settings; a host that is slow to record a request may see less, but not half
ROBOTS = "/robots.txt"


def shortest_pause(seconds: list[float]) -> float:
    return min(after - before for before, after in pairwise(seconds))


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    shows_of_all = [
        show(channel, "14:00", "15:00", number)
        for channel, number in (
            (1, 10_000_001),
            (2, 2_234_340_850),
            (3, 2_234_340_851),
            (4, 35_000_001),
            (5, 35_000_002),
        )
    ]
    with running_standin(catalog(kok=[kok(1_000_001)], shows=shows_of_all), NOON) as running:
        yield running


def pace(standin: Standin, source: str, folder: Path, **values: object) -> list[float]:
    """Instants of the requests of a crawl with a pause of ``PAUSE``; all hosts of the stand-in are one."""
    standin.faults.seen.clear()
    crawl_into(folder, source, standin.settings.model_copy(update={"crawl_delay_seconds": PAUSE, **values}))
    return [second for second, _ in standin.faults.seen]


@pytest.mark.parametrize("source", sources())
def test_no_spider_is_faster_than_the_settings(source: str, standin: Standin, tmp_path: Path) -> None:
    seconds = pace(standin, source, tmp_path, crawl_images=source == "kok")
    assert len(seconds) > 3
    assert shortest_pause(seconds) > PAUSE / 2


@pytest.mark.parametrize("source", ["settings", "slots", "update"])
def test_a_spider_that_lowers_the_pause_is_detected(source: str, standin: Standin, tmp_path: Path) -> None:
    kok_url = standin.settings.kok_url
    seconds = pace(standin, source, tmp_path, spider_modules=("tests.crawlers.rude_spiders",), kok_url=kok_url)
    assert shortest_pause(seconds) < PAUSE / 2


@contextmanager
def schedule(answer: Callable[[Received], Answer | None]) -> Iterator[tuple[Host, CrawlSettings]]:
    """A broadcaster's host that answers with its schedule unless ``answer`` returns something else."""

    def answers(request: Received) -> Answer:
        other = answer(request)
        if other is not None:
            return other
        if request.path == ROBOTS:
            return Answer(ALLOW_ALL, "text/plain")
        return Answer(page(shows(request))) if "tvschedule" in request.path else NOT_FOUND

    with running_host(answers) as host:
        yield host, CrawlSettings(hnsmall_url=host.url, crawl_delay_seconds=PAUSE, contact="someone@example.org")


def crawl_fails(settings: CrawlSettings, folder: Path, reason: str, days: int = 1) -> None:
    with pytest.raises(CrawlFailed, match=reason):
        crawl("hnsmall", DAY, days, NOON, open_store(str(folder)), settings)


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (Answer("User-agent: ukok\nDisallow: /display/\n", "text/plain"), r"robots\.txt of .* forbids the page"),
        (Answer(status=503), r"robots\.txt of .* could not be read"),
        (Answer(status=429), r"robots\.txt of .* could not be read"),
    ],
)
def test_pages_that_robots_txt_forbids_are_not_requested(rules: Answer, reason: str, tmp_path: Path) -> None:
    with schedule(lambda request: rules if request.path == ROBOTS else None) as (host, settings):
        crawl_fails(settings.model_copy(update={"crawl_delay_seconds": 0, "crawl_retries": 0}), tmp_path, reason)
    assert {request.path for request in host.requests} == {ROBOTS}


def test_a_longer_crawl_delay_of_robots_txt_is_obeyed(tmp_path: Path) -> None:
    rules = Answer(f"{ALLOW_ALL}Crawl-delay: {3 * PAUSE}\n", "text/plain")
    with schedule(lambda request: rules if request.path == ROBOTS else None) as (host, settings):
        crawl_into(tmp_path, "hnsmall", settings, days=2)
    seconds = [request.second for request in host.requests]
    assert len(seconds) > 3
    assert shortest_pause(seconds) > 1.5 * PAUSE  # which our own pause never exceeds


def test_a_host_with_a_too_long_crawl_delay_is_not_crawled(tmp_path: Path) -> None:
    rules = Answer(f"{ALLOW_ALL}Crawl-delay: 3600\n", "text/plain")
    with schedule(lambda request: rules if request.path == ROBOTS else None) as (host, settings):
        crawl_fails(settings, tmp_path, r"robots\.txt of .* asks for 3600 s between requests")
    assert {request.path for request in host.requests} == {ROBOTS}


def test_a_host_without_robots_txt_is_read_with_our_user_agent(tmp_path: Path) -> None:
    with schedule(lambda request: NOT_FOUND if request.path == ROBOTS else None) as (host, settings):
        crawled = crawl_into(tmp_path, "hnsmall", settings.model_copy(update={"crawl_delay_seconds": 0}))
    assert len(crawled.shows) == 1
    assert host.requests[0].path == ROBOTS
    assert {each.headers["User-Agent"] for each in host.requests} == {f"ukok/{__version__} (+someone@example.org)"}


@pytest.mark.parametrize(
    ("status", "header"),
    [
        (503, lambda: "2"),
        # In whole seconds: between 2 and 3 from now.
        (429, lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)),
    ],
)
def test_retry_after_holds_back_queued_requests(status: int, header: Callable[[], str], tmp_path: Path) -> None:
    refused = 0

    def answer(request: Received) -> Answer | None:
        nonlocal refused
        if request.path == ROBOTS or refused:
            return None
        refused += 1
        return Answer(status=status, headers={"Retry-After": header()})

    with schedule(answer) as (host, settings):
        crawled = crawl_into(tmp_path, "hnsmall", settings, days=3)
    assert len(crawled.shows) == 3
    first, second = host.requests_for("tvschedule")[:2]
    assert second.second - first.second > 1.5


def test_a_host_with_a_too_long_retry_after_is_not_asked_again(tmp_path: Path) -> None:
    def answer(request: Received) -> Answer | None:
        return None if request.path == ROBOTS else Answer(status=503, headers={"Retry-After": "3600"})

    with schedule(answer) as (host, settings):
        crawl_fails(settings, tmp_path, "Retry-After: 3600", days=3)
    assert [request.path == ROBOTS for request in host.requests] == [True, False]


def test_consecutive_refusals_double_the_wait(tmp_path: Path) -> None:
    refusals = 0

    def answer(request: Received) -> Answer | None:
        nonlocal refusals
        if request.path == ROBOTS or refusals == 3:
            return None
        refusals += 1
        return Answer(status=(503, 429, 503)[refusals - 1])

    with schedule(answer) as (host, settings):
        crawled = crawl_into(tmp_path, "hnsmall", settings.model_copy(update={"crawl_delay_seconds": 0.1}))
    assert len(crawled.shows) == 1
    seconds = [request.second for request in host.requests_for("tvschedule")]
    waits = [after - before for before, after in pairwise(seconds[:4])]
    for wait, times in zip(waits, (2, 4, 8), strict=True):
        assert wait > 0.9 * times * 0.1
