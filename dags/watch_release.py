"""### A canary, or a release that went live a short time ago, is compared and decided about

Compares what the visitors of the canary were shown and clicked with those of the live release. A canary that is no
worse after `UKOK_CANARY_HOURS` goes live; one that is worse, fails or cannot be loaded ends at once. Without a canary,
a release that went live in these hours is compared with the one before it, and rolled back if it is worse. Each
decision is a row of the warehouse table `release_watch`. The same as `ukok release watch`.

**When** Every hour, 20 minutes past. Without a canary and a new live release it does nothing. A backfill is refused.

**When it fails** A database or the artifact store is unreachable, or `releases/CANARY` cannot be read: `ukok release
rollback` removes it, and the live release stays. Clear the failed task; what a killed run has begun is finished first.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common import COMMON, PRESENT, now
from ukok.korea import KST


@dag(
    schedule=CronTriggerTimetable("20 * * * *", timezone=KST.key),
    doc_md=__doc__,
    tags=["release"],
    dagrun_timeout=timedelta(hours=1),
    default_args=PRESENT,
    **COMMON,
)
def watch_release() -> None:
    @task
    def watch() -> str:
        from pipelines import tasks

        watched = tasks.watch_release(now())
        if watched is None:
            raise AirflowSkipException("there is no canary, and no release went live a short time ago")
        return str(watched)

    watch()


watch_release()
