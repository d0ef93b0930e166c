"""Faults that the stand-in injects into its responses."""

from collections.abc import Callable, Iterator
from time import monotonic

import httpx
import pytest
from parsel import Selector

from crawlers.standin.faults import (
    Fault,
    broken_off,
    empty_day,
    half_day,
    renamed,
    reset,
    sometimes,
    stall,
    truncated,
    unavailable,
)
from crawlers.standin.server import Standin, running_standin
from tests.builders.small_crawl import NOON, catalog, kok, show

DAYS = {
    "kok": "/kok.uplus.co.kr/m/event/category/uplus/page?code=1611&page=1",
    "hnsmall": "/www.hnsmall.com/display/tvschedule-list?broadDay=20250806",
    "hmall": "/wwwca.hmall.com/api/hf/dp/v1/main-tv-new/tv-list?brodType=etv&brodDt=20250806",
    "nsmall": "/mapi.nsmall.com/md/api/v1/display/media/schedule/tv/20250806?formDate=20250806&cnnlCd=TV",
}
PRICES = "/mapi.nsmall.com/md/api/v1/display/media/schedule/brdctPriceInfo?formDate=20250806&CnnlCd=tv"


@pytest.fixture(scope="module")
def running() -> Iterator[Standin]:
    shows = [
        show(channel, f"{hour:02}:00", f"{hour:02}:30", 30_000_000 + hour)
        for channel in (1, 2, 4)
        for hour in range(6, 10)
    ]
    with running_standin(catalog(kok=[kok(n) for n in range(1, 5)], shows=shows), NOON) as standin:
        yield standin


@pytest.fixture
def standin(running: Standin) -> Iterator[Standin]:
    yield running
    running.faults.rules.clear()
    running.faults.seen.clear()


def rows(body: str) -> int:
    """Count the rows of a listing of any source."""
    if body.startswith("{"):
        answer = Selector(body, type="json")
        return len(answer.jmespath("respData.broadItemList || data.resultData.totalOrgan"))
    return len(Selector(body).css("div.card.product-section-ul-li, li.item"))


@pytest.mark.parametrize("path", DAYS.values(), ids=DAYS)
@pytest.mark.parametrize(("fault", "left"), [(empty_day, 0), (half_day, 2)])
def test_a_day_without_rows_and_half_a_day_are_sound_pages(
    standin: Standin, path: str, fault: Callable[[str], Fault], left: int
) -> None:
    assert rows(httpx.get(standin.url + path).text) == 4
    standin.faults.rules[:] = [fault("20250806"), fault("code=1611")]
    answer = httpx.get(standin.url + path)
    assert (answer.status_code, rows(answer.text)) == (200, left)
    assert answer.text.rstrip().endswith(("</html>", "}"))


def test_half_a_day_leaves_prices_alone(standin: Standin) -> None:
    before = httpx.get(standin.url + PRICES).json()
    standin.faults.rules[:] = [half_day("20250806")]
    assert httpx.get(standin.url + PRICES).json() == before


@pytest.mark.parametrize(
    ("source", "name"),
    [("kok", "product-section-ul-li"), ("hnsmall", "scheduleWrap"), ("hmall", "slitmCd"), ("nsmall", "totalOrgan")],
)
def test_a_class_or_key_is_renamed(standin: Standin, source: str, name: str) -> None:
    standin.faults.rules[:] = [renamed("", name)]
    body = httpx.get(standin.url + DAYS[source]).text
    assert body.count(f"{name}_v2") == body.count(name) > 0


def test_a_changed_page_has_other_validators(standin: Standin) -> None:
    sound = httpx.get(standin.url + DAYS["kok"])
    standin.faults.rules[:] = [truncated("code=1611")]
    headers = {"If-None-Match": sound.headers["ETag"], "If-Modified-Since": sound.headers["Last-Modified"]}
    cut = httpx.get(standin.url + DAYS["kok"], headers=headers)
    assert (cut.status_code, len(cut.content)) == (200, len(sound.content) // 2)
    assert cut.headers["Last-Modified"] > sound.headers["Last-Modified"]


def test_a_stalled_response_is_right_but_late(standin: Standin) -> None:
    standin.faults.rules[:] = [stall("code=1611", 0.3, times=1)]
    began = monotonic()
    assert rows(httpx.get(standin.url + DAYS["kok"]).text) == 4
    assert monotonic() - began >= 0.3


def test_a_response_breaks_off_before_its_announced_length(standin: Standin) -> None:
    standin.faults.rules[:] = [broken_off("code=1611", times=1)]
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        httpx.get(standin.url + DAYS["kok"])
    assert rows(httpx.get(standin.url + DAYS["kok"]).text) == 4


def test_a_connection_is_reset(standin: Standin) -> None:
    standin.faults.rules[:] = [reset("code=1611", times=1)]
    with pytest.raises(httpx.ReadError):
        httpx.get(standin.url + DAYS["kok"])
    assert httpx.get(standin.url + DAYS["kok"]).status_code == 200


def struck(standin: Standin, rule: Fault) -> list[int]:
    standin.faults.rules[:] = [rule]
    with httpx.Client(base_url=standin.url) as http:
        return [number for number in range(200) if http.get(f"/robots.txt?{number}").status_code == 503]


def test_the_seed_determines_which_requests_fail(standin: Standin) -> None:
    first = struck(standin, sometimes(unavailable("/robots"), share=0.2, seed=1))
    assert 25 <= len(first) <= 55
    assert struck(standin, sometimes(unavailable("/robots"), share=0.2, seed=1)) == first
    assert struck(standin, sometimes(unavailable("/robots"), share=0.2, seed=2)) != first
    assert struck(standin, sometimes(unavailable("/robots", times=3), share=0.2, seed=1)) == first[:3]


def test_the_first_fault_that_applies_counts(standin: Standin) -> None:
    standin.faults.rules[:] = [unavailable("page=2"), unavailable("/robots", times=1, retry_after="7")]
    answers = [httpx.get(f"{standin.url}/robots.txt") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [503, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert len(standin.faults.requests_for("/robots")) == 2
