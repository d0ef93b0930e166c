"""### Events of the API into the warehouse

Moves events from the landing table `user_event` into `fct_user_event`, by the time at which they were received. Invalid
ones go to `rejected_event` with the reason. Users who deleted their accounts are removed from the events first. The
same as `ukok logs erase` and `ukok logs ingest`.

**When** Every hour, five minutes past. Each run continues where the last one ended, so nothing is missed after a pause.
It ends at the time at which it was due, or a minute ago if that is earlier, since events may still be in flight.

**When it fails** A database is unreachable or full. Nothing is lost: events stay in the landing table. Clear the failed
task when the database is back. To ingest an old interval again, run the DAG with `start`; events are stored once.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import CronTriggerTimetable, Param, dag, task

from dags.assets import EVENTS
from dags.common import COMMON, param, run_after
from ukok.korea import KST

START = Param(
    None,
    type=["null", "string"],
    format="date-time",
    description="Ingest events received from then on, e.g. 2025-08-06T00:00:00+09:00. Empty: from the last run on.",
)


@dag(
    schedule=CronTriggerTimetable("5 * * * *", timezone=KST.key),
    doc_md=__doc__,
    tags=["events"],
    params={"start": START},
    dagrun_timeout=timedelta(hours=3),
    **COMMON,
)
def ingest_logs() -> None:
    @task
    def erase() -> str:
        from pipelines import tasks

        return str(tasks.erase(datetime.now(UTC)))

    @task(outlets=[EVENTS])
    def ingest() -> str:
        from pipelines import tasks

        start = param("start")
        now = datetime.now(UTC)
        # Without a start everything new is ingested, also what was received after the run was due.
        first, last = (datetime.fromisoformat(start), run_after()) if start else (None, None)
        return str(tasks.logs(first, last, now))

    erase() >> ingest()


ingest_logs()
