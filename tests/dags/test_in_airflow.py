"""Tests of what the DAGs do in a task's process, in a process of their own: Airflow takes over the logging."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

FILES = sorted(map(str, Path(__file__).with_name("in_airflow").glob("*.py")))


def test_wiring_and_alerts_inside_airflow(tmp_path: Path) -> None:
    env = os.environ | {"AIRFLOW_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "--no-cov", *FILES]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
