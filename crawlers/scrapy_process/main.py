"""Spider process: runs one crawl, whose job is a line of JSON on standard input.

Scrapy's reactor cannot be started twice, so each crawl has a process of its own, started as
``python -m crawlers.scrapy_process.main``. The process ends when its standard input closes, so that it does not outlive
its parent.
"""

import logging
import os
import sys
from pathlib import Path
from shutil import rmtree
from threading import Thread

from scrapy.crawler import AsyncCrawlerProcess

from crawlers.job import Job
from crawlers.scrapy_process.politeness import scrapy_settings


def main() -> None:
    """Run the job. A crawl that leaves no summary file has failed, and its error file may say why."""
    job = Job.model_validate_json(sys.stdin.readline())
    Thread(target=_end_with_parent, args=[job.folder], daemon=True).start()
    settings = scrapy_settings(job.settings, job.source)
    if job.record_url is not None:
        settings["SPIDER_MIDDLEWARES"] = {"crawlers.scrapy_process.recorder.Recorder": 900}
    process = AsyncCrawlerProcess(settings)
    logging.getLogger("scrapy").setLevel(settings["LOG_LEVEL"])  # else each record is formatted, then dropped
    # Its stack traces only repeat the reason of the refused pages.
    logging.getLogger("scrapy.downloadermiddlewares.robotstxt").setLevel(logging.CRITICAL)
    crawling = process.crawl(job.source, job=job)
    process.start()
    error = crawling.exception() if crawling.done() else None
    if error is not None:
        job.error_file.write_text(f"{type(error).__name__}: {' '.join(str(error).split())}", encoding="utf-8")


def _end_with_parent(folder: Path) -> None:
    """End the process when the parent ends, and remove the folder that the parent cannot remove any more."""
    sys.stdin.read()
    rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    main()
