"""Start of the spider process, from the parent's side."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from crawlers.job import Job, Progress, read_file

ROOT = Path(__file__).parents[2]
POLL_SECONDS = 0.5


class ProcessFailed(RuntimeError):
    """The spider process failed; the message gives the reason in one line."""


def run_process(job: Job, on_poll: Callable[[], None]) -> None:
    """Run the job in a new process, whose log goes to standard error. Call ``on_poll`` every half second meanwhile.

    Its files are in the job's folder afterwards. Raise :class:`ProcessFailed` if it left no summary.
    """
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "crawlers.scrapy_process.main"]
    # In a session of its own, so that Ctrl-C reaches only the parent; the crawl ends when its input closes.
    with subprocess.Popen(  # noqa: S603 (nothing in the command comes from outside)
        command, stdin=subprocess.PIPE, env=os.environ | {"PYTHONPATH": path}, start_new_session=True
    ) as process:
        try:
            _send(process, job)
            code = _wait(process, on_poll)
        finally:
            process.kill()
    if job.error_file.is_file():
        raise ProcessFailed(job.error_file.read_text(encoding="utf-8"))
    if not job.summary_file.is_file():
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        raise ProcessFailed(f"its process {ended}; see its log above")


def read_progress(job: Job) -> Progress | None:
    """Return the progress of the process; None until it has written any."""
    with suppress(FileNotFoundError):
        return read_file(job.progress_file, Progress)
    return None


def _send(process: subprocess.Popen[bytes], job: Job) -> None:
    if process.stdin is None:
        raise RuntimeError("the crawl process was started without standard input")
    with suppress(BrokenPipeError):  # it died at once; its exit code gives the reason
        process.stdin.write(job.model_dump_json().encode() + b"\n")
        process.stdin.flush()


def _wait(process: subprocess.Popen[bytes], on_poll: Callable[[], None]) -> int:
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(POLL_SECONDS)
        on_poll()
