"""How long a release of many products and recipes takes to build, publish and load, and with how much memory.

``python -m tests.bench.bench_build`` (part of ``make bench``, with a small catalog). ``--sizes 10000 100000`` measures
catalogs of so many products and as many recipes, made up from a fixed seed, and how the time of each step grows from
the first to the last. The models are of the real shape, and the encoder is trained for a few steps only: its training
has a budget of its own. Every stage is a process of its own, so that its memory is its own; artifacts are kept on an S3
server over HTTP. Figures go to ``var/bench/build.json``.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import structlog
from rich.console import Console
from rich.table import Table

from artifacts import release as releases
from artifacts.open import open_store
from sql import embedded
from sql.engines import service_engine, warehouse_engine
from sql.upgrade import upgrade
from tests.bench.large_catalog import LargeCatalog
from tests.builders.servers import S3_BUCKET, S3_KEY, S3_SECRET, s3_server
from tests.conftest import ROOT

SIZES: Final = (1_000, 2_000)
ENCODER_STEPS: Final = 100
# Limits at the full size; the time is that of the processor, since the build runs on one thread. Smaller
# catalogs have less time in proportion, but not less than a tenth of it.
FULL_SIZE, BUILD_SECONDS, BUILD_MB, RELOAD_SECONDS, LEAST_SHARE = 100_000, 1800, 4096, 10, 0.1
# A time below this says nothing about growth.
MEASURABLE: Final = 1.0
NOW: Final = datetime(2025, 8, 6, 3, tzinfo=UTC)

Figures = dict[str, dict[str, float]]
console, progress = Console(), Console(stderr=True)


def main() -> None:
    """Measure every size, print and write the figures; exit code 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        print(json.dumps(STAGES[given.stage](given.sizes[0])))  # noqa: T201 - read by the process that started this one
        return
    results = {size: measure(size) for size in given.sizes}
    report = ROOT / "var" / "bench" / "build.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    load = [round(each, 2) for each in os.getloadavg()]
    report.write_text(json.dumps({"load average": load, "sizes": results}, ensure_ascii=False, indent=2) + "\n")
    show(results)
    console.print(f"load average {load}; written to {report}")
    if problems := list(exceeded(results)):
        sys.exit("\n".join(problems))


def measure(size: int) -> Figures:
    """Figures of each stage and step with so many products and recipes."""
    found: Figures = {}
    with servers() as env:
        for name in STAGES:
            command = [sys.executable, "-m", "tests.bench.bench_build", "--stage", name, "--sizes", str(size)]
            output = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT).stdout
            found |= json.loads(output.splitlines()[-1])
            console.print(f"{size:,}: {name} {found[name]}", soft_wrap=True)
    return found


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """Start the databases and an S3 server; yields the environment that names them."""
    with tempfile.TemporaryDirectory(prefix="ukok-bench-", ignore_cleanup_errors=True) as folder:
        var = Path(folder)
        var.chmod(0o755)
        keys = {"AWS_ACCESS_KEY_ID": S3_KEY, "AWS_SECRET_ACCESS_KEY": S3_SECRET, "AWS_REGION": "us-east-1"}
        os.environ |= keys | {"AWS_DEFAULT_REGION": "us-east-1", "UKOK_VAR_DIR": folder}
        (var / "s3").mkdir()
        with s3_server(var / "s3") as endpoint:
            urls = embedded.start(var)
            try:
                for database in ("service", "warehouse"):
                    engine = (service_engine if database == "service" else warehouse_engine)(urls[database])
                    upgrade(engine, database)
                    engine.dispose()
                yield os.environ | {
                    "UKOK_SERVICE_DB_URL": urls["service"],
                    "UKOK_WAREHOUSE_DB_URL": urls["warehouse"],
                    "UKOK_ARTIFACTS_URL": f"s3://{S3_BUCKET}/bench",
                    "UKOK_S3_ENDPOINT_URL": endpoint,
                }
            finally:
                embedded.stop(var)


def fill(size: int) -> Figures:
    """Make up the catalog and load it."""
    with measured("fill") as figures:
        LargeCatalog(size, size).fill(service_engine())
    return figures


def word2vec(_: int) -> Figures:
    """Train Word2Vec as `ukok train word2vec` does."""
    from pipelines.train import word2vec as training

    with measured("word2vec") as figures:
        training.train(service_engine(), open_store(), NOW)
    return figures


