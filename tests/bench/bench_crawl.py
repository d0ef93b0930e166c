"""Speed of a crawl against a Scrapy spider that extracts nothing, and its memory.

``python -m tests.bench.bench_crawl`` (part of ``make bench``). The crawl runs on one core and the stand-in on another.

- The mall's category lists, unthrottled: our spider and two empty Scrapy spiders that fetch the same pages (``plain``
  and ``tuned``, see ``crawl_lists``), in turns, so that other load on the machine affects all. The ratio is that of CPU
  time per page of the spider process, which depends less on other load than pages per second. The target is for
  ``plain``.
- Peak memory of a whole crawl, parent process included, for 1,000 products and for 16 times as many. All product pages
  of the small catalog are due, and every tenth of the large one: the others were read the day before.
- Product pages that a second crawl of an unchanged catalog fetches.

No test depends on the figures; they are written to ``var/bench/crawl.json``.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from statistics import median
from typing import Any

from rich.console import Console

from artifacts.open import open_store
from artifacts.raw import RawRun, new_run_id, write_run
from artifacts.store import Store
from crawlers.items import CATEGORIES
from crawlers.settings import CrawlSettings
from crawlers.spiders.kok import PAGE_SIZE, KokSpider
from crawlers.standin.catalog import load_catalog
from crawlers.standin.server import running_standin
from crawlers.state.page_storage import PAGES
from tests.bench.crawl_whole import NOW
from tests.builders.raw_runs import crawl_report
from tests.conftest import ROOT

LISTED, TURNS = 3_000, 5
SMALL, LARGE, DUE_OF_LARGE = 1_000, 16_000, 10
RATIO_TARGET, MEMORY_TARGET = 0.60, 0.10

console = Console()


@contextmanager
def standin(products: int) -> Iterator[str]:
    """Serve the multiplied demo catalog on a core of its own; yield the settings of a crawl as JSON."""
    command = [*_pinned(0), sys.executable, "-m", "tests.bench.bench_crawl", "serve", str(products)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield server.stdout.readline()
        server.stdin.close()


def serve(products: int) -> None:
    """Serve until standard input ends."""
    with running_standin(load_catalog().multiplied(products), NOW) as running:
        unthrottled = {"crawl_daily_requests": 10**9, "crawl_concurrency": 8}
        print(running.settings.model_copy(update=unthrottled).model_dump_json(), flush=True)  # noqa: T201
        sys.stdin.read()


def measure_lists() -> dict[str, Any]:
    """Read the lists in turns, and compare the CPU time per page."""
    rounds: dict[str, list[dict[str, float]]] = {"ours": [], "plain": [], "tuned": []}
    with standin(LISTED) as settings:
        for turn in range(-1, TURNS):  # the first one warms up the stand-in
            for kind in list(rounds) if turn % 2 else list(rounds)[::-1]:
                run = _run(
                    [*_pinned(1), sys.executable, "-m", "tests.bench.crawl_lists", kind, str(_list_pages())], settings
                )
                if turn >= 0:
                    rounds[kind].append(run)
                console.print(f"  lists, turn {turn + 1} of {TURNS}: {kind} {run['cpu_ms']:.2f} ms of CPU per page")
    figures: dict[str, Any] = {"spiders": {}, "cpu_ratios": {}, "cpu_ratio": {}}
    for kind, runs in rounds.items():
        figures["spiders"][kind] = {key: median(run[key] for run in runs) for key in runs[0]}
        ratios = [run["cpu_ms"] / ours["cpu_ms"] for run, ours in zip(runs, rounds["ours"], strict=True)]
        figures["cpu_ratios"][kind], figures["cpu_ratio"][kind] = ratios, median(ratios)
    return figures


def measure_crawl(products: int) -> dict[str, Any]:
    """Crawl a catalog twice in processes of their own."""
    with standin(products) as settings, tempfile.TemporaryDirectory() as folder:
        if products == LARGE:
            _write_page_state(open_store(folder), CrawlSettings.model_validate_json(settings))
        runs = []
        for turn in (0, 1) if products == SMALL else (0,):
            command = [*_pinned(1), sys.executable, "-m", "tests.bench.crawl_whole", folder, str(turn)]
            runs.append(_run(command, settings))
            console.print(f"  crawl {turn + 1} of {products:,} products: {runs[-1]}")
    return {"products": products, "crawls": runs}


def main() -> None:
    """Measure, print and write the figures."""
    figures: dict[str, Any] = {"lists": measure_lists()}
    small, large = (measure_crawl(products) for products in (SMALL, LARGE))
    peaks = [crawled["crawls"][0]["parent_mib"] + crawled["crawls"][0]["child_mib"] for crawled in (small, large)]
    figures |= {"small": small, "large": large, "memory_growth": peaks[1] / peaks[0] - 1}
    report = ROOT / "var" / "bench" / "crawl.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(figures, indent=2) + "\n")
    lists = figures["lists"]
    for kind, figure in lists["spiders"].items():
        console.print(f"{kind:>14}: {figure['per_second']:7.0f} pages/s   {figure['cpu_ms']:.2f} ms of CPU per page")
    console.print(
        f"         ratio: {lists['cpu_ratio']['plain']:.2f} by CPU against plain (target: {RATIO_TARGET}), "
        f"{lists['cpu_ratio']['tuned']:.2f} against tuned"
    )
    console.print(
        f"        memory: {peaks[0]:.0f} MiB for {SMALL:,} products, {peaks[1]:.0f} MiB for {LARGE:,}: "
        f"{figures['memory_growth']:+.1%} (wanted: at most ±{MEMORY_TARGET:.0%})"
    )
    console.print(f"  second crawl: {small['crawls'][1]['product_pages']} product pages (wanted: 0)")
    console.print(f"       written: {report}", soft_wrap=True)


def _write_page_state(store: Store, settings: CrawlSettings) -> None:
    """Write the page state of a crawl of the day before, without every tenth product of the large catalog."""
    read_at = (NOW - timedelta(days=1)).isoformat()
    rows = (
        {
            "product_id": product.product_id,
            "listed": (listed := f"amount {product.price} {product.discount_rate}"),
            "listed_at": read_at,
            "read_at": read_at,
            "read_listed": listed,
            "version": KokSpider.page_version,
            "etag": '"0123456789abcdef"',
            "last_modified": "Tue, 05 Aug 2025 03:00:00 GMT",
            "digest": "0123456789abcdef",
            "unchanged_reads": 0,
        }
        for place, product in enumerate(load_catalog().multiplied(LARGE).kok)
        if place % DUE_OF_LARGE
    )
    before = NOW - timedelta(days=1)
    run = RawRun(new_run_id(before), "kok", PAGES, before.date())
    write_run(store, run, rows, crawl_report(run, before, requests=0))


def _list_pages() -> int:
    """Return the average number of pages of a list in the catalog."""
    return LISTED // len(CATEGORIES) // PAGE_SIZE + 1


def _run(command: list[str], settings: str) -> dict[str, Any]:
    done = subprocess.run(command, input=settings, stdout=subprocess.PIPE, check=True, text=True, cwd=ROOT)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _pinned(core: int) -> list[str]:
    """Return the command prefix that pins a process to a core, if there are two."""
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "--cpu-list", str(cores[core])] if len(cores) > 1 else []


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", products]:
            serve(int(products))
        case _:
            main()
