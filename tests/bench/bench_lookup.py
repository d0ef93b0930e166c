"""How many lookups one worker answers, beside a FastAPI route that returns the same bytes.

``python -m tests.bench.bench_lookup`` (part of ``make bench``). A logged-in user asks for recipes of 1,200 different
broadcast products. Both routes are in one process and take turns, pair by pair, so that whatever else the machine
does falls on both. Nothing here decides a test; the figures go to ``var/bench/lookup.json``.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from rich.console import Console
from sqlalchemy import Engine, insert

from sql import embedded
from sql.engines import service_engine, warehouse_engine
from sql.service.catalog import Broadcast, DataVersion, HomeShoppingProduct, ProductIngredient
from sql.service.recipes import Ingredient, Recipe, RecipeIngredient
from sql.upgrade import upgrade
from tests.conftest import ROOT, free_port

PRODUCTS, RECIPES, INGREDIENTS = 1_200, 400, 60
CONNECTIONS, PAIRS, SECONDS = 16, 8, 3.0
FIRST_PRODUCT = 2_200_000_000
ROUTES = {"ours": "homeshopping", "plain FastAPI": "plainfastapi"}
TARGET = 0.60

console = Console()


def fill(engine: Engine) -> None:
    """Broadcast ingredients, each with recipes that contain it."""
    now = datetime.now(UTC)
    with engine.begin() as conn:
        names = [{"ingredient_id": n, "name": f"재료{n}"} for n in range(1, INGREDIENTS + 1)]
        conn.execute(insert(Ingredient), names)
        counts = {"view_count": 0, "recommend_count": 0}
        recipes = [
            {"recipe_id": n, "title": f"재료로 만드는 요리 {n}", "introduction": "맛있는 요리입니다. " * 12}
            for n in range(RECIPES)
        ]
        conn.execute(insert(Recipe), [row | counts | {"scrap_count": row["recipe_id"]} for row in recipes])
        lines = [(recipe, position) for recipe in range(RECIPES) for position in range(9)]
        conn.execute(insert(RecipeIngredient), [_line(*line) for line in lines])
        conn.execute(insert(HomeShoppingProduct), [_product(n, now) for n in range(PRODUCTS)])
        conn.execute(insert(ProductIngredient), [_resolved(n) for n in range(PRODUCTS)])
        conn.execute(insert(Broadcast), [_show(n, now) for n in range(PRODUCTS)])
        versions = [{"dataset": dataset, "version": 1} for dataset in ("kok", "schedule", "recipes")]
        conn.execute(insert(DataVersion), versions)


@contextmanager
def server(var: Path) -> Iterator[tuple[int, str]]:
    """One worker of the gateway with both routes on the filled system; yields its port and a user's token."""
    urls = embedded.start(var)
    for engine, name in (
        (service_engine(urls["service"]), "service"),
        (warehouse_engine(urls["warehouse"]), "warehouse"),
    ):
        upgrade(engine, "service" if name == "service" else "warehouse")
        if name == "service":
            fill(engine)
        engine.dispose()
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("UKOK_")}
    env |= {"UKOK_VAR_DIR": str(var), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "uvicorn", "tests.bench.lookup_app:app", "--port", str(port), "--workers", "1"]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    with (var / "server.log").open("wb") as log:
        process = subprocess.Popen([*_pinned(0), *command], stdout=log, stderr=log, env=env, cwd=ROOT)
    try:
        yield port, _log_in(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(30)
        embedded.stop(var)


def measure(port: int, token: str) -> dict[str, Any]:
    """Drive the routes in turns and compare them."""
    paths = {name: [_path(prefix, n) for n in range(PRODUCTS)] for name, prefix in ROUTES.items()}
    sizes = _warm(port, token, paths)
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in ROUTES}
    for turn in range(PAIRS):
        for name in list(ROUTES) if turn % 2 else list(ROUTES)[::-1]:
            rounds[name].append(_drive(port, token, paths[name]))
    ratios = [ours["per_second"] / plain["per_second"] for ours, plain in zip(*rounds.values(), strict=True)]
    figures = {name: {key: median(r[key] for r in runs) for key in runs[0]} for name, runs in rounds.items()}
    return {
        "ratio": median(ratios),
        "ratios": ratios,
        "target": TARGET,
        "products": PRODUCTS,
        "answer_bytes": sum(sizes) / len(sizes),
        "connections": CONNECTIONS,
        "failed": sum(run["failed"] for runs in rounds.values() for run in runs),
        "routes": figures,
    }


