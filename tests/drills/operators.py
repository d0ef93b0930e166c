"""Drills: what operators do, and what they come back to."""

import re
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import text

from crawlers.standin.faults import Fault
from tests.builders.waiting import until
from tests.drills.environment import Environment
from tests.drills.report import Shown
from tests.drills.truth import compare_events, compare_mall
from tests.drills.watching import states, summary

PERIODIC = ("crawl_kok", "crawl_schedules", "ingest_logs", "check_deadlines", "watch_release", "maintenance")
DAILY = ("crawl_kok", "maintenance")
TRIGGERED = ("import_recipes", "train_and_publish")


def wrong_input(env: Environment) -> Shown:
    """Name a recipe file that does not exist, and a parameter that a DAG does not have."""
    shown = Shown("permanent errors", "a recipe file that does not exist; a misspelt parameter")
    for dag, conf in (("import_recipes", {"file": "/no/such.csv"}), ("crawl_kok", {"acept": True})):
        run = env.api.trigger(dag, **conf)["dag_run_id"]
        shown.expect(f"{dag} fails", true=env.api.ended(dag, run) == "failed")
        shown.see(summary(env, dag, run))
        found = states(env, dag, run).values()
        shown.expect("no second try", true=max(tries for _, tries in found) == 1)
        shown.expect("one failed task", true=[state for state, _ in found].count("failed") == 1)
    shown.expect("an alert for each run", true=len(env.alerts) == 2)
    return shown


def held_file(env: Environment) -> Shown:
    """Break the price of every product, and mend it."""
    shown = Shown("held file", "all prices of the mall unreadable in one crawl, readable in the next")
    env.change_prices(400)
    broken = Fault("/m/event/category", edit=lambda body: re.sub(rb"<strong>[\d,]+", b"<strong>?", body))
    env.sources.faults.rules.append(broken)
    run = env.api.trigger("crawl_kok")["dag_run_id"]
    shown.expect("the run fails", true=env.api.ended("crawl_kok", run) == "failed")
    shown.see(summary(env, "crawl_kok", run))
    env.sources.faults.rules.clear()
    again = env.api.trigger("crawl_kok")["dag_run_id"]
    shown.expect("the next run succeeds", true=env.api.ended("crawl_kok", again) == "success")
    shown.see(summary(env, "crawl_kok", again))
    shown.compare(compare_mall(env.catalog, env.service, env.warehouse))
    return shown


def two_at_once(env: Environment) -> Shown:
    """Trigger a DAG twice, and run the same commands by hand beside it."""
    shown = Shown("two runs at once", "`crawl_kok` triggered twice, and `ukok crawl kok`, `ukok load kok` beside them")
    env.change_prices(500)
    runs = [env.api.trigger("crawl_kok")["dag_run_id"] for _ in range(2)]
    env.api.wait_for_task("crawl_kok", runs[0], "crawl", "running")
    for command in ("crawl", "load"):
        done = env.ukok(command, "kok")
        shown.expect(f"`ukok {command} kok` succeeds: {done.stderr}", true=done.returncode == 0)
    for run in runs:
        shown.expect("each run ends as success", true=env.api.ended("crawl_kok", run) == "success")
        shown.see(summary(env, "crawl_kok", run))
    shown.compare(compare_mall(env.catalog, env.service, env.warehouse))
    return shown


def backfills(env: Environment) -> Shown:
    """Ask for a backfill of each DAG for hours of three days ago, with events that were never ingested."""
    shown = Shown("backfills", "a backfill of each DAG over a past interval")
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=3)
    env.put_events(20, start + timedelta(minutes=30))
    for dag in TRIGGERED:
        refused = env.api.backfill(dag, start, start + timedelta(days=1))
        shown.expect(f"{dag} is refused", true=refused.status_code >= 400)
        shown.see(f"{dag}: refused, “{refused.json()['detail']}”")
    for dag in PERIODIC:
        hours = 24 if dag in DAILY else 3
        asked = env.api.backfill(dag, start, start + timedelta(hours=hours))
        shown.expect(f"{dag} is accepted: {asked.text}", true=asked.status_code == 200)
        path = f"/api/v2/backfills/{asked.json()['id']}"
        until(partial(_completed, env, path), f"the backfill of {dag}", 600)
        found = [run for run in env.api.runs(dag) if run["run_type"] == "backfill"]
        ended = sorted(run["state"] for run in found)
        shown.see(f"{dag}: {len(found)} runs, {', '.join(dict.fromkeys(ended))}")
        expected = "success" if dag == "ingest_logs" else "failed"
        shown.expect(f"{dag}: {expected}", true=bool(found) and set(ended) == {expected})
    shown.expect("no alert", true=not env.alerts)
    shown.compare(compare_events(env.warehouse))
    return shown


def two_days_down(env: Environment) -> Shown:
    """Stop the scheduler, set the clock of its plans back by two days, and start it again."""
    shown = Shown("two days down", "no scheduler for two days, with events arriving; started again")
    env.change_prices(600)
    env.kill_scheduler()
    began = datetime.now(UTC)
    for hours in range(1, 48, 6):
        env.put_events(5, began - timedelta(hours=hours))
    dags = ("crawl_kok", "crawl_schedules", "ingest_logs")
    _set_back(env, dags, timedelta(days=2))
    env.start_scheduler()
    for dag in dags:

        def caught_up(dag: str = dag) -> list[str] | None:
            runs = [run for run in env.api.runs(dag) if run["run_type"] == "scheduled"]
            since = [run for run in runs if run["start_date"] and datetime.fromisoformat(run["start_date"]) > began]
            return [run["state"] for run in since] if since and all(run["end_date"] for run in since) else None

        found = until(caught_up, f"{dag} to catch up", 600)
        shown.see(f"{dag}: scheduled runs after the pause: {', '.join(found)}")
        # Airflow begins the run that was due when it stopped, and then the latest one.
        shown.expect("one or two runs, which succeed", true=len(found) <= 2 and set(found) == {"success"})
    shown.compare(compare_events(env.warehouse))
    shown.compare(compare_mall(env.catalog, env.service, env.warehouse))
    return shown


def _completed(env: Environment, backfill: str) -> bool:
    return bool(env.api.get(backfill)["completed_at"])


def _set_back(env: Environment, dags: tuple[str, ...], by: timedelta) -> None:
    """Make Airflow believe that its last scheduled runs, and its next ones, were due two days ago."""
    with env.metadata.begin() as conn:
        for dag in dags:
            conn.execute(text("DELETE FROM dag_run WHERE dag_id = :dag AND run_type = 'scheduled'"), {"dag": dag})
            conn.execute(
                text(
                    "UPDATE dag SET next_dagrun = next_dagrun - :by, next_dagrun_create_after = "
                    "next_dagrun_create_after - :by, next_dagrun_data_interval_start = next_dagrun_data_interval_start "
                    "- :by, next_dagrun_data_interval_end = next_dagrun_data_interval_end - :by WHERE dag_id = :dag"
                ),
                {"dag": dag, "by": by},
            )
