"""The DAGs as the dag-processor parses them: documented, retried, bounded, and quick to import."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

EXPECTED = {
    "check_deadlines",
    "crawl_kok",
    "crawl_schedules",
    "import_recipes",
    "ingest_logs",
    "maintenance",
    "train_and_publish",
    "watch_release",
}


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What parsing finds without any database: every connection would be refused."""
    home = tmp_path_factory.mktemp("airflow")
    nowhere = "postgresql+psycopg2://nobody@127.0.0.1:1/nowhere"
    env = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": nowhere,
        "UKOK_SERVICE_DB_URL": nowhere,
        "UKOK_WAREHOUSE_DB_URL": nowhere,
        "UKOK_ARTIFACTS_URL": str(home / "artifacts"),
    }
    command = [sys.executable, str(Path(__file__).with_name("parse.py")), str(ROOT / "dags")]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert not (home / "artifacts").exists()
    return found


def test_every_dag_parses(parsed: dict[str, Any]) -> None:
    assert parsed["import_errors"] == {}
    assert parsed["dags"].keys() == EXPECTED


def test_parsing_loads_no_heavy_library(parsed: dict[str, Any]) -> None:
    # A process that has used OpenMP hangs after a fork, and each parse would take seconds.
    assert parsed["heavy"] == []


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_dag_is_documented_tagged_and_bounded(parsed: dict[str, Any], name: str) -> None:
    dag = parsed["dags"][name]
    assert dag["doc"].startswith("### ")
    assert "**When it fails**" in dag["doc"]
    assert dag["tags"]
    assert not dag["catchup"]
    assert dag["max_active_runs"] == 1
    assert dag["timeout"]
    assert dag["alerts"] == ["run_failed"]
    for param in dag["params"].values():
        assert param["description"]
        assert param["type"]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_task_has_an_owner_and_is_retried_and_bounded(parsed: dict[str, Any], name: str) -> None:
    for task in parsed["dags"][name]["tasks"].values():
        assert task["owner"] == "data-engineering"
        assert task["retries"] >= 1
        assert task["backoff"] > 1
        assert task["timeout"]
        assert task["alerts"] == ["task_failed"]


def test_each_asset_is_updated_by_one_dag(parsed: dict[str, Any]) -> None:
    outlets = {
        asset: name
        for name, dag in parsed["dags"].items()
        for task in dag["tasks"].values()
        for asset in task["outlets"]
    }
    assert outlets == {
        "catalog": "crawl_kok",
        "schedule": "crawl_schedules",
        "recipes": "import_recipes",
        "events": "ingest_logs",
        "release": "train_and_publish",
    }


LOADS = ["load_hmall", "load_hnsmall", "load_nsmall"]


def test_the_mall_counts_as_updated_when_it_is_linked(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["crawl_kok"]["tasks"]
    assert [name for name, task in tasks.items() if task["outlets"]] == ["link"]
    assert tasks["link"]["upstream"] == ["crawl", "load"]
    assert tasks["link"]["trigger_rule"] == "all_done_min_one_success"  # a load fails if it holds one category back


def test_the_encoder_is_never_trained_beside_a_crawl(parsed: dict[str, Any]) -> None:
    tasks = {name: task for dag in parsed["dags"].values() for name, task in dag["tasks"].items()}
    slots = parsed["pools"]["memory"]
    crawls = {name: task for name, task in tasks.items() if name.startswith("crawl")}
    assert {task["pool"] for task in crawls.values()} == {"memory"}
    assert tasks["train_bert"]["pool"] == "memory"
    assert tasks["train_bert"]["pool_slots"] == slots >= len(crawls)


def test_every_pool_that_a_task_needs_is_created(parsed: dict[str, Any]) -> None:
    used = {task["pool"] for dag in parsed["dags"].values() for task in dag["tasks"].values()}
    assert used - {"default_pool"} == parsed["pools"].keys()
    assert all(parsed["pools"][source] == 1 for source in ("kok", "hnsmall", "hmall", "nsmall"))


def test_schedule_is_updated_and_linked_after_all_loads(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["crawl_schedules"]["tasks"]
    (updating,) = [name for name, task in tasks.items() if task["outlets"]]
    assert updating == "link"
    assert tasks[updating]["upstream"] == sorted([*(name.replace("load", "crawl") for name in LOADS), *LOADS])
    assert tasks[updating]["trigger_rule"] == "all_done"


@pytest.mark.parametrize("dag", ["crawl_kok", "crawl_schedules"])
def test_a_run_succeeds_only_if_all_its_tasks_do(parsed: dict[str, Any], dag: str) -> None:
    tasks = parsed["dags"][dag]["tasks"]
    upstream = {name for task in tasks.values() for name in task["upstream"]}
    (last,) = tasks.keys() - upstream
    assert tasks[last]["upstream"] == sorted(tasks.keys() - {last})
    assert tasks[last]["trigger_rule"] == "all_success"


@pytest.mark.parametrize("dag", ["crawl_kok", "crawl_schedules"])
def test_a_refused_run_begins_none_of_its_other_tasks(parsed: dict[str, Any], dag: str) -> None:
    tasks = parsed["dags"][dag]["tasks"]
    assert {name for name, task in tasks.items() if task["is_setup"]} == {"check"}
    assert [name for name, task in tasks.items() if not task["upstream"]] == ["check"]


@pytest.mark.parametrize("dag", ["crawl_kok", "crawl_schedules"])
def test_what_a_failed_crawl_has_filed_is_loaded(parsed: dict[str, Any], dag: str) -> None:
    loads = {name: task for name, task in parsed["dags"][dag]["tasks"].items() if name.startswith("load")}
    assert {task["trigger_rule"] for task in loads.values()} == {"all_done"}
    assert all(task["upstream"] == [name.replace("load", "crawl")] for name, task in loads.items())


def test_catalog_and_schedule_or_recipes_trigger_training(parsed: dict[str, Any]) -> None:
    triggers = {name: dag["triggered_by"] for name, dag in parsed["dags"].items() if dag["triggered_by"]}
    assert triggers == {
        "train_and_publish": [
            ["recipes"],
            ["catalog", "recipes"],
            ["catalog", "schedule"],
            ["recipes", "schedule"],
            ["catalog", "recipes", "schedule"],
        ]
    }
