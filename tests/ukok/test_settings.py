"""A blank setting means unset, in the environment and in ``.env``, for every settings class."""

from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

import ukok
from serving.web.errors import StartupError
from serving.web.settings import DEVELOPMENT_SECRET, read_settings
from sql.settings import DatabaseSettings
from tests.builders.settings_classes import settings_classes, variables

BLANKS = ["", " ", "\t "]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty working folder, and no variable of ours set."""
    monkeypatch.chdir(tmp_path)
    for name in set().union(*map(variables, settings_classes())):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def defaults(settings: type[BaseSettings]) -> dict[str, object]:
    return {name: field.get_default(call_default_factory=True) for name, field in settings.model_fields.items()}


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("settings", settings_classes(), ids=lambda c: c.__name__)
def test_a_blank_environment_variable_means_unset(
    settings: type[BaseSettings], blank: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in variables(settings):
        monkeypatch.setenv(name, blank)
    assert dict(settings()) == defaults(settings)


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("settings", settings_classes(), ids=lambda c: c.__name__)
def test_a_blank_line_of_dotenv_means_unset(settings: type[BaseSettings], blank: str, folder: Path) -> None:
    lines = [f'{name}="{blank}"\n{name.lower()}={blank}\n' for name in sorted(variables(settings))]
    (folder / ".env").write_text("".join(lines))
    assert dict(settings()) == defaults(settings)


def test_the_environment_wins_over_dotenv_unless_blank(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("UKOK_VAR_DIR=from-file\nUKOK_SERVICE_DB_URL=\nUNKNOWN=1\n")
    monkeypatch.setenv("UKOK_VAR_DIR", "  ")
    assert DatabaseSettings().var_dir == Path("from-file")
    monkeypatch.setenv("UKOK_VAR_DIR", "from-environment")
    assert DatabaseSettings().var_dir == Path("from-environment")
    assert DatabaseSettings().service_db_url is None


@pytest.mark.parametrize("blank", [*BLANKS, " " * 40])
def test_production_refuses_a_blank_secret(blank: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UKOK_ENVIRONMENT", "production")
    monkeypatch.setenv("UKOK_SECRET_KEY", blank)
    with pytest.raises(StartupError, match="UKOK_SECRET_KEY is the development default"):
        read_settings()


@pytest.mark.parametrize("name", ["UKOK_SERVICE_DB_URL", "UKOK_WAREHOUSE_DB_URL"])
def test_a_database_server_refuses_the_development_key(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_settings().secret_key.get_secret_value() == DEVELOPMENT_SECRET
    monkeypatch.setenv(name, "postgresql://ukok@127.0.0.1:9/none")
    with pytest.raises(StartupError, match="UKOK_SECRET_KEY is the development default"):
        read_settings()
    monkeypatch.setenv("UKOK_SECRET_KEY", "a key of thirty-two characters or more")
    assert read_settings()


def test_the_version_is_the_one_of_the_distribution() -> None:
    pyproject = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert f'\nversion = "{ukok.__version__}"\n' in pyproject
