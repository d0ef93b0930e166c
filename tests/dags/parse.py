"""Parse the DAGs as the dag-processor does and write what it found as JSON; a test runs it in its own process."""

import json
import sys
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.assets.evaluation import AssetEvaluator
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
from sqlalchemy.orm import Session

from dags.pools import pools

if TYPE_CHECKING:
    from airflow.sdk import DAG

HEAVY = ("faiss", "gensim", "kiwipiepy", "numpy", "onnxruntime", "pandas", "scrapy", "torch", "transformers")


def main(folder: Path) -> None:
    """Write the import errors, the heavy modules that parsing loaded, and each DAG with its triggers and tasks."""
    bag = DagBag(folder, bundle_path=folder, bundle_name="dags")
    dags = {
        dag.dag_id: {
            "tags": sorted(dag.tags),
            "doc": dag.doc_md or "",
            "catchup": dag.catchup,
            "max_active_runs": dag.max_active_runs,
            "timeout": dag.dagrun_timeout is not None,
            "alerts": callbacks(dag.on_failure_callback),
            "triggered_by": triggering_assets(dag),
            "params": {
                name: {"description": param.description, **param.schema}
                for name in dag.params
                for param in [dag.params.get_param(name)]
            },
            "tasks": {
                task.task_id: {
                    "owner": task.owner,
                    "retries": task.retries,
                    "backoff": task.retry_exponential_backoff,
                    "timeout": task.execution_timeout is not None,
                    "alerts": callbacks(task.on_failure_callback),
                    "pool": task.pool,
                    "pool_slots": task.pool_slots,
                    "outlets": sorted(asset.name for asset in task.outlets),
                    "upstream": sorted(task.upstream_task_ids),
                    "trigger_rule": task.trigger_rule.value,
                    "is_setup": task.is_setup,
                }
                for task in dag.tasks
            },
        }
        for dag in bag.dags.values()
    }
    heavy = sorted(set(HEAVY) & set(sys.modules))
    slots = {name: slots for name, (slots, _) in pools().items()}
    json.dump({"import_errors": bag.import_errors, "heavy": heavy, "dags": dags, "pools": slots}, sys.stdout)


def callbacks(configured: Any) -> list[str]:
    """Names of what is called after a failure."""
    return [callback.__name__ for callback in (configured if isinstance(configured, list) else [configured])]


def triggering_assets(dag: "DAG") -> list[list[str]]:
    """Every set of assets whose updates start a run, as the scheduler decides it; none for other schedules."""
    timetable = DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable
    condition = timetable.asset_condition
    keys = {asset.name: key for key, asset in condition.iter_assets()}
    sets = [set(names) for size in range(len(keys) + 1) for names in combinations(sorted(keys), size)]
    evaluator = AssetEvaluator(Session())
    return [
        sorted(names)
        for names in sets
        if keys and evaluator.run(condition, {key: name in names for name, key in keys.items()})
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
