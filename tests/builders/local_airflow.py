"""The script `docker/local_airflow.py` and its processes as modules; their folder is no package."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "docker"))

import airflow_processes
import local_airflow as script

__all__ = ["airflow_processes", "script"]
