"""Drills: tasks and schedulers that are killed."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from tests.builders.waiting import until
from tests.drills.environment import Environment
from tests.drills.report import Shown
from tests.drills.truth import compare_mall, compare_schedules
from tests.drills.watching import states, summary

WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def killed_task(env: Environment) -> Shown:
    """Kill the process of a load between its two databases."""
    shown = Shown("killed task", "`kill -9` of a load that had written the service database and not the warehouse")
    env.change_prices(100)
    with _warehouse_lock(env, "kok") as conn:
        run = env.api.trigger("crawl_kok")["dag_run_id"]
        instance = env.api.wait_for_task("crawl_kok", run, "load", "running")
        until(lambda: conn.scalar(text(WAITING)), "the load to wait for the warehouse", 120)
        env.task_process(instance).kill()
        again = env.api.wait_for_task("crawl_kok", run, "load", "up_for_retry")
        shown.see(f"`load` {again['state']} after try {again['try_number']}")
    shown.expect("the run ends as success", true=env.api.ended("crawl_kok", run) == "success")
    shown.see(summary(env, "crawl_kok", run))
    shown.expect("a second try of load", true=states(env, "crawl_kok", run)["load"] == ("success", 2))
    shown.compare(compare_mall(env.catalog, env.service, env.warehouse))
    return shown


def killed_scheduler(env: Environment) -> Shown:
    """Kill the scheduler while crawls run, and start it again."""
    shown = Shown("killed scheduler", "`kill -9` of the scheduler while three crawls ran; started again after 10 s")
    env.slow_down(0.05)
    run = env.crawl_schedules()
    env.api.wait_for_task("crawl_schedules", run, "crawl_hmall", "running")
    env.kill_scheduler()
    env.wait(10)
    env.start_scheduler()
    env.sources.faults.rules.clear()
    shown.expect("the run ends as success", true=env.api.ended("crawl_schedules", run) == "success")
    shown.see(summary(env, "crawl_schedules", run))
    shown.compare(compare_schedules(env.catalog, env.service, env.warehouse, ("hnsmall", "hmall", "nsmall")))
    return shown


@contextmanager
def _warehouse_lock(env: Environment, name: str) -> Iterator[Connection]:
    """Hold the lock that a load of a source takes in the warehouse."""
    with env.warehouse.begin() as conn:
        conn.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"ukok load {name}"})
        yield conn
