"""### A new release of the recommendations

Trains the ingredient vectors (Word2Vec), the sentence encoder (BERT) and, once there are enough events, what users
are recommended; builds a release from them and the current catalog, verifies it and makes it live. The API loads it
within seconds. The same as `ukok train word2vec`, `ukok train bert`, `ukok train personal` and `ukok release build`,
`verify`, `promote`.

**When** Since its last run, catalog and schedule have both been updated and linked, or recipes have been imported; or
by hand. The training of the sentence encoder waits until no crawl is running, and no crawl begins meanwhile. While a
canary runs, `promote` is skipped, and the release stays uploaded.

**When it fails** Training fails when there are no recipes yet. `promote` fails when the release did not pass its gate;
the log names the figures that were worse than those of the live release or of a simple baseline. In either case the
live release stays in service. `ukok release list` shows all releases, `ukok release rollback` goes back by one.
"""

from datetime import timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.assets import CATALOG, EVENTS, RECIPES, RELEASE, SCHEDULE
from dags.common import COMMON, TASK, describe_update, now
from dags.pools import MEMORY, MEMORY_SLOTS


@dag(
    schedule=(CATALOG & SCHEDULE) | RECIPES,
    doc_md=__doc__,
    tags=["train", "release"],
    dagrun_timeout=timedelta(hours=12),
    default_args=TASK,
    **COMMON,
)
def train_and_publish() -> None:
    @task(inlets=[RECIPES], pool=MEMORY)
    def train_word2vec() -> str:
        from pipelines import tasks

        return tasks.train_word2vec(now=now()).version

    @task(inlets=[RECIPES], pool=MEMORY, pool_slots=MEMORY_SLOTS)
    def train_bert() -> str:
        from pipelines import tasks

        return tasks.train_bert(now=now()).version

    @task(inlets=[EVENTS], pool=MEMORY)
    def train_personal() -> str:
        from pipelines import tasks

        return tasks.train_personal(now=now()).outcome

    @task(inlets=[CATALOG, SCHEDULE, RECIPES, EVENTS], pool=MEMORY)
    def build() -> str:
        from pipelines import tasks

        return tasks.build(now=now()).version

    @task
    def verify(version: str) -> str:
        from pipelines import tasks

        tasks.verify(version)
        return version

    @task(outlets=[RELEASE])
    def promote(version: str) -> None:
        from pipelines import tasks
        from pipelines.errors import CanaryRunning

        try:
            tasks.promote(version, now=now())
        except CanaryRunning as running:
            raise AirflowSkipException(str(running)) from None
        describe_update(RELEASE, version=version)

    built = build()
    [train_word2vec(), train_bert(), train_personal()] >> built
    promote(verify(built))  # type: ignore[arg-type]  # Airflow hands the task the value


train_and_publish()
