"""A load killed with SIGKILL at any point and run again gives the same rows as an undisturbed one."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from artifacts.store import Store
from tests.builders.raw_runs import kst, page, price, product, put_prices, put_products, put_shows, review, seller, show
from tests.builders.unmeasured import unmeasured
from tests.conftest import servers_only
from tests.pipelines.test_recipe_csv import row, write


@servers_only
def test_a_load_killed_at_many_points_ends_with_the_same_rows(
    stack_env: dict[str, str], store: Store, tmp_path: Path
) -> None:
    write(tmp_path / "recipes.csv", [row(n, f"감자볶음 {n}", "[재료] 감자 2개| 다진 양파 1개") for n in range(1, 600)])
    for crawl in range(3):
        at = kst("02:00") + timedelta(hours=3 * crawl)
        facts = {
            "details": [{"name": "차수", "value": str(n)} for n in range(crawl, 3)],
            "images": [f"https://image/{crawl}"],
        }
        reviews = [review(f"{crawl}번째 후기"), review()]
        shown = {**facts, "reviews": reviews, "seller": seller(phone=str(crawl))}
        put_products(store, at, [product(n, f"감자 {n + crawl // 2}kg", **shown) for n in range(1, 40)])
        put_prices(store, at, [price(n, 1000 + 100 * (crawl % 2)) for n in range(1, 40 - 3 * crawl)])
        hours = [hour for hour in range(8, 24) if hour % 5 != crawl]
        put_shows(store, at, [show(f"{hour:02}:00", f"{hour:02}:50", hour, price=100 * (crawl + 1)) for hour in hours])
        put_products(store, at, [page(hour, list_price=1000 + crawl, **facts) for hour in hours], source="hnsmall")
    command = [sys.executable, "-m", "tests.pipelines.killed_load", str(tmp_path / "recipes.csv")]
    done = subprocess.run(command, env=unmeasured(stack_env), capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    undisturbed, killed = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    for name, rows in undisturbed.items():
        assert rows, name
        assert killed[name] == rows, name
