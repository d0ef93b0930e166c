"""Output that nobody reads or that cannot be shown does not fail a command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PRINT = """
import sys
from pipelines.cli.console import err, make_output_safe, out, print_json
from pydantic import BaseModel

class Dish(BaseModel):
    name: str

make_output_safe()
for number in range(5_000):
    out.print(f"{number} 김치 ✓")
    err.print("✗")
print_json(Dish(name="김치"))
open(sys.argv[1], "w").write("done")
"""


def printed(folder: Path, redirection: str, encoding: str) -> tuple[int, bytes]:
    """Run `PRINT`; return its exit code and what reached the reader."""
    (folder / "print.py").write_text(PRINT)
    command = f"{sys.executable} {folder}/print.py {folder}/end {redirection}; echo ${{PIPESTATUS[0]}} > {folder}/code"
    ended = subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(Path.cwd())},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert (folder / "end").read_text() == "done"
    return int((folder / "code").read_text()), ended.stdout


@pytest.mark.parametrize("redirection", ["| true", "2>&1 | head -1", "2>&1 >/dev/null | true"])
def test_a_reader_that_is_gone_fails_no_command(tmp_path: Path, redirection: str) -> None:
    assert printed(tmp_path, redirection, "utf-8")[0] == 0


@pytest.mark.parametrize("encoding", ["ascii", "euc-kr", "cp949", "latin-1"])
def test_json_stays_whole_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    code, output = printed(tmp_path, "2>/dev/null", encoding)
    assert code == 0
    assert json.loads(output[output.index(b"{") :].decode(encoding)) == {"name": "김치"}
