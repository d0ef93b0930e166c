"""Memory of the API over 300,000 requests for as many URLs, sessions and addresses, of which it must keep few.

``python -m tests.bench.bench_memory [URLS]`` (part of ``make bench``). The gateway answers in this process, on an
embedded PostgreSQL with the small catalog. The response cache is bounded (``ANSWER_BYTES``), so memory grows until it
is full; from then on it must not. The figures go to ``var/bench/memory.json``.
"""

import asyncio
import gc
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from fastapi import FastAPI
from rich.console import Console

from serving.gateway.main import create_app
from serving.runtime.runtime import Runtime
from serving.runtime.snapshot import ANSWER_BYTES
from sql import embedded
from sql.engines import service_engine, warehouse_engine
from sql.upgrade import upgrade
from tests.builders.servers import embedded_folder
from tests.builders.small_catalog import NOON, fill
from tests.conftest import ROOT

URLS, STEPS = 300_000, 6
# Of the second half of the requests, for what the allocator keeps in fragments.
MOST_GROWTH = 0.05

console = Console()


def urls(count: int) -> Iterator[tuple[str, str, str]]:
    """Yield method, path and query of requests, each different."""
    kinds = (
        ("GET", "/api/kok/discounted", "page={}&size=100"),
        ("GET", "/api/kok/top-selling", "page=1&size=20&x={}"),
        ("GET", "/api/homeshopping/search", "keyword=감자{}"),
        ("GET", "/api/kok/product/{}/info", ""),
        ("GET", "/api/homeshopping/product/{}/recipe-recommend", ""),
        ("GET", "/no/such/route/{}", "a={}"),
        ("HEAD", "/api/kok/discounted", "head={}"),
        ("M{}", "/api/kok/discounted", ""),
        ("POST", "/api/user/login", "n={}"),
    )
    for number in range(count):
        method, path, query = kinds[number % len(kinds)]
        yield method.format(number), path.format(number), query.format(number)


async def ask(app: FastAPI, method: str, path: str, query: str, number: int) -> int:
    """Send a request of a new session from a new address; return its status."""
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    headers = [(b"host", b"127.0.0.1"), (b"x-session-id", b"session-%d" % number)]
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": (f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return status


async def measure(count: int) -> list[dict[str, float]]:
    """Return the memory after each part of the requests, with the number of time series."""
    app = create_app(clock=lambda: NOON)
    found = []
    async with app.router.lifespan_context(app):
        runtime: Runtime = app.state.runtime
        for number, (method, path, query) in enumerate(urls(count)):
            status = await ask(app, method, path, query, number)
            if not status or status == 500:
                raise SystemExit(f"{method} {path} was answered by {status}")
            if (number + 1) % (count // STEPS) == 0:
                gc.collect()
                series = runtime.metrics.text().count(b"\n")
                rss = psutil.Process().memory_info().rss
                found.append({"requests": number + 1, "rss_mb": round(rss / 1e6, 1), "metric_lines": series})
                console.print(found[-1])
    return found


def main() -> None:
    """Measure, print the figures, and exit with 1 if memory still grows in the second half."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else URLS
    with embedded_folder() as var, tempfile.TemporaryDirectory() as artifacts:
        for name, url in embedded.start(var).items():
            os.environ[f"UKOK_{name.upper()}_DB_URL"] = url
        os.environ |= {"UKOK_VAR_DIR": str(var), "UKOK_ARTIFACTS_URL": artifacts, "OMP_NUM_THREADS": "1"}
        service = service_engine()
        upgrade(service, "service")
        warehouse = warehouse_engine()
        upgrade(warehouse, "warehouse")
        warehouse.dispose()
        fill(service)
        service.dispose()
        found = asyncio.run(measure(count))
    growth = found[-1]["rss_mb"] / found[STEPS // 2 - 1]["rss_mb"] - 1
    figures = {"cache_mb": ANSWER_BYTES / 1e6, "growth_of_second_half": round(growth, 4), "steps": found}
    target = Path(ROOT) / "var" / "bench" / "memory.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    console.print(figures)
    sys.exit(growth > MOST_GROWTH)


if __name__ == "__main__":
    main()
