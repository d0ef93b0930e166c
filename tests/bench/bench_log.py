"""Events per second of one worker, each acknowledged after its commit on PostgreSQL.

``python -m tests.bench.bench_log`` (part of ``make bench``). Single events beside a bare FastAPI POST route with the
same body model; batches of 500 beside a plain COPY of the same rows, 500 a transaction, into a table with the same
indexes. The pairs take turns in one run. Then the server is killed under load again and again: every acknowledged event
must be in the table, and none twice. No test depends on the figures, which go to ``var/bench/log.json``.
"""

import asyncio
import io
import json
import os
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import httpx
from rich.console import Console
from sqlalchemy import Engine, text

from serving.runtime.event_writer import COLUMNS, Event, new_event_id
from sql import embedded
from sql.engines import warehouse_engine
from tests.bench.bench_serving import drive, server
from tests.builders.api_process import Server, served
from tests.conftest import ROOT

PAIRS, SECONDS, BATCH, COPIES, KILLS, KILL_AFTER = 6, 3.0, 500, 400, 20, 300
WANTED = 0.50
ACTIVITY = "/api/log/user/activity"
MADE = "CREATE TABLE IF NOT EXISTS copied_event (LIKE user_event INCLUDING ALL)"

console = Console()


def activity(number: int) -> dict[str, Any]:
    """Return an event as the frontend sends it."""
    about = {"recipe_id": number, "position": number % 10 + 1, "release_version": "20250806T030000Z-3f2a9c01d7"}
    return {"action": "recommendation_click", "path": "/kok", "label": "콕 쇼핑몰", "extra_data": about}


def singles(port: int, token: str) -> dict[str, Any]:
    """Compare single events with the bare route."""
    bodies = [json.dumps(activity(number), ensure_ascii=False) for number in range(500)]
    routes = {"ours": ACTIVITY, "bare": "/api/bare/activity"}
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in routes}
    for turn in range(PAIRS):
        for name in list(routes) if turn % 2 else list(routes)[::-1]:
            rounds[name].append(drive(port, token, [f"{routes[name]}\t{body}" for body in bodies], SECONDS))
    pairs = list(zip(rounds["ours"], rounds["bare"], strict=True))
    return {
        "ratio": median(ours["per_second"] / bare["per_second"] for ours, bare in pairs),
        "ours_per_second": median(run["per_second"] for run in rounds["ours"]),
        "bare_per_second": median(run["per_second"] for run in rounds["bare"]),
        "ours_p99_ms": median(run["p99_ms"] for run in rounds["ours"]),
        "bare_p99_ms": median(run["p99_ms"] for run in rounds["bare"]),
        "failed": sum(run["failed"] for runs in rounds.values() for run in runs),
    }


def batches(port: int, token: str, warehouse: Engine) -> dict[str, Any]:
    """Compare batches with a plain COPY of the same rows."""
    body = json.dumps({"events": [activity(number) for number in range(BATCH)]}, ensure_ascii=False)
    rounds: dict[str, list[float]] = {"ours": [], "copy": []}
    failed = 0.0
    for turn in range(PAIRS):
        for name in ("ours", "copy") if turn % 2 else ("copy", "ours"):
            if name == "ours":
                run = drive(port, token, [f"{ACTIVITY}/batch\t{body}"], SECONDS)
                rounds[name].append(run["per_second"] * BATCH)
                failed += run["failed"]
            else:
                rounds[name].append(copied_per_second(warehouse))
    return {
        "ratio": median(ours / copy for ours, copy in zip(rounds["ours"], rounds["copy"], strict=True)),
        "ours_events_per_second": median(rounds["ours"]),
        "copy_events_per_second": median(rounds["copy"]),
        "failed": failed,
    }


