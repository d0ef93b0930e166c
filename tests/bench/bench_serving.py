"""Requests per second of one worker, compared with FastAPI routes that return the same bytes.

``python -m tests.bench.bench_serving`` (part of ``make bench``). A logged-in user asks for more than 5,000 different
URLs: each hot route by itself and all of them mixed by Zipf's law, when no answer is cached (cold) and when all are
(warm). Both routes are in one process, behind the same middleware, and take turns, pair by pair, so that other load of
the machine affects both; the requests come from a core of their own. Search and by-ingredients are compared with a
rate. No test depends on the figures, which go to ``var/bench/serving.json``.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

import httpx
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, insert

from sql import embedded
from sql.engines import service_engine, warehouse_engine
from sql.service.catalog import (
    Broadcast,
    DataVersion,
    HomeShoppingProduct,
    KokPrice,
    KokProduct,
    ProductIngredient,
    SearchDocument,
)
from sql.service.pages import ProductDetail, ProductImage
from sql.service.recipes import Ingredient, Recipe, RecipeIngredient
from sql.upgrade import upgrade
from tests.bench.serving_app import HOT, PLAIN
from tests.builders.api_process import PROTOCOL
from tests.builders.servers import free_port
from tests.conftest import ROOT

PRODUCTS, MALL, RECIPES, INGREDIENTS, DAYS = 1_200, 2_400, 2_000, 120, 11
CONNECTIONS, PAIRS, SECONDS = 16, 5, 2.0
FIRST_PRODUCT, FIRST_MALL = 2_200_000_000, 10_000_000
# Least ratios to the plain route.
WANTED_RATIO = {"cold": 0.40, "warm": 1.10}
WANTED_SEARCHES = 200
ZIPF_EXPONENT, MIXED = 1.1, 20_000

console = Console()


def fill(engine: Engine) -> None:
    """Insert broadcasts of eleven days and a mall of ingredients, each with recipes that contain it."""
    now = datetime.now(UTC)
    with engine.begin() as conn:
        conn.execute(
            insert(Ingredient), [{"ingredient_id": n, "name": _ingredient(n)} for n in range(1, INGREDIENTS + 1)]
        )
        counts = {"view_count": 0, "recommend_count": 0}
        introduction = "맛있는 요리입니다. " * 12
        conn.execute(
            insert(Recipe),
            [
                {"recipe_id": n, "title": _title(n), "introduction": introduction, "scrap_count": n} | counts
                for n in range(RECIPES)
            ],
        )
        conn.execute(insert(RecipeIngredient), [_line(r, p) for r in range(RECIPES) for p in range(9)])
        conn.execute(insert(HomeShoppingProduct), [_product(n, now) for n in range(PRODUCTS)])
        conn.execute(insert(Broadcast), [_show(n, now) for n in range(PRODUCTS)])
        conn.execute(insert(KokProduct), [_mall_product(n, now) for n in range(MALL)])
        conn.execute(insert(KokPrice), [_price(n, now) for n in range(MALL)])
        keys = [("hmall", FIRST_PRODUCT + n) for n in range(PRODUCTS)] + [("kok", FIRST_MALL + n) for n in range(MALL)]
        conn.execute(insert(ProductIngredient), [_resolved(source, number) for source, number in keys])
        conn.execute(
            insert(ProductDetail), [_part(n, p) | {"name": f"항목 {p}", "value": "국내산"} for n, p in _parts(8)]
        )
        conn.execute(
            insert(ProductImage),
            [_part(n, p) | {"image_url": f"https://img.example.com/{n}/{p}.jpg"} for n, p in _parts(20)],
        )
        documents = [{"source": "recipes", "document_id": n, "tokens": _title(n)} for n in range(RECIPES)]
        conn.execute(insert(SearchDocument), documents)
        versions = [{"dataset": dataset, "version": 1} for dataset in ("kok", "schedule", "recipes")]
        conn.execute(insert(DataVersion), versions)


@contextmanager
def server(var: Path, module: str = "tests.bench.serving_app") -> Iterator[tuple[int, str]]:
    """Run one worker of the gateway on a filled system; yields its port and a user's token."""
    urls = embedded.start(var)
    service, warehouse = service_engine(urls["service"]), warehouse_engine(urls["warehouse"])
    upgrade(service, "service")
    upgrade(warehouse, "warehouse")
    fill(service)
    for engine in (service, warehouse):
        engine.dispose()
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("UKOK_")}
    env |= {"UKOK_VAR_DIR": str(var), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "uvicorn", "--factory", f"{module}:create_app", "--port", str(port)]
    command += ["--workers", "1", "--loop", "uvloop", "--http", PROTOCOL, "--no-access-log"]
    with (var / "server.log").open("wb") as log:
        process = subprocess.Popen([*pinned(0), *command], stdout=log, stderr=log, env=env, cwd=ROOT)
    try:
        yield port, _log_in(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(30)
        embedded.stop(var)


def urls() -> dict[str, list[str]]:
    """Return distinct URLs of each hot route."""
    days = [(datetime.now(UTC) + timedelta(hours=9, days=day)).date().isoformat() for day in range(DAYS)]
    ids = [FIRST_PRODUCT + n for n in range(PRODUCTS)]
    return {
        "schedule": [
            f"/api/homeshopping/schedule?live_date={day}&page=1&size={size}" for day in days for size in range(1, 31)
        ],
        "broadcast product": [f"/api/homeshopping/product/{n + 1}" for n in range(PRODUCTS)],
        "recipes for a product": [f"/api/homeshopping/product/{n}/recipe-recommend" for n in ids],
        "mall for a product": [f"/api/homeshopping/product/{n}/kok-recommend" for n in ids],
        "discounted": [
            f"/api/kok/discounted?page={page}&size={size}" for page in range(1, 11) for size in range(11, 61)
        ],
        "mall product": [f"/api/kok/product/{FIRST_MALL + n}/info" for n in range(MALL)],
    }


def measure(port: int, token: str) -> dict[str, Any]:
    """Measure the routes in turns and compare them."""
    own = urls()
    rng = random.Random(7)
    everything = [url for paths in own.values() for url in paths]
    rng.shuffle(everything)
    weights = [1 / (rank + 1) ** ZIPF_EXPONENT for rank in range(len(everything))]
    own["mixed by Zipf"] = rng.choices(everything, weights, k=MIXED)
    figures: dict[str, Any] = {"different_urls": len(everything), "connections": CONNECTIONS, "wanted": WANTED_RATIO}
    for name, paths in own.items():
        _check_same(port, token, paths)
        for state in ("cold", "warm"):
            figures[f"{name}, {state}"] = _compare(port, token, paths, cold=state == "cold")
    figures["searches"] = {name: drive(port, token, paths, 0) for name, paths in _searches(rng).items()}
    return figures


def main() -> None:
    """Measure, print and store the figures."""
    with tempfile.TemporaryDirectory(prefix="ukok-bench-") as folder, server(Path(folder)) as (port, token):
        figures = measure(port, token)
    report = ROOT / "var" / "bench" / "serving.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    table = Table("route", "ours/s", "plain/s", "ratio", "wanted", "p99 ratio", "failed")
    for name, found in figures.items():
        if isinstance(found, dict) and "ratio" in found:
            rates = (f"{found['ours']['per_second']:.0f}", f"{found['plain']['per_second']:.0f}")
            wanted = WANTED_RATIO[name.rpartition(" ")[2]]
            ratios = (f"{found['ratio']:.2f}", f">= {wanted:.2f}", f"{found['p99_ratio']:.2f}")
            table.add_row(name, *rates, *ratios, str(found["failed"]))
    console.print(table)
    for name, found in figures["searches"].items():
        rate = f"{found['per_second']:.0f} requests/s, p99 {found['p99_ms']:.1f} ms, {found['failed']:.0f} failed"
        console.print(f"{name}: {rate} (wanted: {WANTED_SEARCHES} or more)", soft_wrap=True)
    console.print(f"{figures['different_urls']} different URLs; written to {report}", soft_wrap=True)


def drive(port: int, token: str, lines: list[str], seconds: float) -> dict[str, float]:
    """Send requests to the server from another process; with 0 seconds each line once."""
    command = [*pinned(1), sys.executable, "-m", "tests.bench.load", str(port), str(CONNECTIONS), str(seconds)]
    output = subprocess.run(
        command,
        input="\n".join(lines),
        env=os.environ | {"TOKEN": token},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(json.loads(output.stdout))


def pinned(core: int) -> list[str]:
    """Return the command prefix that pins a process to a core, if there are two."""
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "--cpu-list", str(cores[core])] if len(cores) > 1 else []


def _compare(port: int, token: str, paths: list[str], *, cold: bool) -> dict[str, Any]:
    rounds: dict[str, list[dict[str, float]]] = {"ours": [], "plain": []}
    for turn in range(PAIRS):
        for name in list(rounds) if turn % 2 else list(rounds)[::-1]:
            asked = paths if name == "ours" else [_plain(path) for path in paths]
            if cold:
                httpx.post(f"http://127.0.0.1:{port}/bench/forget").raise_for_status()
            rounds[name].append(drive(port, token, asked, 0 if cold else SECONDS))
    pairs = list(zip(rounds["ours"], rounds["plain"], strict=True))
    return {
        "ratio": median(ours["per_second"] / plain["per_second"] for ours, plain in pairs),
        "p99_ratio": median(ours["p99_ms"] / plain["p99_ms"] for ours, plain in pairs),
        "failed": sum(run["failed"] for runs in rounds.values() for run in runs),
    } | {name: {key: median(r[key] for r in runs) for key in runs[0]} for name, runs in rounds.items()}


def _check_same(port: int, token: str, paths: list[str]) -> None:
    """Request every path once; both routes must return the same bytes."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}) as client:
        for path in dict.fromkeys(paths):
            ours, plain = client.get(path).raise_for_status(), client.get(_plain(path)).raise_for_status()
            if ours.content != plain.content or len(ours.content) < 50:
                raise RuntimeError(f"{path} and the plain route differ, or are nearly empty: {ours.text[:200]}")


def _plain(path: str) -> str:
    for prefix, _ in HOT.values():
        path = path.replace(f"/api/{prefix}/", f"/api/{PLAIN}-{prefix}/")
    return path


def _searches(rng: random.Random) -> Mapping[str, list[str]]:
    """Return URLs with different words each time, so that no answer is cached."""

    def names(count: int) -> list[str]:
        return [quote(_ingredient(n)) for n in rng.sample(range(1, INGREDIENTS + 1), count)]

    def basket() -> str:
        return "&".join(f"ingredient={name}&amount={rng.randrange(50, 900)}&unit=g" for name in names(5))

    return {
        "recipe search": [f"/api/recipes/search?recipe={quote(_typo(_title(n)))}&page=1&size=15" for n in range(1500)],
        "mall search": [f"/api/kok/search?keyword={name}%20{n}" for n in range(1500) for name in names(1)],
        "by-ingredients": [f"/api/recipes/by-ingredients?{basket()}&page=1&size=5" for _ in range(1500)],
    }


def _typo(title: str) -> str:
    return title[:-2] + title[-1]


def _ingredient(number: int) -> str:
    """A made-up word of two syllables."""
    return chr(0xAC00 + (number * 2741) % 11172) + chr(0xAC00 + (number * 5003) % 11172)


def _title(number: int) -> str:
    return f"{_ingredient(number % INGREDIENTS + 1)} {_ingredient((number * 7) % INGREDIENTS + 1)} 볶음 {number}"


def _line(recipe: int, position: int) -> dict[str, Any]:
    number = (recipe * 7 + position * 11) % INGREDIENTS + 1
    key = {"recipe_id": recipe, "position": position, "name": _ingredient(number), "ingredient_id": number}
    return key | {"amount": str(50 + recipe % 200), "unit": "g"}


def _product(number: int, now: datetime) -> dict[str, Any]:
    return {
        "source": "hmall",
        "source_product_id": FIRST_PRODUCT + number,
        "product_name": f"방송 상품 {number}",
        "price_kind": "unknown",
        "thumbnail_url": f"https://img.example.com/{number}.jpg",
        "first_seen_at": now,
        "is_food": True,
        "is_ingredient": True,
        "resolver_version": "1",
    }


def _show(number: int, now: datetime) -> dict[str, Any]:
    starts_at = now + timedelta(minutes=number * (DAYS - 1) * 24 * 60 / PRODUCTS)
    return {
        "broadcast_id": number + 1,
        "channel_id": number % 5 + 1,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=1),
        "source": "hmall",
        "source_product_id": FIRST_PRODUCT + number,
        "slot": "main",
        "price": 10_000 + number,
        "price_kind": "amount",
    }


def _mall_product(number: int, now: datetime) -> dict[str, Any]:
    return {
        "kok_product_id": FIRST_MALL + number,
        "store_name": f"가게 {number % 90}",
        "product_name": f"{_ingredient(number % INGREDIENTS + 1)} {number}",
        "list_price": 12_000 + number,
        "thumbnail_url": f"https://img.example.com/mall/{number}.jpg",
        "review_score": 4.5,
        "review_count": number,
        "first_seen_at": now,
        "is_food": True,
        "is_ingredient": True,
        "resolver_version": "1",
    }


def _price(number: int, now: datetime) -> dict[str, Any]:
    price = {"kok_product_id": FIRST_MALL + number, "observed_at": now, "price": 9_000 + number}
    return price | {"price_kind": "amount", "discount_rate": 1 + number % 40}


def _resolved(source: str, number: int) -> dict[str, Any]:
    key = {"source": source, "source_product_id": number}
    return {**key, "position": 0, "ingredient_id": number % INGREDIENTS + 1}


def _parts(each: int) -> Iterator[tuple[int, int]]:
    return ((number, position) for number in range(PRODUCTS) for position in range(each))


def _part(number: int, position: int) -> dict[str, Any]:
    return {"source": "hmall", "source_product_id": FIRST_PRODUCT + number, "position": position}


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


if __name__ == "__main__":
    main()
