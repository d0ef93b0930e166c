"""A thread that repeats one step, and what became of it."""

import threading
from collections.abc import Callable

import structlog

from serving.common.errors import log_reason, summary

log = structlog.get_logger()


class Poller:
    """Repeats ``step`` every ``seconds``; a failure is logged once and kept in ``problem`` until a step succeeds."""

    def __init__(self, name: str, seconds: float, step: Callable[[], None]) -> None:
        self.name = name
        self.problem: str | None = "starting"
        self._seconds = seconds
        self._step = step
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"poll-{name}", daemon=True)

    def poll(self) -> None:
        """Do the step now."""
        try:
            self._step()
        except Exception as error:  # noqa: BLE001 - a poller that died would freeze what it refreshes, unnoticed
            problem = summary(error)
            if problem != self.problem:
                log.warning("poll_failed", poller=self.name, problem=problem, reason=log_reason(error))
            self.problem = problem
        else:
            if self.problem not in {None, "starting"}:
                log.info("poll_recovered", poller=self.name)
            self.problem = None

    def start(self) -> None:
        """Do the step once, then go on in a thread."""
        self.poll()
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the step it is in."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            self.poll()
