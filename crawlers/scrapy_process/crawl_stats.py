"""Traffic of a crawl for its run report.

Requests, bytes and statuses are Scrapy's own stats. Scrapy keeps no distributions and no count of retries sent, so
these are recorded here, in memory whose size does not depend on the crawl's.
"""

from bisect import bisect_left
from time import monotonic
from typing import Self

from scrapy import Request, signals
from scrapy.crawler import Crawler

from crawlers.run_report import LatencyReport, TrafficReport

BUCKETS_MS = tuple(round(10 ** (step / 10), 2) for step in range(52))  # upper bounds, 1 ms … 126 s, 26 % apart
MAX_STEPS = 300
NO_RESPONSE = "no response"
STATUS_STAT = "downloader/response_status_count/"
COUNTED_RETRIES = "counted_retries"


class LatencyHistogram:
    """Histogram of response times with fixed buckets; the last one is open."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS_MS) + 1)
        self._max = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(BUCKETS_MS, seconds * 1000)] += 1
        self._max = max(self._max, seconds * 1000)

    def report(self) -> LatencyReport:
        """Return the percentiles (each the upper bound of its bucket, at most the maximum) and the buckets in use."""
        bounds = [*BUCKETS_MS, round(self._max, 2)]
        return LatencyReport(
            p50=self._percentile(0.5),
            p90=self._percentile(0.9),
            p99=self._percentile(0.99),
            max=round(self._max, 2),
            histogram=[(bound, count) for bound, count in zip(bounds, self._counts, strict=True) if count],
        )

    def _percentile(self, share: float) -> float | None:
        wanted, so_far = share * sum(self._counts), 0
        for bound, count in zip((*BUCKETS_MS, self._max), self._counts, strict=True):
            so_far += count
            if count and so_far >= wanted:
                return round(min(bound, self._max), 2)
        return None


class Timeline:
    """Requests and bytes over time, in at most ``MAX_STEPS`` steps: when they run out, each becomes twice as long."""

    def __init__(self) -> None:
        self._step = 1
        self._points: list[tuple[int, int]] = []

    def add(self, second: float, requests: int, size: int) -> None:
        while second >= self._step * MAX_STEPS:
            self._step *= 2
            padded = [*self._points, (0, 0)]
            pairs = zip(padded[::2], padded[1::2], strict=False)
            self._points = [(one[0] + two[0], one[1] + two[1]) for one, two in pairs]
        place = int(second / self._step)
        self._points += [(0, 0)] * (place + 1 - len(self._points))
        before = self._points[place]
        self._points[place] = before[0] + requests, before[1] + size

    def report(self) -> list[tuple[int, int, int]]:
        """Return a row for each step: the second at which it starts, requests sent, bytes received."""
        return [(place * self._step, *point) for place, point in enumerate(self._points)]


def _stat(crawler: Crawler, name: str) -> int:
    """Return a counter of Scrapy's stats."""
    if crawler.stats is None:
        raise RuntimeError("the crawler has no stats collector")
    count: int = crawler.stats.get_value(name, 0)
    return count


def requests_sent(crawler: Crawler) -> int:
    """Return the number of requests sent so far, retries and robots.txt included."""
    return _stat(crawler, "downloader/request_count")


class CrawlStats:
    """Scrapy extension: records latency and timeline, and builds the traffic report."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._latency = LatencyHistogram()
        self._timeline = Timeline()
        self._timed = (0, 0)  # requests and bytes that are in the timeline
        self._retries = 0
        self._started = monotonic()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        stats = cls(crawler)
        crawler.signals.connect(stats.extend_timeline, signals.request_reached_downloader)
        crawler.signals.connect(stats.count_retry, signals.request_reached_downloader)
        crawler.signals.connect(stats.extend_timeline, signals.response_received)
        crawler.signals.connect(stats.measure_latency, signals.response_downloaded)
        return stats

    def extend_timeline(self) -> None:
        """Add what was sent and received since the last call."""
        requests, size = requests_sent(self._crawler), _stat(self._crawler, "downloader/response_bytes")
        self._timeline.add(self._seconds(), requests - self._timed[0], size - self._timed[1])
        self._timed = requests, size

    def count_retry(self, request: Request) -> None:
        """Count a retry that is sent. Scrapy's ``retry/count`` counts those that are scheduled, refused ones included.

        A redirect of a retry inherits its ``meta`` and is no further retry.
        """
        times = request.meta.get("retry_times", 0)
        if times > request.meta.get(COUNTED_RETRIES, 0):
            self._retries += 1
            request.meta[COUNTED_RETRIES] = times

    def measure_latency(self, request: Request) -> None:
        if "download_latency" in request.meta:
            self._latency.add(request.meta["download_latency"])

    def report(self) -> TrafficReport:
        """Return the traffic so far; requests in flight count as ``no response``.

        Bytes include headers and are counted before decompression.
        """
        self.extend_timeline()
        requests, size = self._timed
        stats = self._crawler.stats.get_stats() if self._crawler.stats else {}
        by_status = {
            name.removeprefix(STATUS_STAT): count for name, count in stats.items() if name.startswith(STATUS_STAT)
        }
        if unanswered := requests - sum(by_status.values()):
            by_status[NO_RESPONSE] = unanswered
        return TrafficReport(
            requests=requests,
            by_status=dict(sorted(by_status.items())),
            retries=self._retries,
            bytes=size,
            seconds=round(self._seconds(), 1),
            latency_ms=self._latency.report(),
            timeline=self._timeline.report(),
        )

    def _seconds(self) -> float:
        return monotonic() - self._started
