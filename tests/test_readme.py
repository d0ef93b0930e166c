"""The README tells the truth: every command, file and DAG that it names exists."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from pipelines.cli.main import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
UKOK = re.compile(r"`ukok ([a-z][^`]*)`")


def words(command: str) -> list[str]:
    """The leading words of a command that can be names of subcommands."""
    return re.split(r" (?=[^a-z]|\()", command, maxsplit=1)[0].split()


@pytest.mark.parametrize("command", sorted(set(UKOK.findall(README))))
def test_every_ukok_command_exists(command: str) -> None:
    found: Any = typer.main.get_command(app)
    for word in words(command):
        if not isinstance(found, TyperGroup):
            break
        assert word in found.commands, f"ukok {command}: there is no {word!r}"
        found = found.commands[word]
    options = {name for parameter in found.params for name in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", command)) <= options | {"--help"}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:`|^)make ([a-z-]+)", README, re.MULTILINE))))
def test_every_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("folder", re.findall(r"^\| `([a-z]+)/` \|", README, re.MULTILINE))
def test_every_folder_of_the_map_exists(folder: str) -> None:
    assert (ROOT / folder).is_dir()


@pytest.mark.parametrize("dag", re.findall(r"^\| `([a-z_]+)` \|", README, re.MULTILINE))
def test_every_dag_of_the_table_has_its_file(dag: str) -> None:
    assert (ROOT / "dags" / f"{dag}.py").is_file()


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", README))
def test_every_link_leads_to_a_file(link: str) -> None:
    assert (ROOT / link).is_file()
