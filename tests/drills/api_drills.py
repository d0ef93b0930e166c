"""Drills: what visitors of the API see while its servers fail, and for how long."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pymysql

from artifacts import release as releases
from sql import embedded
from tests.builders import tiny_release
from tests.builders.failover import failover_of
from tests.builders.servers import free_port
from tests.builders.waiting import until
from tests.conftest import ROOT
from tests.docker.proxy import port_of, proxied
from tests.drills.api_environment import START_SECONDS, ApiEnvironment
from tests.drills.report import Seen
from tests.drills.visitors import Visitors

BEFORE, AWAY, AFTER = 4, 8, 12  # seconds
WELL_WITHIN = 20
SERVICES = {
    "user": "user:8001",
    "kok": "kok:8002",
    "home_shopping": "home-shopping:8003",
    "recipe": "recipe:8004",
    "recommend": "recommend:8005",
    "log": "log:8006",
}


def postgresql_failover(env: ApiEnvironment) -> Seen:
    """End all sessions of the warehouse, and let new ones only read for a while."""
    with failover_of(env.warehouse_url) as failover:
        happened = f"all sessions of the warehouse ended, and it took no writes for {AWAY} s"
        return _outage(env, "failover of PostgreSQL", happened, failover.begin, failover.end)


def postgresql_restart(env: ApiEnvironment) -> Seen:
    """Stop the warehouse, and start it again."""
    return _outage(
        env,
        "restart of PostgreSQL",
        f"the warehouse stopped for {AWAY} s",
        lambda: embedded.stop(env.postgres),
        lambda: _start_postgresql(env),
    )


def mariadb_restart(env: ApiEnvironment) -> Seen:
    """Kill the service database, and start it again."""
    return _outage(
        env,
        "restart of MariaDB",
        f"`kill -9` of the service database, started again after {AWAY} s",
        lambda: env.mariadb.stop(signal.SIGKILL),
        env.mariadb.start,
    )


def mariadb_read_only(env: ApiEnvironment) -> Seen:
    """Make the service database read-only for a while."""
    return _outage(
        env,
        "`read_only` of MariaDB",
        f"`SET GLOBAL read_only = 1` for {AWAY} s",
        lambda: env.mariadb.execute("SET GLOBAL read_only = 1"),
        lambda: env.mariadb.execute("SET GLOBAL read_only = 0"),
    )


def mariadb_full_of_connections(env: ApiEnvironment) -> Seen:
    """Let others take all connections of the service database, after the pool of the API lost its own."""
    held = ExitStack()

    def begin() -> None:
        administrator = held.enter_context(env.mariadb.administrator())
        administrator.execute("SELECT id FROM information_schema.processlist WHERE user = 'ukok'")
        of_the_api = [number for (number,) in administrator.fetchall()]
        administrator.execute("SET GLOBAL max_connections = 10")
        while _held(env, held):
            pass
        for number in of_the_api:
            administrator.execute(f"KILL {number}")
            until(lambda: _held(env, held), "the connection of the API")

    def end() -> None:
        held.close()
        until(lambda: _executed(env, "SET GLOBAL max_connections = 151"), "a free connection")

    happened = f"`max_connections` = 10, all taken by others for {AWAY} s"
    return _outage(env, "`max_connections` of MariaDB", happened, begin, end)


def s3_away(env: ApiEnvironment) -> Seen:
    """Cut the artifact store off while a release is promoted."""
    return _outage(env, "S3 away", f"the artifact store refused connections for {AWAY} s", env.s3.close, env.s3.open)


def current_garbage(env: ApiEnvironment) -> Seen:
    """Write garbage into CURRENT."""
    live = env.store.get(releases.CURRENT)

    def put(data: bytes) -> None:
        env.store.put(releases.CURRENT, data)

    happened = f"`releases/CURRENT` named the version `..` for {AWAY} s"
    return _outage(env, "garbage in `CURRENT`", happened, lambda: put(b'{"version": ".."}'), lambda: put(live))


def disk_full(env: ApiEnvironment) -> Seen:
    """Promote a release while the disk of the cache is full; free it after a while."""
    cache = env.folder / "var" / "cache"
    filler = cache / "filler"

    def begin() -> None:
        with filler.open("wb", buffering=0) as out:
            try:
                while True:
                    out.write(bytes(65_536))
            except OSError:
                pass
        tiny_release.make_live(env.store, env.versions[1])

    with env.small_disk(cache):
        return _outage(
            env,
            "disk full",
            f"a release was promoted while the disk of `UKOK_VAR_DIR` was full, for {AWAY} s",
            begin,
            filler.unlink,
            served=env.versions[1],
        )


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
    return _judged(env, seen, visitors, well_at=None)


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
            with _started_again(env, "serving.gateway.main", port_of(other.url)):
                well_at = visitors.second()
                time.sleep(AFTER)
    return _judged(env, seen, visitors, well_at)


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
            with _started_again(env, "serving.log.main", ports["log:8006"][0]):
                well_at = visitors.second()
                time.sleep(AFTER)
    return _judged(env, seen, visitors, well_at)


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
    return _judged(env, seen, visitors, well_at)


DRILLS: tuple[Callable[[ApiEnvironment], Seen], ...] = (
    postgresql_failover,
    postgresql_restart,
    mariadb_restart,
    mariadb_read_only,
    mariadb_full_of_connections,
    s3_away,
    current_garbage,
    disk_full,
    clock_shifted,
    two_gateways,
    six_services,
    two_workers,
)


def _outage(
    env: ApiEnvironment,
    name: str,
    happened: str,
    begin: Callable[[], object],
    end: Callable[[], object],
    served: str | None = None,
) -> Seen:
    """Let visitors use the gateway before, during and after an outage."""
    seen, url = Seen(name, happened), env.gateway.url
    until(lambda: httpx.get(f"{url}/readyz", timeout=30).status_code == 200, "the gateway is ready", 90)
    with env.visited(url) as visitors:
        time.sleep(BEFORE)
        begin()
        time.sleep(AWAY)
        end()
        well_at = visitors.second()
        time.sleep(AFTER)
    until(lambda: httpx.get(f"{url}/readyz", timeout=30).json()["status"] == "ready", "all to be ready again", 90)
    if served:
        seen.expect(f"{served} in service", true=httpx.get(f"{url}/readyz", timeout=30).json()["release"] == served)
    return _judged(env, seen, visitors, well_at)


def _judged(env: ApiEnvironment, seen: Seen, visitors: Visitors, well_at: float | None) -> Seen:
    seen.seen = visitors.summary()
    seen.lost = env.lost(visitors)
    seen.expect("no acknowledged event lost", true=seen.lost == 0)
    seen.expect(f"no 500, not {sorted(visitors.bad())}", true=500 not in visitors.bad())
    if well_at is not None:
        seen.recovered = max(0.0, visitors.well_since() - well_at)
        seen.expect(f"well within {WELL_WITHIN} s", true=seen.recovered <= WELL_WITHIN)
    return seen


def _start_postgresql(env: ApiEnvironment) -> None:
    """Start it by another process: this one thinks that it runs since the environment started it."""
    start = f"from pathlib import Path; from sql import embedded; embedded.start(Path({str(env.postgres)!r}))"
    subprocess.run([sys.executable, "-c", start], check=True, cwd=ROOT)


@contextmanager
def _started_again(env: ApiEnvironment, module: str, port: int) -> Iterator[None]:
    """Start a service on the port of the one that was killed."""
    command = [sys.executable, "-m", "uvicorn", "--factory", f"{module}:create_app", "--port", str(port)]
    with (env.folder / "again.log").open("wb") as log:
        process = subprocess.Popen(command, env=env.env, cwd=Path(ROOT), stdout=log, stderr=log)
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


def _held(env: ApiEnvironment, held: ExitStack) -> bool:
    """Take a connection of the service database, if one is free."""
    try:
        held.enter_context(env.mariadb.visitor())
    except pymysql.err.OperationalError:
        return False
    return True


def _executed(env: ApiEnvironment, statement: str) -> bool:
    try:
        env.mariadb.execute(statement)
    except pymysql.err.OperationalError:
        return False
    return True
