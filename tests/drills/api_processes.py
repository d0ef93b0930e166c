"""Drills: what visitors of the API see while one of its processes is killed, or its clock is wrong."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import psutil

from tests.builders.servers import free_port
from tests.builders.waiting import until
from tests.conftest import ROOT
from tests.docker.proxy import port_of, proxied
from tests.drills.api_environment import AFTER, AWAY, BEFORE, START_SECONDS, ApiEnvironment
from tests.drills.report import Seen
from tests.drills.visitors import judged

SERVICES = {
    "user": "user:8001",
    "kok": "kok:8002",
    "home_shopping": "home-shopping:8003",
    "recipe": "recipe:8004",
    "recommend": "recommend:8005",
    "log": "log:8006",
}


def clock_shifted(env: ApiEnvironment) -> Seen:
    """Let the clock of the API be an hour ahead, then an hour behind."""
    file = env.folder / "clock"
    file.write_text("0")
    seen = Seen("clock ± 1 h", "the clock of the API was an hour ahead, then an hour behind, then right")
    with env.serving("tests.drills.shifted_app", DRILL_CLOCK=str(file)) as server, env.visited(server.url) as visitors:
        for seconds in (3600, -3600, 0):
            time.sleep(BEFORE)
            file.write_text(str(seconds))
        time.sleep(BEFORE)
    return judged(seen, visitors, env.lost(visitors), well_at=None)


def two_gateways(env: ApiEnvironment) -> Seen:
    """Kill one of two gateways behind nginx, and start it again."""
    seen = Seen("two gateways behind nginx", f"`kill -9` of one of two gateways, started again after {AWAY} s")
    with env.serving() as first, ExitStack() as second:
        other = second.enter_context(env.serving())
        ports = {"gateway:8000": [port_of(first.url), port_of(other.url)]}
        with proxied("gateway", ports) as proxy, env.visited(proxy.url) as visitors:
            time.sleep(BEFORE)
            other.kill()
            time.sleep(AWAY)
            second.enter_context(_started_again(env, "serving.gateway.main", port_of(other.url)))
            well_at = visitors.second()
            time.sleep(AFTER)
    return judged(seen, visitors, env.lost(visitors), well_at)


def six_services(env: ApiEnvironment) -> Seen:
    """Kill the service of the events behind nginx, and start it again."""
    seen = Seen("six services behind nginx", f"`kill -9` of the service `log`, started again after {AWAY} s")
    with ExitStack() as running:
        servers = {name: running.enter_context(env.serving(f"serving.{name}.main")) for name in SERVICES}
        ports = {address: [port_of(servers[name].url)] for name, address in SERVICES.items()}
        with proxied("services", ports) as proxy, env.visited(proxy.url) as visitors:
            time.sleep(BEFORE)
            servers["log"].kill()
            time.sleep(AWAY)
            running.enter_context(_started_again(env, "serving.log.main", ports["log:8006"][0]))
            well_at = visitors.second()
            time.sleep(AFTER)
    return judged(seen, visitors, env.lost(visitors), well_at)


def two_workers(env: ApiEnvironment) -> Seen:
    """Kill one of two workers of `ukok serve --workers 2`."""
    seen = Seen("`ukok serve --workers 2`", "`kill -9` of one of two workers, which the supervisor starts again")
    port = free_port()
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--port", str(port), "--workers", "2"]
    log = (env.folder / "workers.log").open("wb")
    process = subprocess.Popen(command, env=env.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=log)
    try:
        assert process.stdout
        assert process.stdout.readline()
        with env.visited(f"http://127.0.0.1:{port}") as visitors:
            time.sleep(BEFORE)
            children = psutil.Process(process.pid).children()
            worker = next(child for child in children if "spawn_main" in " ".join(child.cmdline()))
            well_at = visitors.second()
            os.kill(worker.pid, signal.SIGKILL)
            time.sleep(AWAY + AFTER)
    finally:
        process.terminate()
        process.wait(60)
        log.close()
    return judged(seen, visitors, env.lost(visitors), well_at)


@contextmanager
def _started_again(env: ApiEnvironment, module: str, port: int) -> Iterator[None]:
    """Start a service on the port of the one that was killed."""
    command = [sys.executable, "-m", "uvicorn", "--factory", f"{module}:create_app", "--port", str(port)]
    with (env.folder / "again.log").open("wb") as log:
        process = subprocess.Popen(command, env=env.env, cwd=ROOT, stdout=log, stderr=log)
    try:
        until(lambda: _is_ready(port), "the service is ready", START_SECONDS)
        yield
    finally:
        process.terminate()
        process.wait(60)


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.HTTPError:
        return False
