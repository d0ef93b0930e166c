"""### Retention: what is kept no longer is deleted

Deletes releases, models, datasets, raw files, images, reports, unfinished uploads, ingested landing events, reports of
steps and log files that the settings `UKOK_KEEP_*` keep no longer, and empty folders, and makes the partitions of the
next days. `list_garbage` says first what would go: number, bytes and names of each kind, in its log. The same as
`ukok maintenance` and `ukok maintenance --apply`.

**When** Every day at 03:00 in Korea, or by hand; with `dry_run` only `list_garbage` does something. Releases, models
and datasets are left for the next run while a training or a build is running, and images while a crawl stores some. A
backfill is refused.

**When it fails** The failed tasks name the kind and the reason; the other kinds are done. Whatever was deleted in part
is deleted by the next run.
"""

from datetime import timedelta
from typing import get_args

from airflow.sdk import CronTriggerTimetable, Param, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common import COMMON, PRESENT, now, param
from pipelines.maintenance.garbage import Kind
from ukok.korea import KST

DRY_RUN = Param(False, type="boolean", description="List what would be deleted, and delete nothing.")


@dag(
    schedule=CronTriggerTimetable("0 3 * * *", timezone=KST.key),
    doc_md=__doc__,
    tags=["operations"],
    params={"dry_run": DRY_RUN},
    dagrun_timeout=timedelta(hours=3),
    default_args=PRESENT,
    **COMMON,
)
def maintenance() -> None:
    @task
    def list_garbage() -> list[str]:
        from pipelines import tasks

        return [str(report) for report in tasks.maintenance(now(), dry_run=True)]

    @task
    def delete(kind: Kind) -> list[str]:
        from pipelines import tasks

        if param("dry_run"):
            raise AirflowSkipException("a dry run deletes nothing")
        return [str(report) for report in tasks.maintenance(now(), dry_run=False, kinds=[kind])]

    deleted = {kind: delete.override(task_id=f"delete_{kind}")(kind) for kind in get_args(Kind)}
    list_garbage() >> list(deleted.values())
    # A release needs its models, and a model its datasets.
    deleted["releases"] >> deleted["models"] >> deleted["datasets"]


maintenance()
