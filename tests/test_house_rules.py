"""Rules of the whole tree: documented settings, deployment files that name what exists, words and names."""

import ast
import io
import re
import shlex
import tokenize
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from tests.builders.settings_classes import settings_classes, variables
from ukok.settings import Settings

ROOT = Path(__file__).parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PACKAGES = ("ukok", "sql", "artifacts", "crawlers", "recommender", "pipelines", "serving", "dags")
UKOK_NAME = re.compile(r"\bUKOK_[A-Z0-9_]+")


ALL_VARIABLES = set().union(*map(variables, settings_classes()))


@pytest.mark.parametrize("settings", settings_classes(), ids=lambda c: c.__module__)
def test_every_setting_is_documented_in_env_example(settings: type[BaseSettings]) -> None:
    documented = set(re.findall(r"^#? ?(UKOK_[A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert variables(settings) <= documented


def test_every_settings_class_has_the_same_base() -> None:
    assert len(settings_classes()) >= 5
    assert all(issubclass(settings, Settings) for settings in settings_classes())
    for settings in settings_classes():
        config = settings.model_config
        assert (config["env_prefix"], config["env_file"], config["extra"]) == ("UKOK_", ".env", "ignore")


def test_settings_are_read_by_settings_classes_only() -> None:
    readers = re.compile(r"(environ\.get|getenv)\(\s*[\"']UKOK_|environ\[[\"']UKOK_\w+[\"']\](?! = )")
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    assert len(files) > 100
    assert [file for file in files if readers.search(file.read_text())] == []


@pytest.mark.parametrize(
    "name", [".env.example", "docker-compose.yaml", "README.md", "docker/airflow.env", "docker/Dockerfile", "Makefile"]
)
def test_no_file_names_a_setting_that_does_not_exist(name: str) -> None:
    named = {variable for variable in UKOK_NAME.findall((ROOT / name).read_text()) if not variable.endswith("_")}
    assert named <= ALL_VARIABLES


def test_the_variables_that_compose_demands_are_in_env_example() -> None:
    demanded = set(re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / "docker-compose.yaml").read_text()))
    documented = set(re.findall(r"^#? ?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert demanded <= documented


def test_compose_runs_the_gateway_and_each_service_on_its_port() -> None:
    commands = {name: shlex.split(service["command"]) for name, service in SERVICES.items() if service.get("profiles")}
    factories = (command[command.index("--factory") + 1 :] for command in commands.values())
    modules = {rest[0].removesuffix(":create_app"): rest[rest.index("--port") + 1] for rest in factories}
    services = ("user", "kok", "home_shopping", "recipe", "recommend", "log")
    assert modules == {f"serving.{name}.main": str(8001 + n) for n, name in enumerate(services)}
    assert all(find_spec(module) for module in modules)


def test_every_image_of_compose_is_a_dockerfile_target() -> None:
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "docker" / "Dockerfile").read_text(), re.MULTILINE))
    assert {service["build"]["target"] for service in SERVICES.values() if "build" in service} <= targets


def test_every_file_that_compose_mounts_exists() -> None:
    mounts = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())]
    files = [ROOT / mount for mount in mounts if mount.startswith("./")]
    assert files
    assert all(file.is_file() for file in files)


def test_every_service_that_compose_waits_for_is_there() -> None:
    waited = {name for service in SERVICES.values() for name in service.get("depends_on", ())}
    assert waited <= SERVICES.keys()


def identifiers(file: Path) -> Iterator[tuple[str, int]]:
    """Yield the words of every identifier in a Python file (``read_page`` has two), each with its line."""
    for token in tokenize.generate_tokens(io.StringIO(file.read_text()).readline):
        if token.type == tokenize.NAME:
            for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", token.string):
                yield word.lower(), token.start[0]


def retired_words() -> set[str]:
    listed = re.search(
        r"No identifier holds one of these words: (.+?)\.\n", (ROOT / "docs/glossary.md").read_text(), re.DOTALL
    )
    assert listed
    return set(re.findall(r"`(\w+)`", listed.group(1)))


def test_no_identifier_holds_a_retired_word() -> None:
    retired = retired_words()
    assert len(retired) > 10
    files = [file for folder in (*PACKAGES, "docker", "docs", "tests") for file in (ROOT / folder).rglob("*.py")]
    found = [f"{file}:{line}: {word}" for file in files for word, line in identifiers(file) if word in retired]
    assert found == [], "docs/glossary.md has the standard term"


def test_no_text_holds_a_retired_word() -> None:
    # The sources' pages say "goods" in class names and paths.
    phrases = [*sorted(retired_words() - {"goods"}), "kept pages?", "hung up", "breaks? (its|the) contract"]
    pattern = re.compile(rf"\b({'|'.join(phrases)})\b", re.IGNORECASE)
    code = [file for folder in (*PACKAGES, "docker", "docs") for file in (ROOT / folder).rglob("*.py")]
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "docker").glob("*.conf")]
    files = [file for file in (*code, *documents) if file.name != "glossary.md"]
    found = [f"{file}: {match.group()}" for file in files for match in pattern.finditer(file.read_text())]
    assert found == [], "docs/glossary.md has the standard term"


def test_names_of_tests_are_short() -> None:
    names = [
        node.name
        for file in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    assert len(names) > 1000
    assert [name for name in names if len(name) > len("test_") + 60] == []
