"""Parses the DAGs as the dag-processor does and writes what it found as JSON; a test runs it in its own process."""

import json
import sys
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag

HEAVY = ("faiss", "gensim", "kiwipiepy", "numpy", "onnxruntime", "pandas", "scrapy", "torch", "transformers")


def main(folder: Path) -> None:
    """Write the import errors, the heavy modules that parsing loaded, and each DAG with its tasks."""
    bag = DagBag(folder, bundle_path=folder, bundle_name="dags")
    dags = {
        dag.dag_id: {
            "tags": sorted(dag.tags),
            "doc": dag.doc_md or "",
            "catchup": dag.catchup,
            "max_active_runs": dag.max_active_runs,
            "timeout": dag.dagrun_timeout is not None,
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
                    "outlets": sorted(asset.name for asset in task.outlets),
                    "upstream": sorted(task.upstream_task_ids),
                }
                for task in dag.tasks
            },
        }
        for dag in bag.dags.values()
    }
    heavy = sorted(set(HEAVY) & set(sys.modules))
    json.dump({"import_errors": bag.import_errors, "heavy": heavy, "dags": dags}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
