"""What went over the wire in a crawl, in figures whose size does not depend on the crawl's."""

from bisect import bisect_left
from collections import Counter
from time import monotonic
from typing import Any, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawlers.spiders_base.source_spider import SourceSpider

UPPER_MS = tuple(round(10 ** (step / 10), 2) for step in range(52))  # 1 ms … 126 s, 26 % apart
POINTS = 300
NO_ANSWER = "no answer"


class BudgetSpent(IgnoreRequest):
    """A request was not sent, since the source may get no further one on this day."""


class Latency:
    """A histogram of answer times with fixed bounds, each an upper limit in ms; the last bucket is open."""

    def __init__(self) -> None:
        self._counts = [0] * (len(UPPER_MS) + 1)
        self._max = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(UPPER_MS, seconds * 1000)] += 1
        self._max = max(self._max, seconds * 1000)

    def report(self) -> dict[str, Any]:
        """Percentiles (each the upper bound of its bucket, at most the largest time) and the buckets in use."""
        uppers = [*UPPER_MS, round(self._max, 2)]
        histogram = [[upper, count] for upper, count in zip(uppers, self._counts, strict=True) if count]
        percentiles = {f"p{share}": self._percentile(share / 100) for share in (50, 90, 99)}
        return {**percentiles, "max": round(self._max, 2), "histogram": histogram}

    def _percentile(self, share: float) -> float | None:
        wanted, so_far = share * sum(self._counts), 0
        for upper, count in zip((*UPPER_MS, self._max), self._counts, strict=True):
            so_far += count
            if count and so_far >= wanted:
                return round(min(upper, self._max), 2)
        return None


class Timeline:
    """Requests and bytes by time, in at most ``POINTS`` steps: when they run out, each becomes twice as long."""

    def __init__(self) -> None:
        self._step = 1
        self._points: list[list[int]] = []

    def add(self, second: float, requests: int, size: int) -> None:
        while second >= self._step * POINTS:
            self._step *= 2
            halves = [*self._points, [0, 0]]
            self._points = [
                [one + two for one, two in zip(*pair, strict=True)]
                for pair in zip(halves[::2], halves[1::2], strict=False)
            ]
        place = int(second / self._step)
        self._points += [[0, 0] for _ in range(place + 1 - len(self._points))]
        self._points[place][0] += requests
        self._points[place][1] += size

    def report(self) -> list[list[int]]:
        """A row for each step: the second at which it begins, requests sent and bytes received in it."""
        return [[place * self._step, *point] for place, point in enumerate(self._points)]


class Traffic:
    """Downloader middleware nearest to the network: sees all that is sent, retries and robots.txt included.

    It also keeps to the requests that the source may still get on this day; a request beyond them is refused.
    """

    def __init__(self, left: int, refusal: str) -> None:
        self.requests = 0
        self._left = left
        self._refusal = refusal
        self._retries = 0
        self._bytes = 0
        self._answers: Counter[str] = Counter()
        self._latency = Latency()
        self._timeline = Timeline()
        self._started = monotonic()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        spider = crawler.spider
        if not isinstance(spider, SourceSpider):
            raise TypeError(f"traffic is measured for spiders of our sources, not for {type(spider).__name__}")
        return cls(spider.job.requests_left, spider.job.no_requests_left)

    def process_request(self, request: Request) -> None:
        if self.requests >= self._left:
            raise BudgetSpent(self._refusal)
        self.requests += 1
        self._retries += request.meta.get("retry_times", 0) > 0
        self._timeline.add(self._seconds(), 1, 0)

    def process_response(self, request: Request, response: Response) -> Response:
        size = len(response.body) + sum(
            len(name) + len(value) for name, values in response.headers.items() for value in values
        )
        self._bytes += size
        self._answers[str(response.status)] += 1
        self._timeline.add(self._seconds(), 0, size)
        if "download_latency" in request.meta:
            self._latency.add(request.meta["download_latency"])
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        if not isinstance(exception, IgnoreRequest):
            self._answers[NO_ANSWER] += 1

    def report(self) -> dict[str, Any]:
        """The figures as the run report tells them; ``by_status`` adds up to ``requests``, with those not answered."""
        return {
            "requests": self.requests,
            "by_status": dict(sorted(self._answers.items())),
            "retries": self._retries,
            "bytes": self._bytes,
            "seconds": round(self._seconds(), 1),
            "latency_ms": self._latency.report(),
            "timeline": self._timeline.report(),
        }

    def _seconds(self) -> float:
        return monotonic() - self._started
