"""Latency and timeline: of fixed size, and exact to within their buckets."""

from itertools import pairwise
from random import Random

from crawlers.run_report import LatencyReport
from crawlers.scrapy_process.crawl_stats import BUCKETS_MS, MAX_STEPS, LatencyHistogram, Timeline


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
