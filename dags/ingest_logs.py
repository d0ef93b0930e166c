"""### Events of the API into the warehouse

Moves events from the landing table `user_event` into `fct_user_event`, in the order of their transactions. Invalid ones
go to `rejected_event` with the reason. Then it is counted whether all that landed are there. Users who deleted their
accounts are removed from the events first. The same as `ukok logs erase` and `ukok logs ingest`.

**When** Every hour, five minutes past. Each run continues where the last one ended, so one run is enough after a pause.
A backfill ingests the hours of its interval again, and a run by hand those between `start` and `end`; events are stored
once.

**When it fails** A database is unreachable or full. Nothing is lost: events stay in the landing table. Clear the failed
task when the database is back. If events are missing, the message has the days, the counts and examples: run the DAG by
hand with `start` and `end` of such a day. If events wait for a transaction that was left open, the message names its
process: end it.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, Param, dag, task

from dags.assets import EVENTS
from dags.common import COMMON, TASK, describe_update, figures, interval, now
from ukok.korea import KST

START = Param(
    None,
    type=["null", "string"],
    format="date-time",
    description="Ingest events received from then on, e.g. 2025-08-06T00:00:00+09:00. Empty: from the last run on.",
)
END = Param(
    None,
    type=["null", "string"],
    format="date-time",
    description="Ingest events received before then, e.g. 2025-08-07T00:00:00+09:00. Empty: up to now.",
)


@dag(
    schedule=CronTriggerTimetable("5 * * * *", timezone=KST.key, interval=timedelta(hours=1)),
    doc_md=__doc__,
    tags=["events"],
    params={"start": START, "end": END},
    dagrun_timeout=timedelta(hours=3),
    default_args=TASK,
    **COMMON,
)
def ingest_logs() -> None:
    @task
    def erase() -> str:
        from pipelines import tasks

        return str(tasks.erase(now()))

    @task(outlets=[EVENTS])
    def ingest() -> str:
        from pipelines import tasks

        report = tasks.logs(*interval(), now())
        describe_update(EVENTS, rows=figures([report]))
        return str(report)

    erase() >> ingest()


ingest_logs()
