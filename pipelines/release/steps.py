"""Time and memory of the steps of a build, as one line of the log each."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger(__name__)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Log the seconds, the seconds of the processor, and the most memory of the process so far, after a step."""
    began, used = time.monotonic(), time.process_time()
    yield
    log.info(
        "release_step",
        step=name,
        seconds=round(time.monotonic() - began, 2),
        cpu_seconds=round(time.process_time() - used, 2),
        peak_memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )
