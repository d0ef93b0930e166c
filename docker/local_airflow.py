"""Airflow on this machine: api-server, scheduler and dag-processor as three processes, and the demo sources.

`make airflow` starts it. The scheduler starts when the api-server answers, because a task that begins before dies. The
state is under var/airflow, the metadata in the database ``airflow`` of the embedded PostgreSQL. Ctrl-C stops everything
but that PostgreSQL, which `ukok db stop` stops. Processes that a killed run left behind are stopped at the next start.
"""

import argparse
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

import httpx
import psutil
import sqlalchemy
from dotenv import dotenv_values
from filelock import FileLock, Timeout

from airflow_processes import (
    START_SECONDS,
    Failed,
    check_all_run,
    check_port_is_free,
    finish,
    free_port,
    start,
    stop_leftovers,
    stopped_at_the_end,
    wait_until,
)
from crawlers.standin.catalog import DEMO
from crawlers.standin.server import base_urls
from dags.metadata_database import WITHOUT_LIMIT
from sql import embedded
from sql.settings import DatabaseSettings

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def main() -> int:
    """Start everything, print the addresses, and wait for Ctrl-C or for a process that ends by itself."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8080, help="port of the UI and the REST API")
    parser.add_argument("--no-standin", action="store_true", help="read the sources that UKOK_*_URL name, not the demo")
    args = parser.parse_args()
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.default_int_handler)
    os.chdir(ROOT)
    home = DatabaseSettings().var_dir.resolve() / "airflow"
    home.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home / "lock", blocking=False):
            stop_leftovers(home)
            run(home, args.port, standin=not args.no_standin)
    except Timeout:
        print(f"Airflow is already running on {home}; stop that one first.", file=sys.stderr)
        return 1
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
    return 0


def run(home: Path, port: int, *, standin: bool) -> NoReturn:
    """Prepare the databases, start the processes and watch them until an exception."""
    check_port_is_free(port)
    password = admin_password(home)
    metadata = metadata_database()
    env = common_settings() | os.environ | airflow_settings(home, port, metadata)
    commands: dict[str, list[str]] = {}
    if standin:
        demo_port = free_port()
        env |= demo_settings(demo_port)
        # The middle of its three days is today, so that there are shows in the past and to come.
        yesterday = datetime.now(ZoneInfo("Asia/Seoul")).date() - timedelta(days=1)
        commands["standin"] = [str(BIN / "ukok"), "standin", "--port", str(demo_port), "--shift-to", f"{yesterday}"]
    finish([str(BIN / "ukok"), "db", "upgrade"], env)
    finish([str(BIN / "airflow"), "db", "migrate"], env | WITHOUT_LIMIT)
    finish([sys.executable, "-m", "dags.metadata_database"], env)
    finish([sys.executable, "-m", "dags.pools"], env)
    with stopped_at_the_end(home) as processes:
        start(commands, env, home, processes)
        start_airflow(env, home, port, metadata, processes)
        print(f"Airflow    http://127.0.0.1:{port}    login: admin / {password}")
        print(f"REST API   http://127.0.0.1:{port}/docs")
        print(f"Logs       {home}/logs (tasks), {home}/*.log (processes)")
        print("First      trigger import_recipes, crawl_kok and crawl_schedules; they trigger train_and_publish.")
        print("Ctrl-C stops Airflow and the demo sources, but not the embedded database (ukok db stop).", flush=True)
        while True:
            time.sleep(0.5)
            check_all_run(processes, home)


def common_settings() -> dict[str, str]:
    """Return the settings of Airflow that hold everywhere."""
    return {key: value for key, value in dotenv_values(ROOT / "docker" / "airflow.env").items() if value is not None}


def component_commands(port: int) -> dict[str, list[str]]:
    """Return the command of each process of Airflow."""
    server = ["api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    parts = {"api-server": server, "scheduler": ["scheduler", "--skip-serve-logs"], "dag-processor": ["dag-processor"]}
    return {name: [str(BIN / "airflow"), *part] for name, part in parts.items()}


def demo_settings(port: int) -> dict[str, str]:
    """Return the environment that points the steps at the demo sources and the demo recipes."""
    recipes = str(DEMO / "TB_RECIPE_SEARCH_demo.csv")
    return base_urls(f"http://127.0.0.1:{port}") | {"UKOK_CRAWL_DELAY_SECONDS": "0", "UKOK_RECIPES_FILE": recipes}


def airflow_settings(home: Path, port: int, metadata: str) -> dict[str, str]:
    """Return the environment of the three processes; ``metadata`` is the URL of Airflow's own database."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API_AUTH__JWT_SECRET": stored_secret(home / "jwt_secret"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "UKOK_VAR_DIR": str(home.parent),
    }


def metadata_database() -> str:
    """Return the URL of the database ``airflow`` on the embedded PostgreSQL; create it if it is missing."""
    url = sqlalchemy.make_url(embedded.start(DatabaseSettings().var_dir)["warehouse"])
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with engine.connect() as conn:
        if not conn.scalar(sqlalchemy.text("SELECT 1 FROM pg_database WHERE datname = 'airflow'")):
            conn.exec_driver_sql("CREATE DATABASE airflow")
    return url.set(database="airflow").render_as_string(hide_password=False)


def admin_password(home: Path) -> str:
    """Return the password of the user admin, generated at the first start."""
    path = home / "passwords.json"
    if not path.exists():
        write_private(path, json.dumps({"admin": secrets.token_urlsafe(12)}))
    return str(json.loads(path.read_text())["admin"])


def stored_secret(path: Path) -> str:
    """Return a secret that the three processes share, generated at the first start."""
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    return path.read_text()


def write_private(path: Path, text: str) -> None:
    """Write a file atomically that only its owner can read."""
    part = path.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_text(text)
    part.replace(path)


def start_airflow(
    env: Mapping[str, str], home: Path, port: int, metadata: str, processes: dict[str, psutil.Popen]
) -> None:
    """Start the processes of Airflow, the scheduler when tasks can report; return when DAGs can be run."""
    commands = component_commands(port)
    scheduler = {"scheduler": commands.pop("scheduler")}
    start(commands, env, home, processes)
    wait_until_tasks_can_report(port, processes, home)
    start(scheduler, env, home, processes)
    wait_until_healthy(["scheduler", "dag_processor"], port, processes, home)
    wait_until_parsed(metadata, processes, home)


def wait_until_tasks_can_report(port: int, processes: Mapping[str, psutil.Popen], home: Path) -> None:
    """Poll until the API that tasks report to answers; it is built at its first request, which takes seconds."""

    def answers() -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{port}/execution/health", timeout=START_SECONDS).is_success
        return False

    wait_until(answers, "ready for reports of tasks", processes, home)


def wait_until_healthy(parts: Iterable[str], port: int, processes: Mapping[str, psutil.Popen], home: Path) -> None:
    """Poll until the api-server answers, and reports that these parts of Airflow are healthy."""

    def healthy() -> bool:
        with suppress(httpx.HTTPError):
            health = httpx.get(f"http://127.0.0.1:{port}/api/v2/monitor/health", timeout=5).json()
            return all(health[part]["status"] == "healthy" for part in parts)
        return False

    wait_until(healthy, f"healthy ({', '.join(parts)})", processes, home)


def wait_until_parsed(metadata: str, processes: Mapping[str, psutil.Popen], home: Path) -> None:
    """Poll until every DAG can be triggered."""
    files = sum("@dag(" in path.read_text(encoding="utf-8") for path in (ROOT / "dags").glob("*.py"))
    engine = sqlalchemy.create_engine(metadata, poolclass=sqlalchemy.NullPool)

    def parsed() -> bool:
        with engine.connect() as conn:
            return bool(conn.scalar(sqlalchemy.text("SELECT count(DISTINCT dag_id) FROM serialized_dag")) >= files)

    wait_until(parsed, "ready to run its DAGs", processes, home)


if __name__ == "__main__":
    sys.exit(main())
