"""Load recipes and raw files, kill the loads again and again, and print what the databases hold in the end.

Run as ``python -m tests.pipelines.killed_load CSV``, configured by the environment. The first line of output is the
contents after one undisturbed load, the second those after many killed loads and a last undisturbed one.
"""

import json
import os
import random
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, select

from artifacts.open import open_store
from artifacts.store import Store
from pipelines.load import child_rows, kok_pages, products, recipes
from pipelines.load.kok import PRICE
from pipelines.load.ledger import table_of
from pipelines.load.moved_shows import BROADCAST
from pipelines.load.schedules import FCT_BROADCAST
from pipelines.load.sources import load_source
from pipelines.load.warehouse_history import PRICES, VERSIONS
from recommender.text.resolver import ResolvedTitle
from recommender.text.title_words import Kind
from sql.engines import service_engine, warehouse_engine
from sql.service import catalog
from sql.service.base import ServiceBase
from sql.warehouse.base import WarehouseBase
from tests.builders.raw_runs import kst

TRIES = 4
KILLED = -1
SERVICE = [
    *(recipes.RECIPE, recipes.LINE, recipes.INGREDIENT, recipes.SYNONYM, products.KOK_PRODUCT, PRICE.table, BROADCAST),
    *(products.HOME_SHOPPING, products.PRODUCT_INGREDIENT, products.DOCUMENT, table_of(catalog.LoadedFile)),
    *(child_rows.DETAIL, child_rows.IMAGE, kok_pages.SELLER, kok_pages.REVIEW),
]
WAREHOUSE = [FCT_BROADCAST, PRICES.table, VERSIONS.table]
# Columns that differ between equal loads: generated keys, the wall clock, and names of the raw files that imports of
# recipes write.
ACCIDENTAL = {"broadcast_id", "product_key", "ingredient_id", "review_id", "loaded_at", "run_id"}


class QuickResolver:
    """Replacement for the real resolver, whose threads do not survive a fork."""

    version = "quick"

    def resolve_many(self, titles: Sequence[str], *, known_food: bool = False) -> list[ResolvedTitle]:
        return [ResolvedTitle(Kind.INGREDIENT, ("감자",), ("감자",), is_food=True, recipes=1.0) for _ in titles]


def main() -> None:
    """Load once undisturbed, then again with kills, and print the contents after each."""
    vars(products).update(title_resolver=lambda _: QuickResolver(), tokens=str.split)
    vars(recipes).update(tokens=str.split)
    store = open_store()  # once for all children, as it takes a second
    loads = [
        lambda: import_recipes(store, Path(sys.argv[1])),
        lambda: load(store, "kok"),
        lambda: load(store, "hnsmall"),
    ]
    points = [run_child(each, kill_at=None) for each in loads]
    sys.stdout.write(contents() + "\n")
    empty()
    dice = random.Random(20250806)
    for each, all_points in zip(loads, points, strict=True):
        left = all_points
        for _ in range(TRIES):
            point = dice.randint(1, left // 2)
            if run_child(each, kill_at=point) != KILLED:
                raise RuntimeError(f"a load with {left} points left ended before its point {point}")
            left -= point  # the next one continues from there
        run_child(each, kill_at=None)
    sys.stdout.write(contents() + "\n")


def import_recipes(store: Store, path: Path) -> None:
    recipes.import_recipes(service_engine(), warehouse_engine(), store, path, kst("01:00"))


def load(store: Store, source: str) -> None:
    load_source(source, service_engine(), warehouse_engine(), store)


def run_child(work: Callable[[], None], *, kill_at: int | None) -> int:
    """Run ``work`` in a child that is killed at the n-th start or end of a statement or commit.

    Return the number of such points, or :data:`KILLED`.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        count = 0

        def step(*_: object) -> None:
            nonlocal count
            count += 1
            if count == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(Engine, name, step)
        code = 1
        try:
            work()
            os.write(writing, str(count).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        points = pipe.read()
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL and kill_at:
        return KILLED
    if status:
        raise RuntimeError(f"the child that was to die at {kill_at} ended with status {status}")
    return int(points)


def contents() -> str:
    """Return every row of the loaded tables without the accidental columns, as one line."""
    found: dict[str, list[Any]] = {}
    for engine, tables in ((service_engine(), SERVICE), (warehouse_engine(), WAREHOUSE)):
        with engine.connect() as conn:
            for table in tables:
                columns = [column for column in table.columns if column.name not in ACCIDENTAL]
                rows = {json.dumps([*row], default=str, ensure_ascii=False) for row in conn.execute(select(*columns))}
                found[f"{engine.dialect.name} {table.name}"] = sorted(rows)
        engine.dispose()
    return json.dumps(found, ensure_ascii=False)


def empty() -> None:
    """Delete every row."""
    for engine, metadata in ((service_engine(), ServiceBase.metadata), (warehouse_engine(), WarehouseBase.metadata)):
        with engine.begin() as conn:
            for table in metadata.sorted_tables:
                if table.name != "channel":
                    conn.execute(table.delete())
        engine.dispose()


if __name__ == "__main__":
    main()
