"""Poller: a thread that repeats one step and reports its problem."""

import threading
import time
from collections.abc import Callable

import structlog

from serving.web.errors import log_reason, summary

log = structlog.get_logger()


class Poller:
    """Repeats ``step`` every ``seconds``; a failure is logged once and is the ``problem`` until a step succeeds.

    A step that has not returned for ``late_seconds`` is a problem too.
    """

    def __init__(self, name: str, seconds: float, late_seconds: float, step: Callable[[], None]) -> None:
        self.name = name
        self._failure: str | None = "starting"
        self._succeeded_at = time.monotonic()
        self._seconds = seconds
        self._late_seconds = late_seconds
        self._step = step
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"poll-{name}", daemon=True)

    @property
    def problem(self) -> str | None:
        """Why the last step failed, or for how long none has succeeded; None if there is no problem."""
        silent = time.monotonic() - self._succeeded_at
        if self._failure is None and silent > self._late_seconds:
            return f"no answer for {silent:.0f} s"
        return self._failure

    def poll(self) -> None:
        """Run the step now."""
        try:
            self._step()
        except Exception as error:  # noqa: BLE001 - a dead poller would freeze what it refreshes, unnoticed
            problem = summary(error)
            if problem != self._failure:
                log.warning("poll_failed", poller=self.name, problem=problem, reason=log_reason(error))
            self._failure = problem
        else:
            if self._failure not in {None, "starting"}:
                log.info("poll_recovered", poller=self.name)
            self._failure, self._succeeded_at = None, time.monotonic()

    def start(self) -> None:
        """Run the step once, then repeat it in a thread."""
        self.poll()
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread after its current step."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            self.poll()
