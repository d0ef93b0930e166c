"""Drill: training that is triggered while crawls run."""

from datetime import datetime

from tests.builders.waiting import until
from tests.drills.environment import Environment
from tests.drills.report import Shown
from tests.drills.watching import summary

Span = tuple[datetime, datetime]


def training_waits(env: Environment) -> Shown:
    """Trigger training while crawls run, and crawls while it runs."""
    shown = Shown(
        "training and crawls",
        "recipes imported, which triggers `train_and_publish`, during `crawl_schedules`; then `crawl_kok`",
    )
    env.slow_down(0.05)
    env.api.pause("train_and_publish", paused=False)
    try:
        schedules = env.crawl_schedules()
        env.api.wait_for_task("crawl_schedules", schedules, "crawl_hmall", "running")
        env.api.trigger("import_recipes")
        training = until(lambda: env.api.runs("train_and_publish"), "a training", 300)[0]["dag_run_id"]
        env.api.wait_for_task("train_and_publish", training, "train_bert", "running")
        mall = env.api.trigger("crawl_kok")["dag_run_id"]
        runs = {"crawl_schedules": schedules, "train_and_publish": training, "crawl_kok": mall}
        for dag, run in runs.items():
            shown.expect(f"{dag} succeeds", true=env.api.ended(dag, run, 600) == "success")
            shown.see(summary(env, dag, run))
        # The crawls trigger another training, which must not be left paused.
        until(lambda: all(run["end_date"] for run in env.api.runs("train_and_publish")), "the last training", 600)
    finally:
        env.api.pause("train_and_publish")
    bert = _span(env, "train_and_publish", training, "train_bert")
    names = [("crawl_schedules", schedules, f"crawl_{name}") for name in ("hnsmall", "hmall", "nsmall")]
    crawls = {task: _span(env, dag, run, task) for dag, run, task in [*names, ("crawl_kok", mall, "crawl")]}
    beside = [task for task, span in crawls.items() if span[0] < bert[1] and bert[0] < span[1]]
    shown.see(f"crawls beside `train_bert`: {', '.join(beside) or 'none'}")
    shown.expect("no crawl beside train_bert", true=not beside)
    shown.expect("a crawl before and one after", true=any(span[0] >= bert[1] for span in crawls.values()))
    return shown


def _span(env: Environment, dag: str, run: str, task: str) -> Span:
    found = env.api.task(dag, run, task)
    return datetime.fromisoformat(found["start_date"]), datetime.fromisoformat(found["end_date"])
