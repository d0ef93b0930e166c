"""Kill crawls and loads with -9 at random instants, run them again, and compare the rows.

``python -m tests.e2e.killed_runs 50`` kills fifty runs, one after the other, each from the same state: the first
morning of :mod:`tests.e2e.two_days` is in the databases, and the second is being crawled and loaded. Prints a line for
each kill, and exits with 1 if a run that was killed and run again left other rows than an undisturbed one.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from artifacts.open import open_store
from crawlers.settings import CrawlSettings
from crawlers.standin.server import running_standin
from sql import embedded
from sql.engines import service_engine, warehouse_engine
from sql.upgrade import upgrade
from tests.builders.servers import embedded_folder
from tests.builders.unmeasured import unmeasured
from tests.conftest import ROOT
from tests.e2e.two_days import FIRST, SECOND, contents, crawl_and_load, first_catalog, second_catalog

SEED = 20250806
WORK = "work"


@dataclass(frozen=True)
class Place:
    """Databases and artifacts under one folder, and a saved copy of them."""

    var: Path
    urls: dict[str, str]

    def env(self, sources: dict[str, str]) -> dict[str, str]:
        """Return the environment of a process that works here."""
        return unmeasured({**os.environ, **sources, "UKOK_VAR_DIR": str(self.var), "PYTHONPATH": str(ROOT)})

    def engines(self) -> tuple[Engine, Engine]:
        return service_engine(self.urls["service"]), warehouse_engine(self.urls["warehouse"])

    def contents(self) -> dict[str, list[str]]:
        """Return the rows of the databases."""
        engines = self.engines()
        try:
            return contents(*engines)
        finally:
            for engine in engines:
                engine.dispose()

    def save(self) -> None:
        """Save the state for :meth:`restore`."""
        shutil.copytree(self.var / "artifacts", self.var / "saved")
        self._admin(*(f"CREATE DATABASE saved_{name} TEMPLATE {name}" for name in self.urls))

    def restore(self) -> None:
        """Go back to the saved state."""
        shutil.rmtree(self.var / "artifacts")
        shutil.copytree(self.var / "saved", self.var / "artifacts")
        for name in self.urls:
            self._admin(f"DROP DATABASE {name} WITH (FORCE)", f"CREATE DATABASE {name} TEMPLATE saved_{name}")

    def _admin(self, *statements: str) -> None:
        url = make_url(self.urls["service"]).set(database="postgres")
        engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as conn:
            for statement in statements:
                conn.execute(text(statement))


@contextmanager
def place() -> Iterator[Place]:
    """Yield an empty place at the newest schema."""
    with embedded_folder() as var:
        made = Place(var, embedded.start(var))
        service, warehouse = made.engines()
        upgrade(service, "service")
        upgrade(warehouse, "warehouse")
        service.dispose()
        warehouse.dispose()
        yield made


def kill_runs(kills: int, seed: int = SEED) -> list[str]:
    """Kill ``kills`` runs; return the differences after each re-run (none, if all is well)."""
    dice = random.Random(seed)
    differences = []
    with (
        place() as here,
        running_standin(first_catalog(), FIRST) as first,
        running_standin(second_catalog(), SECOND) as second,
    ):
        (here.var / "artifacts").mkdir()
        _run(here.env(first.env), FIRST)
        here.save()
        began = time.monotonic()
        _run(here.env(second.env), SECOND)
        seconds = time.monotonic() - began
        wanted = here.contents()
        for number in range(1, kills + 1):
            here.restore()
            after = seconds * dice.uniform(0.1, 1.0)
            reached = _killed(here, second.env, after)
            _run(here.env(second.env), SECOND)
            found = here.contents()
            different = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
            sys.stdout.write(f"{number:3} killed after {after:5.2f} s, {reached}: {different or 'same rows'}\n")
            sys.stdout.flush()
            differences += [f"kill {number}, {name}" for name in different]
    return differences


def _killed(here: Place, sources: dict[str, str], after: float) -> str:
    """Kill a run ``after`` seconds after its start; return how far it was."""
    process = subprocess.Popen(
        _command(SECOND), env=here.env(sources), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
    raw = sum(1 for _ in (here.var / "artifacts" / "raw").rglob("*.report.json"))
    return f"{raw} raw runs, {'ended before' if process.returncode == 0 else 'killed'}"


def _run(env: dict[str, str], now: datetime) -> None:
    """Run without a kill."""
    done = subprocess.run(_command(now), env=env, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"an undisturbed run failed: {done.stdout[-2000:]}\n{done.stderr[-4000:]}")


def _command(now: datetime) -> list[str]:
    return [sys.executable, "-m", "tests.e2e.killed_runs", WORK, now.isoformat()]


def work(now: datetime) -> None:
    """Crawl and load, in the process that is killed; exit with 1 if a source failed."""
    service, warehouse = service_engine(), warehouse_engine()
    results = crawl_and_load(service, warehouse, open_store(), CrawlSettings(), now)
    failed = {source: str(result) for source, result in results.items() if isinstance(result, Exception)}
    if failed:
        sys.exit(json.dumps(failed, ensure_ascii=False))


def main() -> None:
    """Run as described in the module."""
    if sys.argv[1] == WORK:
        work(datetime.fromisoformat(sys.argv[2]))
        return
    differences = kill_runs(int(sys.argv[1]))
    sys.exit("\n".join(differences))


if __name__ == "__main__":
    main()
