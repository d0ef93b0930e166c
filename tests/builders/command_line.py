"""The command `ukok`, run in this process."""

import sys
from typing import NamedTuple

import pytest
import structlog

from pipelines.cli.main import main


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def silence_logs() -> None:
    """Log nothing: the captured standard error ends with the test."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


def run_ukok(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> Ended:
    """Run `ukok` with the arguments, without its log."""
    monkeypatch.setattr(sys, "argv", ["ukok", *arguments])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(silence_logs)
    structlog.reset_defaults()
    code = ended.value.code
    return Ended(code if isinstance(code, int) else int(code is not None), *capsys.readouterr())
