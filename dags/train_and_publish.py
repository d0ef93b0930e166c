"""### A new release of the recommendations

Learns the ingredient vectors (Word2Vec) and the sentence encoder (BERT), builds a release from them and the current
catalog, brings it back and checks it, and makes it live. The API follows within seconds. The same as
`ukok train word2vec`, `ukok train bert` and `ukok release build`, `verify`, `promote`.

**When** Once catalog and schedule have both been brought up to date since the last release; by hand at any time.

**When it fails** `build` fails when there are no recipes or products yet. `promote` fails when the release did not pass
its gate; the log names the figures that were worse than those of the live release or of a simple baseline. The live
release stays in service in each case. `ukok release list` shows all of them, `ukok release rollback` takes one back.
"""

from datetime import timedelta

from airflow.sdk import dag, task

from dags.assets import CATALOG, EVENTS, RECIPES, RELEASE, SCHEDULE
from dags.common import COMMON, due


@dag(
    schedule=[CATALOG, SCHEDULE],
    doc_md=__doc__,
    tags=["learn", "release"],
    dagrun_timeout=timedelta(hours=6),
    **COMMON,
)
def train_and_publish() -> None:
    @task(inlets=[RECIPES])
    def train_word2vec() -> str:
        from pipelines import tasks

        return tasks.train_word2vec(now=due())

    @task(inlets=[RECIPES])
    def train_bert() -> str:
        from pipelines import tasks

        return tasks.train_bert(now=due())

    @task(inlets=[CATALOG, SCHEDULE, RECIPES, EVENTS])
    def build() -> str:
        from pipelines import tasks

        return tasks.build(now=due())

    @task
    def verify(version: str) -> str:
        from pipelines import tasks

        tasks.verify(version)
        return version

    @task(outlets=[RELEASE])
    def promote(version: str) -> None:
        from pipelines import tasks

        tasks.promote(version, now=due())

    built = build()
    [train_word2vec(), train_bert()] >> built
    promote(verify(built))  # type: ignore[arg-type]  # Airflow hands the task the value


train_and_publish()
