"""Events per second of ingestion, beside COPY of the same rows into an equal table.

``python -m tests.bench.bench_ingest [EVENTS ...]`` (part of ``make bench``; by default 100,000 and 1,000,000).
Ingestion includes batches, partitions, position and reconciliation. COPY reads the rows from a file, all in one
transaction. The pairs take turns in one run, each on empty tables. No test depends on the figures, which go to
``var/bench/ingest.json``.
"""

import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from sqlalchemy import Engine, text

from artifacts.open import open_store
from artifacts.store import Store
from pipelines.logs.ingest import ingest_logs
from sql import embedded
from sql.engines import warehouse_engine
from sql.upgrade import upgrade
from tests.conftest import ROOT

SIZES, PAIRS, LARGE = (100_000, 1_000_000), 3, 2_000_000
WANTED = 0.60
ROWS_PER_TRANSACTION = 50_000
# A click in a recommendation, as the event writer stores it; received in the course of four days.
FILL = """
    INSERT INTO user_event (event_id, received_at, user_id, event_type, path, label, payload)
    SELECT gen_random_uuid(), TIMESTAMPTZ '2025-08-04 00:00+09' + number * INTERVAL '4 days' / :total, number % 5000,
        'user_activity_recommendation_click', '/homeshopping/product/7', '포슬포슬 감자조림',
        jsonb_build_object('recipe_id', number, 'position', number % 10 + 1, 'stage', 'release',
            'release_version', '20250806T030000Z-3f2a9c01d7')
    FROM generate_series(CAST(:first AS bigint), :last) AS number
"""
ROWS = """
    SELECT CAST(timezone('Asia/Seoul', received_at) AS date), event_id, received_at, occurred_at, user_id, session_id,
        event_type, path, label, payload FROM user_event ORDER BY received_at
"""
COPIED = "CREATE TABLE copied_event (LIKE fct_user_event INCLUDING ALL)"

console = Console()


def fill(warehouse: Engine, total: int) -> None:
    """Store ``total`` events in the landing table."""
    for first in range(0, total, ROWS_PER_TRANSACTION):
        last = min(first + ROWS_PER_TRANSACTION, total) - 1
        with warehouse.begin() as conn:
            conn.execute(text(FILL), {"total": total, "first": first, "last": last})
    with warehouse.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("VACUUM ANALYZE user_event"))


def ingest(warehouse: Engine, store: Store, total: int) -> float:
    """Return the seconds of an ingestion of every event."""
    with warehouse.begin() as conn:
        conn.execute(text("TRUNCATE fct_user_event, ingest_position"))
    started = time.perf_counter()
    report = ingest_logs(warehouse, store, None, None, now=datetime(2025, 8, 8, tzinfo=UTC))
    seconds = time.perf_counter() - started
    if report.written != total:
        raise RuntimeError(f"{report.written} events of {total} were ingested")
    return seconds


def copy(warehouse: Engine, rows: Path) -> float:
    """Return the seconds of a COPY of every row."""
    with warehouse.begin() as conn:
        conn.execute(text("TRUNCATE copied_event"))
    raw = warehouse.raw_connection()
    try:
        started = time.perf_counter()
        with rows.open("rb") as lines:
            cursor: Any = raw.cursor()
            cursor.copy_expert("COPY copied_event FROM STDIN", lines)
        raw.commit()
        return time.perf_counter() - started
    finally:
        raw.close()


def measure(folder: Path, total: int) -> dict[str, Any]:
    """Compare both on ``total`` events, in a server of their own."""
    warehouse = warehouse_engine(embedded.start(folder)["warehouse"])
    try:
        upgrade(warehouse, "warehouse")
        fill(warehouse, total)
        rows, store = folder / "rows", open_store(str(folder / "artifacts"))
        with warehouse.begin() as conn, rows.open("wb") as lines:
            conn.execute(text(COPIED))
            cursor: Any = conn.connection.cursor()
            cursor.copy_expert(f"COPY ({ROWS}) TO STDOUT", lines)
        seconds: dict[str, list[float]] = {"ours": [], "copy": []}
        for turn in range(PAIRS if total < LARGE else 2):
            for name in ("ours", "copy") if turn % 2 else ("copy", "ours"):
                seconds[name].append(ingest(warehouse, store, total) if name == "ours" else copy(warehouse, rows))
    finally:
        warehouse.dispose()
        embedded.stop(folder)
    pairs = list(zip(seconds["ours"], seconds["copy"], strict=True))
    return {
        "ratio": median(copied / ours for ours, copied in pairs),
        "ours_per_second": total / median(seconds["ours"]),
        "copy_per_second": total / median(seconds["copy"]),
    }


def main() -> None:
    """Measure, print and store the figures."""
    figures: dict[str, Any] = {"wanted": WANTED}
    for total in [int(size) for size in sys.argv[1:]] or SIZES:
        with tempfile.TemporaryDirectory(prefix="ukok-bench-") as folder:
            found = figures[str(total)] = measure(Path(folder), total)
        console.print(
            f"{total:,} events: {found['ours_per_second']:,.0f}/s, COPY {found['copy_per_second']:,.0f}/s, "
            f"ratio {found['ratio']:.2f} (wanted: {WANTED} or more)",
            soft_wrap=True,
        )
    report = ROOT / "var" / "bench" / "ingest.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
