"""### Recipes from the official CSV

Reads the CSV into the raw zone and from there into `recipe`, `recipe_ingredient` and the vocabulary of ingredients;
then resolves product titles again with that vocabulary. The same as `ukok recipes import FILE`.

**When** By hand, when there is a new file. The file must be readable where the tasks run. New recipes trigger
`train_and_publish`.

**When it fails** The file is missing or is not the recipe CSV: check its header and its encoding (UTF-8 or CP949). Rows
without an id or a title are rejected and do not fail the run.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task

from dags.assets import RECIPES
from dags.common import COMMON, TASK, describe_update, figures, now, param

FILE = Param(
    None, type=["null", "string"], description="Path of the recipe CSV. Empty: the file that UKOK_RECIPES_FILE names."
)


@dag(
    schedule=None,
    doc_md=__doc__,
    tags=["recipes"],
    params={"file": FILE},
    dagrun_timeout=timedelta(hours=3),
    default_args=TASK,
    **COMMON,
)
def import_recipes() -> None:
    @task(outlets=[RECIPES])
    def load() -> dict[str, dict[str, Any]]:
        from pathlib import Path

        from pipelines import tasks

        file = param("file")
        rows = figures(tasks.recipes(Path(file) if file else None, now=now()))
        describe_update(RECIPES, rows=rows, versions=tasks.data_versions())
        return rows

    load()


import_recipes()