def main() -> None:
    """Measure, print and store the figures."""
    with tempfile.TemporaryDirectory(prefix="ukok-bench-") as folder, server(Path(folder)) as (port, token):
        figures = measure(port, token)
    report = ROOT / "var" / "bench" / "lookup.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(figures, indent=2) + "\n")
    for name, route in figures["routes"].items():
        times = f"p50 {route['p50_ms']:5.2f} ms   p99 {route['p99_ms']:5.2f} ms"
        console.print(f"{name:>14}: {route['per_second']:7.0f} requests/s   {times}")
    console.print(
        f"         ratio: {figures['ratio']:.2f} (wanted: {TARGET} or more), written to {report}", soft_wrap=True
    )


def _line(recipe: int, position: int) -> dict[str, Any]:
    number = (recipe * 7 + position * 11) % INGREDIENTS + 1
    return {
        "recipe_id": recipe,
        "position": position,
        "name": f"재료{number}",
        "amount": "1",
        "unit": "개",
        "ingredient_id": number,
    }


def _product(number: int, now: datetime) -> dict[str, Any]:
    return {
        "source": "hmall",
        "source_product_id": FIRST_PRODUCT + number,
        "product_name": f"방송 상품 {number}",
        "price_kind": "unknown",
        "first_seen_at": now,
        "is_food": True,
        "is_ingredient": True,
        "resolver_version": "1",
    }


def _resolved(number: int) -> dict[str, Any]:
    key = {"source": "hmall", "source_product_id": FIRST_PRODUCT + number}
    return {**key, "position": 0, "ingredient_id": number % INGREDIENTS + 1}


def _show(number: int, now: datetime) -> dict[str, Any]:
    starts_at = now + timedelta(minutes=number)
    return {
        "channel_id": number % 5 + 1,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=1),
        "source": "hmall",
        "source_product_id": FIRST_PRODUCT + number,
        "slot": "main",
        "price": 10_000 + number,
        "price_kind": "amount",
    }


def _path(prefix: str, number: int) -> str:
    return f"/api/{prefix}/product/{FIRST_PRODUCT + number}/recipe-recommend"


def _log_in(url: str, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{url}/healthz")
            break
        except httpx.TransportError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    account = {"email": "visitor@example.com", "password": "measuring", "username": "손님"}
    httpx.post(f"{url}/api/user/signup", json=account).raise_for_status()
    form = {"username": account["email"], "password": account["password"]}
    return str(httpx.post(f"{url}/api/user/login", data=form).raise_for_status().json()["access_token"])


def _warm(port: int, token: str, paths: dict[str, list[str]]) -> list[int]:
    """Ask for everything once; both routes must give the same bytes. Returns their lengths."""
    sizes = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}) as client:
        for ours, plain in zip(*paths.values(), strict=True):
            answers = [client.get(path).raise_for_status() for path in (ours, ours, plain)]
            if len({(answer.content, answer.headers["content-type"]) for answer in answers}) != 1:
                raise RuntimeError(f"{ours} and {plain} differ")
            if len(answers[0].json()["recipes"]) != 10:
                raise RuntimeError(f"{ours} has no ten recipes")
            sizes.append(len(answers[0].content))
    return sizes


def _drive(port: int, token: str, paths: list[str]) -> dict[str, float]:
    command = [*_pinned(1), sys.executable, "-m", "tests.bench.load", str(port), str(CONNECTIONS), str(SECONDS)]
    output = subprocess.run(
        command,
        input="\n".join(paths),
        env=os.environ | {"TOKEN": token},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(json.loads(output.stdout))


def _pinned(core: int) -> list[str]:
    """Keep server and load generator on cores of their own where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "--cpu-list", str(cores[core])] if len(cores) > 1 else []


if __name__ == "__main__":
    main()
