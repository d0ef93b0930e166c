"""The import of a service loads neither another service nor a library that its first request may not need."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SERVICES = ("user", "kok", "home_shopping", "recipe", "recommend", "log")
HEAVY = {"faiss", "gensim", "kiwipiepy", "onnxruntime", "pandas", "pyarrow", "scipy", "sklearn", "tokenizers", "torch"}
IMPORT = "import json, sys; import serving.{}.main; print(json.dumps(sorted(sys.modules)))"


def loaded_by(service: str) -> set[str]:
    command = [sys.executable, "-c", IMPORT.format(service)]
    return set(json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout))


@pytest.mark.parametrize("service", ["user", "recommend", "log"])
def test_service_loads_no_other_service(service: str) -> None:
    own_parts = {".".join(name.split(".")[:2]) for name in loaded_by(service)}
    assert own_parts & {f"serving.{name}" for name in SERVICES} == {f"serving.{service}"}


@pytest.mark.parametrize("service", [*SERVICES, "gateway"])
def test_service_loads_no_heavy_library(service: str) -> None:
    loaded = {name.partition(".")[0] for name in loaded_by(service)}
    assert "fastapi" in loaded
    assert loaded & HEAVY == set()
