"""What the four spiders share: a job, the coverage of their datasets, and requests that are accounted for."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import scrapy
from scrapy import Request

from crawlers.coverage import Coverage, Scope
from crawlers.job import Job


class SourceSpider(scrapy.Spider):
    """A spider of one source. Its manners (delay, concurrency, robots.txt) come from the settings alone."""

    datasets: ClassVar[tuple[str, ...]]

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job
        self.coverage = {dataset: Coverage(job.pages_folder) for dataset in self.datasets}

    def ask(
        self,
        url: str,
        callback: Callable[..., Any],
        dataset: str,
        scopes: Sequence[Scope],
        priority: int = 0,
        **callback_arguments: object,
    ) -> Request:
        """A request for a page of the scopes, which stay incomplete until the callback has read it."""
        for scope in scopes:
            scope.asked += 1
        return Request(
            url,
            callback,
            errback=lambda failure: self.coverage[dataset].unreachable(failure, scopes),
            cb_kwargs={"scopes": scopes, **callback_arguments},
            meta={"dataset": dataset},
            priority=priority,
            dont_filter=True,
        )
