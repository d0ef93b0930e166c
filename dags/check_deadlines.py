"""### Steps that have not succeeded for too long

Looks at the last success of each step in the warehouse table `step_run`. Allowed are 30 hours for the load of the mall,
8 for those of the broadcasters, 3 for the ingestion of events, 54 for a new release.

**When** Every three hours. It also finds what no failed task tells of: a DAG that is paused, a task that waits for
a pool that does not exist, a run that never began. It cannot report that Airflow itself is down: watch its health from
outside.

**When it fails** The alert names the steps, their last success, and the scopes and files that are held back: a load
fails while it holds something back. If nothing is, look at the DAGs: are they paused, do their tasks wait (Admin,
Pools), did they fail? `ukok status` shows the state of the data.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

from dags.common import COMMON, PRESENT, now
from ukok.korea import KST


@dag(
    schedule=CronTriggerTimetable("35 */3 * * *", timezone=KST.key),
    doc_md=__doc__,
    tags=["operations"],
    dagrun_timeout=timedelta(hours=1),
    default_args=PRESENT,
    **COMMON,
)
def check_deadlines() -> None:
    @task
    def check() -> None:
        from pipelines import tasks

        tasks.check_deadlines(now())

    check()


check_deadlines()
