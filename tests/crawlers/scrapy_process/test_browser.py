"""Pages rendered by Chromium, and politeness while they are rendered."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from artifacts.open import open_store
from crawlers.runner.crawl import CrawlFailed, crawl
from crawlers.settings import CrawlSettings
from crawlers.standin.server import Standin, running_standin
from tests.builders.http_host import ALLOW_ALL, NOT_FOUND, Answer, Host, Received, page, running_host, shows
from tests.builders.small_crawl import DAY, NOON, Crawled, catalog, crawl_into, show
from ukok import __version__

ALL_SHOWS = [
    show(1, "14:00", "15:00", 10_000_000, on=-1),
    show(1, "14:00", "15:00", 10_000_001),
    show(1, "14:00", "15:00", 10_000_002, on=1),
]
SHELL = """
    <link rel="stylesheet" href="/www.hnsmall.com/style.css"><img src="/www.hnsmall.com/picture.png">
    <iframe src="/www.hnsmall.com/frame"></iframe>
    <script src="http://{elsewhere}/www.hnsmall.com/advertisement.js"></script>
    <script src="/www.hnsmall.com/app.js"></script>"""
APP = """
    fetch('/www.hnsmall.com/secret/seen', {method: 'GET'}).catch(() => null).then(
        () => fetch('/www.hnsmall.com/rows' + location.search)
    ).then(answer => answer.text()).then(rows => {
        document.body.insertAdjacentHTML('beforeend', rows);
        new WebSocket('ws://' + location.host + '/www.hnsmall.com/socket');
    })"""


@pytest.fixture(scope="module")
def chromium() -> str:
    """Path of Chromium; without it the test is skipped, and fails in CI."""
    program = CrawlSettings().chromium_path
    if program is None:
        message = (
            "no Chromium: `apt-get install chromium`, or name its program in UKOK_CHROMIUM; `make test` then uses it"
        )
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return program


def rendered(settings: CrawlSettings, **values: object) -> CrawlSettings:
    return settings.model_copy(update={"crawl_browser": frozenset({"hnsmall"}), **values})


@pytest.fixture(scope="module")
def scripted() -> Iterator[Standin]:
    with running_standin(catalog(shows=ALL_SHOWS), NOON, scripted=("hnsmall",)) as standin:
        yield standin


def test_a_page_of_scripts_cannot_be_read_without_a_browser(scripted: Standin, tmp_path: Path) -> None:
    with pytest.raises(CrawlFailed, match="no div#scheduleWrap"):
        crawl("hnsmall", DAY, 2, NOON, open_store(str(tmp_path)), scripted.settings)


def test_a_page_of_scripts_is_read_in_full_with_a_browser(scripted: Standin, chromium: str, tmp_path: Path) -> None:
    crawled = crawl_into(tmp_path, "hnsmall", rendered(scripted.settings), days=2)
    assert {item["source_product_id"] for item in crawled.shows} == {10_000_001, 10_000_002}
    assert [scope.complete for scope in crawled.reports["schedule"].scopes] == [True, True]


class Site:
    """A schedule whose rows a script fetches, from a host that is busy at first."""

    def __init__(self) -> None:
        self.busy = 1

    def answer(self, request: Received) -> Answer:
        path = urlsplit(request.path).path.removeprefix("/www.hnsmall.com")
        if path == "/robots.txt":
            return Answer("User-agent: ukok\nDisallow: /www.hnsmall.com/secret/\n", "text/plain")
        if path == "/display/tvschedule-list":
            elsewhere = request.headers["Host"].replace("127.0.0.1", "localhost")
            return Answer(page(SHELL.format(elsewhere=elsewhere)))
        if path == "/app.js":
            return Answer(APP, "text/javascript")
        if path == "/rows" and self.busy:
            self.busy -= 1
            return Answer(status=503, headers={"Retry-After": "1"})
        return Answer(shows(request)) if path == "/rows" else NOT_FOUND


@pytest.fixture(scope="module")
def visit(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, Crawled]]:
    """A crawl of the site's days with a pause of 0.3 s."""
    with running_host(Site().answer) as host:
        settings = CrawlSettings(
            hnsmall_url=f"{host.url}/www.hnsmall.com",
            contact="someone@example.org",
            crawl_browser=frozenset({"hnsmall"}),
            crawl_delay_seconds=0.3,
        )
        yield host, crawl_into(tmp_path_factory.mktemp("visit"), "hnsmall", settings, days=2)


def test_what_scripts_fetch_is_on_the_page(visit: tuple[Host, Crawled]) -> None:
    _, crawled = visit
    assert {item["requested_day"] for item in crawled.shows} == {"2025-08-06", "2025-08-07"}
    assert [scope.complete for scope in crawled.reports["schedule"].scopes] == [True, True]


def test_a_rendered_page_costs_itself_and_its_script_requests(visit: tuple[Host, Crawled]) -> None:
    host, crawled = visit
    paths = [urlsplit(request.path).path for request in host.requests]
    listed = [path for path in paths if "goods" not in path]
    assert sorted(listed) == sorted(
        ["/robots.txt"]
        + 3 * ["/www.hnsmall.com/display/tvschedule-list"]
        + ["/www.hnsmall.com/app.js"]  # once in a crawl
        + 4 * ["/www.hnsmall.com/rows"]  # one of them was refused at first
    )
    assert crawled.reports["schedule"].traffic.requests == len(host.requests)


