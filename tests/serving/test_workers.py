"""`ukok serve --workers 2` over HTTP: whichever worker is asked for the metrics answers for both."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import Engine

from artifacts.store import Store
from tests.builders import tiny_release
from tests.builders.servers import free_port
from tests.builders.small_catalog import NOON
from tests.builders.waiting import until
from tests.conftest import ROOT, embedded_only

ROUTE = "/api/kok/discounted"
REQUESTS = 20


class Workers:
    """A running `ukok serve --workers 2`."""

    def __init__(self, process: "subprocess.Popen[bytes]", url: str) -> None:
        self.process = process
        self.url = url

    def get(self, path: str) -> httpx.Response:
        """Request on a connection of its own, so that any worker may answer."""
        return httpx.get(f"{self.url}{path}", timeout=30)

    def figures(self) -> Mapping[str, float]:
        """The samples of `/metrics`."""
        lines = self.get("/metrics").text.splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}

    def pids(self) -> set[int]:
        """Ids of the processes that serve."""
        children = psutil.process_iter(["ppid", "cmdline"])
        return {
            child.pid
            for child in children
            if child.info["ppid"] == self.process.pid and "spawn_main" in str(child.info["cmdline"])
        }


@pytest.fixture
def workers(stack_env: dict[str, str], tmp_path: Path) -> Iterator[Workers]:
    port = free_port()
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--port", str(port), "--workers", "2"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=stack_env, cwd=ROOT, stdout=subprocess.PIPE, stderr=log)
    assert process.stdout
    try:
        assert process.stdout.readline().startswith(b"API   http://"), (tmp_path / "log").read_text()
        yield Workers(process, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


@embedded_only
def test_metrics_are_those_of_all_workers(filled: Engine, warehouse: Engine, store: Store, workers: Workers) -> None:
    version = tiny_release.build(filled, warehouse, store, NOON)
    tiny_release.make_live(store, version)
    live = f'ukok_release_info{{version="{version}"}}'
    until(lambda: workers.figures().get(live) == 1, "the release is in service")
    for _ in range(REQUESTS):
        assert workers.get(ROUTE).status_code == 200
    counted = f'ukok_requests_total{{method="GET",route="{ROUTE}",status="200"}}'
    for _ in range(8):
        assert workers.figures()[counted] == REQUESTS
    figures = workers.figures()
    assert figures['ukok_dependency_up{dependency="events"}'] == 1
    assert figures['ukok_database_pool{database="service"}'] == 10, "five of each worker"
    assert figures[f'ukok_request_seconds_count{{route="{ROUTE}"}}'] == REQUESTS
    assert not [name for name in figures if "pid=" in name]
    (first, _) = workers.pids()
    os.kill(first, signal.SIGKILL)
    until(lambda: len(workers.pids() - {first}) == 2, "another worker takes its place")
    until(lambda: _answers(workers), "all answer again")
    figures = workers.figures()
    assert figures[counted] == REQUESTS, "what was counted did happen"
    assert figures['ukok_database_pool{database="service"}'] == 10, "the dead worker holds none"
    head = httpx.head(f"{workers.url}{ROUTE}")
    assert (head.status_code, head.content, int(head.headers["content-length"]) > 0) == (200, b"", True)


def _answers(workers: Workers) -> bool:
    """Whether both workers are ready: of many requests each gets some."""
    try:
        found = Counter(workers.get("/readyz").status_code for _ in range(10))
        pools = workers.figures()['ukok_database_pool{database="service"}']
    except (httpx.HTTPError, KeyError):
        return False
    return found == {200: 10} and pools == 10


@embedded_only
def test_workers_that_cannot_start_end_the_command(stack_env: dict[str, str]) -> None:
    env = stack_env | {"UKOK_ENVIRONMENT": "production", "UKOK_SECRET_KEY": ""}
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--port", str(free_port()), "--workers", "2"]
    ended = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "UKOK_SECRET_KEY" in ended.stderr
    assert not re.search("Traceback", ended.stderr)