def encoder(_: int) -> Figures:
    """Train the encoder as `ukok train bert` does, for a few steps."""
    from pipelines.train import bert

    parameters = replace(bert.BertParameters(), max_steps=ENCODER_STEPS)
    with measured("encoder") as figures, patch.object(bert, "BertParameters", lambda **_: parameters):
        bert.train_and_save(service_engine(), open_store(), NOW)
    return figures


def build(_: int) -> Figures:
    """Build, evaluate and upload a release as `ukok release build` does."""
    from pipelines.release.build import build_release

    steps: Figures = {}

    def keep(_: object, __: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        if event["event"] == "release_step":
            figures = {name: event[name] for name in ("seconds", "cpu_seconds", "peak_memory_mb")}
            steps[f"  {event['step']}"] = figures
            progress.print(f"  {event['step']} {figures}", soft_wrap=True)
        raise structlog.DropEvent

    structlog.configure(processors=[keep])
    with measured("build") as figures:
        manifest = build_release(service_engine(), warehouse_engine(), open_store(), NOW)
    figures["build"]["release_mb"] = round(sum(file.size for file in manifest.files.values()) / 2**20, 1)
    return figures | steps


def reload(_: int) -> Figures:
    """Make the release live, and load it as the API does."""
    from serving.runtime.live_release import LiveRelease
    from serving.runtime.snapshot import LiveSnapshot
    from serving.web.metrics import Metrics

    store = open_store()
    releases.promote(store, releases.list_releases(store)[-1], expected=None)
    live = LiveSnapshot()
    with tempfile.TemporaryDirectory() as cache, measured("reload") as figures:
        LiveRelease(store, Path(cache), live, Metrics(), _fail).poll()
    assert live.current.release, "the release was not loaded"
    return figures


def _fail(version: str, failures: int) -> None:
    raise RuntimeError(f"release {version} was not loaded, {failures} times in a row")


STAGES: Final[Mapping[str, Callable[[int], Figures]]] = {
    "fill": fill,
    "word2vec": word2vec,
    "encoder": encoder,
    "build": build,
    "reload": reload,
}


@contextmanager
def measured(name: str) -> Iterator[Figures]:
    """Yield figures, which hold the seconds and the most memory of the block at its end."""
    figures: Figures = {}
    began, used = time.monotonic(), time.process_time()
    yield figures
    figures[name] = {
        "seconds": round(time.monotonic() - began, 2),
        "cpu_seconds": round(time.process_time() - used, 2),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def growth(results: Mapping[int, Figures], name: str) -> float | None:
    """Exponent by which the processor's time of a step grows from the first size to the last."""
    small, large = min(results), max(results)
    before, after = (figures[name]["cpu_seconds"] for figures in (results[small], results[large]))
    if small == large or before < MEASURABLE or after < MEASURABLE:
        return None
    return round(math.log(after / before) / math.log(large / small), 2)


def exceeded(results: Mapping[int, Figures]) -> Iterator[str]:
    """Yield the limits that the sizes exceed."""
    for size, figures in results.items():
        build, most = figures["build"], BUILD_SECONDS * max(size / FULL_SIZE, LEAST_SHARE)
        transfer = figures["  upload the files"]["seconds"] + figures["reload"]["seconds"]
        if build["cpu_seconds"] > most:
            yield f"{size:,}: the build took {build['cpu_seconds']:.0f} s of the processor, at most {most:.0f} expected"
        if build["peak_memory_mb"] > BUILD_MB:
            yield f"{size:,}: the build took {build['peak_memory_mb']:,} MB, at most {BUILD_MB:,} expected"
        if transfer > RELOAD_SECONDS:
            yield f"{size:,}: upload and load took {transfer:.1f} s, at most {RELOAD_SECONDS} expected"


def show(results: Mapping[int, Figures]) -> None:
    """Print seconds, seconds of the processor and memory of each step by size."""
    table = Table("step", *(f"{size:,}: s / CPU s / MB" for size in results), "growth")
    for name in next(iter(results.values())):
        cells = [_cell(figures[name]) for figures in results.values()]
        exponent = growth(results, name)
        table.add_row(name, *cells, "" if exponent is None else f"N^{exponent:.2f}")
    console.print(table)


def _cell(figures: Mapping[str, float]) -> str:
    return f"{figures['seconds']:,.1f} / {figures['cpu_seconds']:,.1f} / {figures['peak_memory_mb']:,.0f}"


if __name__ == "__main__":
    main()
