"""### Events of the API into the warehouse

Moves events from the landing table `user_event` into `fct_user_event`, by the time at which they were received. Bad
ones go to `rejected_event` with the reason. The same as `ukok logs erase` and `ukok logs ingest`: whoever deleted the
account is taken out of the events first.

**When** Every hour, five minutes past. Each run goes on where the last one ended, so nothing is missed after a pause,
and ends at the moment it was due, or a minute ago if that is earlier: an event may still be on its way.

**When it fails** A database is away or full. Nothing is lost meanwhile: events wait in the landing table. Clear the
task when the database is back. To take in an old interval once more, run the DAG with `start`; that doubles nothing.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import CronTriggerTimetable, Param, dag, task

from dags.assets import EVENTS
from dags.common import COMMON, KST, due, param

START = Param(
    None,
    type=["null", "string"],
    format="date-time",
    description="Take in events received from then on, e.g. 2025-08-06T00:00:00+09:00. Empty: from the last run on.",
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
        return str(tasks.logs(datetime.fromisoformat(start) if start else None, end=due(), now=datetime.now(UTC)))

    erase() >> ingest()


ingest_logs()