def copied_per_second(warehouse: Engine) -> float:
    """Return rows per second of COPY, 500 a transaction; their text is formatted before."""
    texts = [_batch_text() for _ in range(COPIES)]
    statement = f"COPY copied_event ({', '.join(COLUMNS)}) FROM STDIN"
    raw = warehouse.raw_connection()
    try:
        started = time.perf_counter()
        for lines in texts:
            cursor: Any = raw.cursor()
            cursor.copy_expert(statement, io.StringIO(lines))
            raw.commit()
        return COPIES * BATCH / (time.perf_counter() - started)
    finally:
        raw.close()


def _batch_text() -> str:
    now = datetime.now(UTC).isoformat()
    kind = "user_activity_recommendation_click"
    payloads = (json.dumps(activity(number)["extra_data"]) for number in range(BATCH))
    events = (Event(new_event_id(), 1, kind, path="/kok", label="콕 쇼핑몰", payload=payload) for payload in payloads)
    return "\n".join(event.line(now) for event in events)


def kills(env: dict[str, str], token: str, warehouse: Engine, log: Path) -> dict[str, int]:
    """Kill the server under load, and count what it had acknowledged and is missing."""
    counts: Counter[str] = Counter()
    for _ in range(KILLS):
        with served("serving.log.main", env, log) as running:
            acknowledged = asyncio.run(_write_until_killed(running, token))
        with warehouse.connect() as conn:
            found = conn.execute(text("SELECT event_id::text FROM user_event WHERE event_type = 'user_activity_kill'"))
            stored = Counter(found.scalars())
        counts["kills"] += 1
        counts["acknowledged"] += len(acknowledged)
        counts["missing"] += sum(event_id not in stored for event_id in acknowledged)
        counts["doubled"] += sum(count > 1 for count in stored.values())
        counts["stored"] = len(stored)
    return dict(counts)


def main() -> None:
    """Measure, print and store the figures."""
    with tempfile.TemporaryDirectory(prefix="ukok-bench-") as folder:
        var = Path(folder)
        with server(var, "tests.bench.log_app") as (port, token):
            warehouse = warehouse_engine(embedded.start(var)["warehouse"])
            with warehouse.begin() as conn:
                conn.execute(text(MADE))
            figures: dict[str, Any] = {"wanted": WANTED}
            figures |= {"singles": singles(port, token), "batches": batches(port, token, warehouse)}
            env = {name: value for name, value in os.environ.items() if not name.startswith("UKOK_")}
            figures["kills"] = kills(env | {"UKOK_VAR_DIR": str(var)}, token, warehouse, var / "log.log")
            warehouse.dispose()
    report = ROOT / "var" / "bench" / "log.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(figures, indent=2) + "\n")
    single, batch, killed = figures["singles"], figures["batches"], figures["kills"]
    console.print(
        f"single events: {single['ours_per_second']:.0f}/s, bare route {single['bare_per_second']:.0f}/s, "
        f"ratio {single['ratio']:.2f}; batches of {BATCH}: {batch['ours_events_per_second']:.0f} events/s, "
        f"plain COPY {batch['copy_events_per_second']:.0f}/s, ratio {batch['ratio']:.2f} (wanted: {WANTED} or more); "
        f"failed {single['failed'] + batch['failed']:.0f}",
        soft_wrap=True,
    )
    console.print(f"killed {killed['kills']} times under load: {killed}; written to {report}", soft_wrap=True)


async def _write_until_killed(running: Server, token: str) -> list[str]:
    acknowledged: list[str] = []
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=running.url, headers=headers, timeout=30) as client:

        async def write() -> None:
            while True:
                event_id = str(uuid4())
                try:
                    answer = await client.post(ACTIVITY, json={"action": "kill", "event_id": event_id})
                except httpx.TransportError:
                    return
                answer.raise_for_status()
                acknowledged.append(event_id)
                if len(acknowledged) == KILL_AFTER:
                    running.kill()

        await asyncio.gather(*(write() for _ in range(16)))
    return acknowledged


if __name__ == "__main__":
    main()
