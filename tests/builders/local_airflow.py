"""The script `docker/local_airflow.py` as a module; the folder's name belongs to an installed package."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_SPEC = spec_from_file_location("local_airflow", Path(__file__).parents[2] / "docker" / "local_airflow.py")
assert _SPEC, "docker/local_airflow.py is missing"
assert _SPEC.loader
script = module_from_spec(_SPEC)
_SPEC.loader.exec_module(script)
