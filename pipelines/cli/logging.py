"""Logs of the batch steps as logfmt lines, on standard error or in a file."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

STDERR = 2  # file descriptor, which child processes and C libraries write to
LOGFMT = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])


def configure_logging(stream: TextIO | None = None, level: int | None = None) -> None:
    """Send log lines of ``level`` and above to ``stream``.

    By default to standard error: only warnings on a terminal, where commands show their progress, else all lines.
    """
    stream = stream or sys.stderr
    default = logging.WARNING if stream.isatty() else logging.INFO
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(default if level is None else level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            _render,
        ],
    )


@contextmanager
def log_to_file(path: Path) -> Iterator[None]:
    """Append log lines and standard error to a file, also that of child processes and C libraries."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    terminal = os.dup(STDERR)
    config = structlog.get_config()
    with path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1) as stream:
        os.dup2(stream.fileno(), STDERR)
        configure_logging(stream, logging.INFO)
        try:
            with redirect_stderr(stream):
                yield
        finally:
            structlog.configure(**config)
            os.dup2(terminal, STDERR)
            os.close(terminal)


def _render(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """One line, and below it the traceback if there is one."""
    traceback = event.pop("exception", None)
    line = LOGFMT(logger, method, event)
    return f"{line}\n{traceback}" if traceback else line
