"""Swap releases under load: no answer fails, and none mixes two of them.

``python -m tests.bench.bench_swaps`` (part of ``make bench``). Two releases of a small catalog take turns as the
current one, fifty times, while recommendations are asked for without a pause; the version in the whole of each answer,
at its top and in every item, must be one of the two and the same. The figures go to ``var/bench/swaps.json``.
"""

import asyncio
import json
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import httpx
from rich.console import Console

from artifacts.open import open_store
from artifacts.store import Store
from sql import embedded
from sql.engines import service_engine, warehouse_engine
from sql.upgrade import upgrade
from tests.builders import tiny_release
from tests.builders.api_process import served
from tests.builders.small_catalog import BIG_ID, fill
from tests.conftest import ROOT

SWAPS, ANSWERS, CONNECTIONS = 50, 50_000, 16
VERSION = re.compile(rb'"release_version":"?([^",]*)')
PATHS = (
    f"/api/homeshopping/product/{BIG_ID}/recipe-recommend",
    f"/api/homeshopping/product/{BIG_ID}/kok-recommend",
    "/api/homeshopping/product/21000002/recipe-recommend",
    "/api/recommend/product/kok/101/recipes",
    "/api/recommend/product/kok/101/products?target=home_shopping",
    "/api/recommend/recipe/9001/products",
)

console = Console()


async def ask(url: str, seen: Counter[str], until: "asyncio.Future[None]") -> None:
    """Send requests without a pause, and count the versions in the answers."""
    paths: Iterator[str] = cycle(PATHS)
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        while not until.done():
            answer = await client.get(next(paths))
            versions = set(VERSION.findall(answer.content))
            seen["answers"] += 1
            seen["failed"] += answer.status_code != 200
            seen["mixed"] += len(versions) != 1
            seen[f"by {b' '.join(sorted(versions)).decode()}"] += 1


async def swap(url: str, store: Store, versions: tuple[str, str], seen: Counter[str]) -> None:
    """Promote the releases in turns, each after the last one is in service, until enough was answered."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        while seen["swaps"] < SWAPS or seen["answers"] < ANSWERS:
            version = versions[(seen["swaps"] + 1) % 2]
            await asyncio.to_thread(tiny_release.make_live, store, version)
            deadline = time.monotonic() + 30
            while (await client.get("/readyz")).json()["release"] != version:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{version} is not in service after 30 s")
                await asyncio.sleep(0.02)
            seen["swaps"] += 1
            # Fifty swaps are spread over all the answers.
            while seen["answers"] < min(ANSWERS, seen["swaps"] * ANSWERS // SWAPS):  # noqa: ASYNC110 - a count
                await asyncio.sleep(0.02)


async def drive(url: str, store: Store, versions: tuple[str, str]) -> Counter[str]:
    """Request and swap at the same time."""
    seen: Counter[str] = Counter(failed=0, mixed=0)
    done = asyncio.get_running_loop().create_future()
    asking = [asyncio.create_task(ask(url, seen, done)) for _ in range(CONNECTIONS)]
    await swap(url, store, versions, seen)
    done.set_result(None)
    await asyncio.gather(*asking)
    return seen


def main() -> None:
    """Build two releases, swap them under load, print and store the figures."""
    with tempfile.TemporaryDirectory(prefix="ukok-bench-") as folder:
        var = Path(folder)
        os.environ["UKOK_VAR_DIR"] = folder
        urls = embedded.start(var)
        service, warehouse = service_engine(urls["service"]), warehouse_engine(urls["warehouse"])
        upgrade(service, "service")
        upgrade(warehouse, "warehouse")
        fill(service)
        store, now = open_store(), datetime.now(UTC)
        first = tiny_release.build(service, warehouse, store, now)
        second = tiny_release.build(service, warehouse, store, now + timedelta(hours=1))
        tiny_release.make_live(store, first)
        env = os.environ | {"UKOK_POLL_SECONDS": "0.1", "OMP_NUM_THREADS": "1"}
        with served("serving.gateway.main", env, var / "server.log") as running:
            seen = asyncio.run(drive(running.url, store, (first, second)))
        for engine in (service, warehouse):
            engine.dispose()
        embedded.stop(var)
    report = ROOT / "var" / "bench" / "swaps.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(dict(seen), indent=2) + "\n")
    console.print(
        f"{seen['swaps']} swaps, {seen['answers']} answers, {seen['failed']} failed, {seen['mixed']} mixed "
        f"(wanted: {SWAPS}, {ANSWERS}, 0, 0); written to {report}",
        soft_wrap=True,
    )


if __name__ == "__main__":
    main()
