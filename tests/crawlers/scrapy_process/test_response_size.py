"""Responses that are small on the wire and huge once decompressed."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import brotli
import psutil
import pytest
from backports import zstd

from crawlers.runner.crawl import CrawlFailed
from crawlers.scrapy_process.response_size import MAX_BYTES
from crawlers.settings import CrawlSettings
from tests.builders.http_host import ALLOW_ALL, Answer, Received, page, running_host, shows
from tests.builders.small_crawl import crawl_into

HUGE, CHUNK = 240_000_000, 4_000_000
GROWTH = 120_000_000  # most memory of the spider process that all bombs together may add


def zeros() -> Iterator[bytes]:
    return (bytes(CHUNK) for _ in range(HUGE // CHUNK))


def gzipped(parts: Iterator[bytes]) -> bytes:
    packer = zlib.compressobj(1, wbits=31)
    return b"".join(map(packer.compress, parts)) + packer.flush()


def deflated() -> bytes:
    packer = zlib.compressobj(1)
    return b"".join(map(packer.compress, zeros())) + packer.flush()


def brotlied() -> bytes:
    packer = brotli.Compressor(quality=1)
    return bytes(b"".join(map(packer.process, zeros())) + packer.finish())


def zstandarded() -> bytes:
    packer = zstd.ZstdCompressor()
    return b"".join(map(packer.compress, zeros())) + packer.flush()


def bombs() -> list[Answer]:
    once = gzipped(zeros())
    packed = {
        "gzip": once,
        "deflate": deflated(),
        "br": brotlied(),
        "zstd": zstandarded(),
        "gzip, gzip": gzipped(iter([once])),
    }
    return [
        Answer(bytes(MAX_BYTES + 1)),
        *(Answer(body, headers={"Content-Encoding": encoding}) for encoding, body in packed.items()),
    ]


def peak_of_spider_process() -> int:
    (spider,) = [child for child in psutil.Process().children() if "crawlers.scrapy_process.main" in child.cmdline()]
    lines = Path(f"/proc/{spider.pid}/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def test_a_huge_response_is_refused_while_it_is_read(tmp_path: Path) -> None:
    answers = bombs()
    days = len(answers)
    peaks = []

    def answer(request: Received) -> Answer:
        if request.path == "/robots.txt":
            return Answer(ALLOW_ALL, "text/plain")
        if "broadDay" not in request.path:
            return Answer(page('<div class="priceTotal"></div><div id="tab1Cont"></div>'))
        peaks.append(peak_of_spider_process())
        return answers.pop(0) if answers and len(peaks) > 1 else Answer(page(shows(request)))

    with running_host(answer) as host:
        settings = CrawlSettings(hnsmall_url=host.url, crawl_delay_seconds=0, crawl_concurrency=1)
        crawled = crawl_into(tmp_path, "hnsmall", settings, days=days + 1)
    assert len(crawled.shows) == 1  # of the last day
    faults = crawled.faults("schedule", "page")
    assert len({fault.page for fault in faults}) == sum(fault.count for fault in faults) == days
    assert all("larger than 16 MB" in fault.reason for fault in faults)
    assert not answers
    assert peaks[-1] - peaks[0] < GROWTH


def test_a_huge_robots_txt_forbids_its_host(tmp_path: Path) -> None:
    bomb = Answer(bytes(MAX_BYTES + 1), "text/plain")
    with running_host(lambda _: bomb) as host:
        settings = CrawlSettings(hnsmall_url=host.url, crawl_delay_seconds=0)
        crawl_fails = f"robots.txt of {host.url[7:]} could not be read .the response is larger than 16 MB"
        with pytest.raises(CrawlFailed, match=crawl_fails):
            crawl_into(tmp_path, "hnsmall", settings)
