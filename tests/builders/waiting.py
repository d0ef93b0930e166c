"""Waiting for something that another process is about to do."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(condition: Callable[[], Found | None], what: str, seconds: float = 30, pause: float = 0.05) -> Found:
    """Poll until the condition returns something true, and return it; fail with ``what`` was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(pause)
