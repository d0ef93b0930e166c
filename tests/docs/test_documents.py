"""The documents tell the truth: every command, file, link, DAG and setting that they name exists."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from docs.generate import DOCUMENTS
from pipelines.cli.app import app
from serving.web.metrics import Metrics
from tests.builders.settings_classes import settings_classes, variables

ROOT = Path(__file__).parent.parent.parent
MAX_README_LINES = 120
# Generated documents are compared with the code as a whole; their links are checked like any others.
WRITTEN = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
    if path.name not in DOCUMENTS
)
ALL = sorted([*WRITTEN, *(f"docs/{name}" for name in DOCUMENTS if name.endswith(".md"))])
TEXT = {name: (ROOT / name).read_text(encoding="utf-8") for name in ALL}
RETIRED = "## Retired words"  # the last section of the glossary names what no longer exists

FENCE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
SHELL = re.compile(r"^ *```sh\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FOLDERS = "artifacts|crawlers|dags|docker|docs|pipelines|recommender|serving|sql|tests|ukok"
FILE = re.compile(rf"(?:{FOLDERS})/[\w./-]*")
METRIC = re.compile(r"`(ukok_[a-z_]+)`")
SETTING = re.compile(r"\bUKOK_[A-Z0-9_]*[A-Z0-9]\b(?!_)")


def current(name: str) -> str:
    """A document without what is said to be retired."""
    return TEXT[name].partition(RETIRED)[0]


def commands(name: str) -> list[str]:
    """Shell commands of a document: of its blocks, and inline."""
    blocks = "\n".join(SHELL.findall(current(name)))
    lines = [part for line in blocks.splitlines() for part in re.split(r"&&|\s#", line)]
    return [command.strip() for command in [*lines, *INLINE.findall(FENCE.sub("", current(name)))]]


def cases(program: str) -> list[Any]:
    """A case for each command of a program, named by its document."""
    found = [(name, command) for name in WRITTEN for command in commands(name)]
    pattern = re.compile(rf"(?:\.venv/bin/)?{program} (.+)")
    pairs = {(name, match[1]) for name, command in found if (match := pattern.fullmatch(command))}
    return [pytest.param(arguments, id=f"{name}: {arguments}") for name, arguments in sorted(pairs)]


def words(command: str) -> list[str]:
    """The leading words of a command that can be names of subcommands."""
    return re.split(r"(?:^| )(?=[^a-z ])", command, maxsplit=1)[0].split()


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_the_readme_is_short() -> None:
    assert len(TEXT["README.md"].splitlines()) <= MAX_README_LINES


@pytest.mark.parametrize("arguments", cases("ukok"))
def test_every_ukok_command_exists(arguments: str) -> None:
    found: Any = typer.main.get_command(app)
    for word in words(arguments):
        if not isinstance(found, TyperGroup):
            break
        assert word in found.commands, f"ukok {arguments}: there is no {word!r}"
        found = found.commands[word]
    options = {name for parameter in found.params for name in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", arguments)) <= options | {"--help"}


@pytest.mark.parametrize("arguments", cases("make"))
def test_every_make_target_exists(arguments: str) -> None:
    target = arguments.split(maxsplit=1)[0]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", ALL)
def test_every_link_leads_to_a_file_and_heading(name: str) -> None:
    broken = []
    for link in LINK.findall(TEXT[name]):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        file = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        if not file.exists():
            broken.append(link)
        elif anchor:
            headings = re.findall(r"^#+ (.+)$", FENCE.sub("", file.read_text(encoding="utf-8")), re.MULTILINE)
            broken += [link] if anchor not in map(slug, headings) else []
    assert broken == []


@pytest.mark.parametrize("name", WRITTEN)
def test_every_file_that_a_document_names_exists(name: str) -> None:
    named = {match[0].rstrip(".") for text in INLINE.findall(current(name)) if (match := FILE.fullmatch(text))}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", ALL)
def test_every_setting_that_a_document_names_exists(name: str) -> None:
    known = set().union(*map(variables, settings_classes()))
    assert set(SETTING.findall(current(name))) <= known


def test_operations_explain_every_setting() -> None:
    documented = set(SETTING.findall(TEXT["docs/operations.md"]))
    assert set().union(*map(variables, settings_classes())) <= documented


def test_operations_list_every_metric() -> None:
    families = list(Metrics().registry.collect())
    exposed = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    assert set(METRIC.findall(TEXT["docs/operations.md"])) == exposed


def test_operations_list_every_dag() -> None:
    listed = re.findall(
        r"^\| `([a-z_]+)` \|", current("docs/operations.md").partition("## Regular runs")[2], re.MULTILINE
    )
    dags = sorted(path.stem for path in (ROOT / "dags").glob("*.py") if "@dag(" in path.read_text())
    assert dags
    assert sorted(name for name in listed if not name.startswith("ukok_")) == dags


def test_the_readme_maps_every_package() -> None:
    mapped = set(re.findall(r"^\| `([a-z]+)/` \|", TEXT["README.md"], re.MULTILINE))
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages | {"docker", "tests"} == mapped


@pytest.mark.parametrize("name", WRITTEN)
def test_every_application_that_a_document_starts_exists(name: str) -> None:
    modules = set(re.findall(r"uvicorn --factory ([\w.]+):create_app", TEXT[name]))
    assert all(find_spec(module) for module in modules)
    assert "main:app" not in TEXT[name]


def test_every_attack_names_tests_that_exist() -> None:
    rows = re.findall(r"^\| (?!attack|-)(.+) \|$", TEXT["docs/security.md"], re.MULTILINE)
    assert len(rows) >= 60
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)
        assert named, row
        for file, test in named:
            assert f"\ndef {test}(" in (ROOT / file).read_text(), f"{file}::{test}"


def test_every_decision_is_listed() -> None:
    records = {path.name for path in (ROOT / "docs/adr").glob("[0-9]*.md")}
    assert records == set(LINK.findall(TEXT["docs/adr/README.md"]))
    assert sorted(int(name[:4]) for name in records) == list(range(1, len(records) + 1))
