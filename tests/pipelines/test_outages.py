"""An outage of a database ends a command in one line that says what to do."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.builders.command_line import Ended, run_ukok
from tests.builders.failover import Failover, failover_of
from tests.conftest import Stack, embedded_only

COMMANDS = (
    "load kok",
    "link",
    "logs ingest",
    "logs erase",
    "train personal",
    "release rollback",
    "maintenance --apply",
)


@pytest.fixture
def failover(stack: Stack) -> Iterator[Failover]:
    with failover_of(stack.service_url, stack.warehouse_url) as failover:
        yield failover


@pytest.fixture
def ukok(
    stack_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Ended]:
    monkeypatch.chdir(tmp_path)
    for name, value in stack_env.items():
        monkeypatch.setenv(name, value)
    return partial(run_ukok, monkeypatch, capsys)


@embedded_only
def test_a_command_on_a_read_only_database_says_what_to_do(ukok: Callable[..., Ended], failover: Failover) -> None:
    failover.begin()
    for command in COMMANDS:
        ended = ukok(*command.split())
        assert ended.code == 1, (command, ended)
        assert "database, UKOK_" in ended.err, command
        assert "the server takes no writes: " in ended.err, command
        assert "leads to the server that takes writes, then run it again" in " ".join(ended.err.split()), command
        assert "Traceback" not in ended.err, command
    failover.end()
    assert ukok("logs", "erase").code == 0
