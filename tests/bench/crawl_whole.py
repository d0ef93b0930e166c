"""Crawl the mall once, and print what was read and the peak memory.

``python -m tests.bench.crawl_whole FOLDER HOURS < settings``: into the artifact store FOLDER, HOURS after noon. Prints
JSON; peaks are in MiB, of this process and of the spider process.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from artifacts.open import open_store
from crawlers.run_report import read_crawl_report
from crawlers.runner.crawl import crawl
from crawlers.settings import CrawlSettings

NOW = datetime(2025, 8, 6, 3, tzinfo=UTC)  # 12:00 in Korea


def main() -> None:
    """Crawl and print the figures."""
    settings = CrawlSettings.model_validate_json(sys.stdin.read())
    store = open_store(sys.argv[1])
    runs = crawl("kok", NOW.date(), 1, NOW + timedelta(hours=int(sys.argv[2])), store, settings)
    reports = {run.dataset: read_crawl_report(store, run) for run in runs}
    figures = {
        "prices": reports["prices"].items,
        "product_pages": reports["products"].requests,
        "seconds": reports["products"].traffic.seconds,
        "parent_mib": _peak_mib(),
        "child_mib": round(getrusage(RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
        "complete": all(scope.complete for report in reports.values() for scope in report.scopes),
    }
    print(json.dumps(figures))  # noqa: T201


def _peak_mib() -> float:
    """Return the peak of this process; that of `getrusage` includes the process that started it."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return round(int(line.split()[1]) / 1024, 1)


if __name__ == "__main__":
    main()
