"""Traffic of a crawl: counts of requests, and latency and timeline of fixed size, exact to within their buckets."""

from itertools import pairwise
from pathlib import Path
from random import Random

from scrapy import Request, signals
from scrapy.utils.test import get_crawler

from crawlers.items import CATEGORIES
from crawlers.run_report import LatencyReport
from crawlers.scrapy_process.crawl_stats import (
    BUCKETS_MS,
    MAX_STEPS,
    NO_RESPONSE,
    CrawlStats,
    LatencyHistogram,
    Timeline,
)
from crawlers.standin.faults import Fault
from crawlers.standin.server import running_standin
from tests.builders.small_crawl import NOON, catalog, crawl_into, kok


def test_retries_that_the_budget_refuses_are_not_counted(tmp_path: Path) -> None:
    products = catalog(kok=[kok(1_000_001 + n, category=CATEGORIES[n % len(CATEGORIES)]) for n in range(26)])
    with running_standin(products, NOON) as standin:
        standin.faults.rules[:] = [Fault("proCode", status=500)]
        frugal = standin.settings.model_copy(update={"crawl_daily_requests": 60, "crawl_retries": 3})
        traffic = crawl_into(tmp_path, "kok", frugal).reports["prices"].traffic
        sent = [target for _, target in standin.faults.seen]
    pages = [target for target in sent if "proCode" in target]  # the others are lists, robots.txt and probes
    assert traffic.requests == len(sent) == 60
    assert traffic.retries == len(pages) - len(set(pages)) > 0
    assert traffic.by_status == {"200": 60 - len(pages), "500": len(pages)}


def test_a_redirect_of_a_retry_is_no_further_retry() -> None:
    crawler = get_crawler()
    stats = CrawlStats.from_crawler(crawler)
    request = Request("http://host/1")
    for retry_times, copied in ((0, False), (1, True), (1, True), (2, True)):
        request = request.replace(url=request.url) if copied else request
        request.meta["retry_times"] = retry_times
        crawler.signals.send_catch_log(signals.request_reached_downloader, request=request, spider=None)
    assert stats.report().retries == 2


def test_requests_in_flight_count_as_no_response() -> None:
    crawler = get_crawler()
    stats = CrawlStats.from_crawler(crawler)
    assert crawler.stats is not None
    crawler.stats.set_value("downloader/request_count", 5)
    crawler.stats.set_value("downloader/response_status_count/200", 3)
    crawler.stats.set_value("downloader/exception_count", 1)
    assert stats.report().by_status == {"200": 3, NO_RESPONSE: 2}


def test_percentiles_are_exact_to_within_a_bucket() -> None:
    random = Random(1)
    times = sorted(random.lognormvariate(3, 1) for _ in range(10_000))
    latency = LatencyHistogram()
    for milliseconds in times:
        latency.add(milliseconds / 1000)
    report = latency.report()
    for share, percentile in ((50, report.p50), (90, report.p90), (99, report.p99)):
        exact = times[len(times) * share // 100 - 1]
        assert percentile is not None
        assert exact <= percentile <= 1.27 * exact
    assert report.max == round(times[-1], 2)
    assert sum(count for _, count in report.histogram) == 10_000
    assert all(low < high for (low, _), (high, _) in pairwise(report.histogram))


def test_a_response_slower_than_every_bucket_is_counted() -> None:
    latency = LatencyHistogram()
    latency.add(1_000)
    assert latency.report() == LatencyReport(p50=1e6, p90=1e6, p99=1e6, max=1e6, histogram=[(1e6, 1)])
    assert BUCKETS_MS[-1] < 1e6


def test_without_responses_there_are_no_percentiles() -> None:
    empty = LatencyReport(p50=None, p90=None, p99=None, max=0.0, histogram=[])
    assert LatencyHistogram().report() == empty


def test_a_long_crawl_has_no_longer_timeline() -> None:
    timeline = Timeline()
    for second in range(40_000):
        timeline.add(second + 0.5, 1, 10)
    points = timeline.report()
    assert MAX_STEPS / 2 < len(points) <= MAX_STEPS
    step = points[1][0]
    assert [point[0] for point in points] == [step * place for place in range(len(points))]
    assert [sum(column) for column in list(zip(*points, strict=True))[1:]] == [40_000, 400_000]
    assert {tuple(point[1:]) for point in points[:-1]} == {(step, 10 * step)}


def test_a_pause_longer_than_the_timeline_is_possible() -> None:
    timeline = Timeline()
    timeline.add(0, 1, 0)
    timeline.add(10_000, 1, 0)
    points = timeline.report()
    assert len(points) <= MAX_STEPS
    assert sum(requests for _, requests, _ in points) == 2
