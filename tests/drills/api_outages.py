"""Drills: what visitors of the API see while its servers fail, and for how long."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

import httpx
import pymysql

from artifacts import release as releases
from sql import embedded
from tests.builders import tiny_release
from tests.builders.failover import failover_of
from tests.builders.waiting import until
from tests.conftest import ROOT
from tests.drills.api_environment import AFTER, AWAY, BEFORE, ApiEnvironment
from tests.drills.report import Seen
from tests.drills.visitors import judged


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
    happened = f"`max_connections` = 10, all taken by others for {AWAY} s"
    with ExitStack() as held:
        administrator = held.enter_context(env.mariadb.administrator())
        others: set[int] = set()

        def take_all() -> bool:
            """End the connections of the API and take what is free; whether it has none left."""
            with suppress(pymysql.err.OperationalError):
                while True:
                    others.add(held.enter_context(env.mariadb.visitor()))
            administrator.execute("SELECT id FROM information_schema.processlist WHERE user = 'ukok'")
            of_the_api = {number for (number,) in administrator.fetchall()} - others
            for number in of_the_api:
                with suppress(pymysql.err.OperationalError):  # it ended by itself
                    administrator.execute(f"KILL {number}")
            return not of_the_api

        def begin() -> None:
            administrator.execute("SET GLOBAL max_connections = 10")
            until(take_all, "all connections to be taken", pause=0)

        def end() -> None:
            administrator.execute("SET GLOBAL max_connections = 151")

        return _outage(env, "`max_connections` of MariaDB", happened, begin, end)


def s3_away(env: ApiEnvironment) -> Seen:
    """Cut the artifact store off for a while."""
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
    return judged(seen, visitors, env.lost(visitors), well_at)


def _start_postgresql(env: ApiEnvironment) -> None:
    """Start it by another process: this one thinks that it runs since the environment started it."""
    start = f"from pathlib import Path; from sql import embedded; embedded.start(Path({str(env.postgres)!r}))"
    subprocess.run([sys.executable, "-c", start], check=True, cwd=ROOT)