def test_rendered_pages_are_requested_politely(visit: tuple[Host, Crawled]) -> None:
    host, _ = visit
    assert {each.headers["User-Agent"] for each in host.requests} == {f"ukok/{__version__} (+someone@example.org)"}
    seconds = [request.second for request in host.requests]
    pauses = [after - before for before, after in pairwise(seconds)]
    assert min(pauses) > 0.15
    refused = seconds.index(host.requests_for("/rows")[0].second)
    assert pauses[refused] > 0.9  # Retry-After: 1


def test_a_failed_request_of_a_script_fails_the_page(chromium: str, tmp_path: Path) -> None:
    def answer(request: Received) -> Answer:
        if "/rows" in request.path:
            return Answer(status=500)
        if "tvschedule" in request.path:  # a first row is on the page, the others are not
            return Answer(page(shows(request) + f"<script>{APP}</script>"))
        return Answer(ALLOW_ALL, "text/plain") if "robots" in request.path else NOT_FOUND

    with running_host(answer) as host:
        settings = CrawlSettings(
            hnsmall_url=f"{host.url}/www.hnsmall.com",
            crawl_browser=frozenset({"hnsmall"}),
            crawl_delay_seconds=0,
            crawl_retries=0,
        )
        with pytest.raises(CrawlFailed, match=r"could not be rendered: http://.*/rows\?.*: HTTP 500"):
            crawl("hnsmall", DAY, 1, NOON, open_store(str(tmp_path)), settings)


def test_a_truncated_page_is_not_completed_by_the_browser(scripted: Standin, chromium: str, tmp_path: Path) -> None:
    def answer(request: Received) -> Answer:
        if "tvschedule" in request.path:
            return Answer(page(shows(request)).removesuffix("</body></html>"))
        return NOT_FOUND

    with running_host(answer) as host:
        settings = CrawlSettings(hnsmall_url=f"{host.url}/www.hnsmall.com", crawl_delay_seconds=0)
        with pytest.raises(CrawlFailed, match="truncated HTML"):
            crawl("hnsmall", DAY, 1, NOON, open_store(str(tmp_path)), rendered(settings))


def test_validators_are_dropped_if_scripts_fetched_data(chromium: str, tmp_path: Path) -> None:
    changed = format_datetime(NOON.astimezone(UTC), usegmt=True)
    price = '<div class="priceTotal"><div class="sellPrice"><strong>39,900</strong></div></div>'
    fetches = f"<script>{APP}</script>"

    def answer(request: Received) -> Answer:
        if "tvschedule" in request.path:
            return Answer(page(shows(request, 10_000_001, 10_000_002)))
        if "goods.do" in request.path:
            if request.headers["If-None-Match"]:
                return Answer(status=304, headers={"ETag": '"1"'})
            content = price + (fetches if "10000002" in request.path else "")
            return Answer(page(content), headers={"ETag": '"1"', "Last-Modified": changed})
        return Answer("more", "text/plain") if "/rows" in request.path else NOT_FOUND

    with running_host(answer) as host:
        settings = rendered(
            CrawlSettings(hnsmall_url=f"{host.url}/www.hnsmall.com", crawl_delay_seconds=0, crawl_page_age_days=1)
        )
        for days in (0, 30):
            crawl_into(tmp_path, "hnsmall", settings, now=NOON + timedelta(days=days))
        conditions = {
            number: [request.headers["If-None-Match"] for request in host.requests_for(f"goods.do?goods_code={number}")]
            for number in (10_000_001, 10_000_002)
        }
    assert conditions == {10_000_001: [None, '"1"'], 10_000_002: [None, None]}


def test_without_chromium_the_error_says_how_to_install_it(tmp_path: Path) -> None:
    settings = CrawlSettings(
        hnsmall_url="http://127.0.0.1:9", crawl_browser=frozenset({"hnsmall"}), chromium="/nowhere/chromium"
    )
    with pytest.raises(CrawlFailed, match="apt-get install chromium"):
        crawl("hnsmall", DAY, 1, NOON, open_store(str(tmp_path)), settings)


def test_a_source_to_render_must_be_one(tmp_path: Path) -> None:
    settings = CrawlSettings(kok_url="http://127.0.0.1:9", crawl_browser=frozenset({"hsnmall"}))
    with pytest.raises(CrawlFailed, match="names unknown sources"):
        crawl("kok", DAY, 1, NOON, open_store(str(tmp_path)), settings)


@pytest.mark.parametrize("text", ['["kok", "hnsmall"]', "kok,hnsmall", " kok , hnsmall ,"])
def test_sources_to_render_are_a_json_or_comma_separated_list(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UKOK_CRAWL_BROWSER", text)
    assert CrawlSettings().crawl_browser == {"kok", "hnsmall"}


def test_browser_and_images_are_imported_only_if_used() -> None:
    code = """
import sys
from crawlers.scrapy_process.politeness import scrapy_settings
from crawlers.settings import CrawlSettings
from ukok import __version__
from scrapy.crawler import AsyncCrawlerProcess
import crawlers.runner.crawl
AsyncCrawlerProcess(scrapy_settings(CrawlSettings(crawl_browser=frozenset({"kok"})), "hnsmall"))
print(sorted({"playwright", "scrapy_playwright", "PIL"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
