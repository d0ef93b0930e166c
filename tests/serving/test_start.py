"""Failed starts end with one line that names the problem and holds no secret."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url
from starlette.testclient import TestClient

from serving.runtime.runtime import Dependency, Runtime
from serving.web.clock import wall_clock
from serving.web.errors import StartupError
from serving.web.metrics import Metrics
from serving.web.settings import DEVELOPMENT_SECRET, read_settings
from tests.builders.api_process import served
from tests.builders.servers import free_port
from tests.conftest import ROOT, SECRET_KEY, Stack

PASSWORD = "s3cr3t-w0rd"


UVICORN = [sys.executable, "-m", "uvicorn", "--factory", "serving.user.main:create_app"]
UKOK = [sys.executable, "-m", "pipelines.cli", "serve"]


@pytest.mark.parametrize("program", [UVICORN, UKOK], ids=["uvicorn", "ukok"])
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("UKOK_SERVICE_DB_URL", f"my database {PASSWORD}", "UKOK_SERVICE_DB_URL is not a database URL"),
        ("UKOK_SERVICE_DB_URL", f"mysql://u:{PASSWORD}@h:notaport/db", "UKOK_SERVICE_DB_URL has a port"),
        ("UKOK_VAR_DIR", "/dev/null", "FileExistsError"),
    ],
)
def test_invalid_configuration_ends_the_start_with_one_line(
    program: list[str], name: str, value: str, said: str, tmp_path: Path
) -> None:
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "UKOK_VAR_DIR": str(tmp_path)}
    env |= {"UKOK_SECRET_KEY": SECRET_KEY, name: value}
    start = [*program, "--port", str(free_port())]
    process = subprocess.run(start, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    output = process.stdout + process.stderr
    assert process.returncode != 0
    assert len([line for line in output.splitlines() if f"ukok cannot start: {said}" in line]) == 1, output
    assert "Traceback" not in output
    assert PASSWORD not in output


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SECRET_KEY", "", "UKOK_SECRET_KEY is the development default"),
        ("SECRET_KEY", DEVELOPMENT_SECRET, "UKOK_SECRET_KEY is the development default"),
        ("SECRET_KEY", PASSWORD, "UKOK_SECRET_KEY is shorter than 32 characters"),
        ("SECRET_KEY", " " * 20 + "short" + " " * 20, "UKOK_SECRET_KEY is shorter than 32 characters"),
        ("POLL_SECONDS", "often", "UKOK_POLL_SECONDS"),
        ("POLL_SECONDS", "11", "UKOK_POLL_SECONDS"),
        ("POLL_SECONDS", "inf", "UKOK_POLL_SECONDS"),
        ("POLL_SECONDS", "nan", "UKOK_POLL_SECONDS"),
        ("ACCESS_TOKEN_MINUTES", "99999999999", "UKOK_ACCESS_TOKEN_MINUTES"),
        ("REFRESH_TOKEN_DAYS", "999999999", "UKOK_REFRESH_TOKEN_DAYS"),
        ("CORS_ORIGINS", "[https://shop.example.com]", "UKOK_CORS_ORIGINS"),
        ("SERVICE_DB_URL", f"my database {PASSWORD}", "UKOK_SERVICE_DB_URL is not a database URL"),
        ("WAREHOUSE_DB_URL", f"oracle9://u:{PASSWORD}@h/db", "UKOK_WAREHOUSE_DB_URL"),
        (
            "SERVICE_DB_URL",
            f"mysql://u:{PASSWORD}@h:notaport/db",
            "UKOK_SERVICE_DB_URL has a port that is not a number",
        ),
        ("SERVICE_DB_URL", f"mysql://u:{PASSWORD}@h:99999/db", "UKOK_SERVICE_DB_URL has a port outside 1 to 65535"),
        ("SERVICE_DB_URL", f"oracle://u:{PASSWORD}@h/db", "UKOK_SERVICE_DB_URL names the driver oracle"),
        ("SERVICE_DB_URL", f"sqlite:///{PASSWORD}", "UKOK_SERVICE_DB_URL names the driver sqlite"),
        ("SERVICE_DB_URL", f"mysql://u:{PASSWORD}@h/db?nonsense=1", "UKOK_SERVICE_DB_URL has an option"),
        ("WAREHOUSE_DB_URL", f"postgresql://u:{PASSWORD}@h/db?nonsense=1", "UKOK_WAREHOUSE_DB_URL has an option"),
        ("WAREHOUSE_DB_URL", f"mysql://u:{PASSWORD}@h/db", "UKOK_WAREHOUSE_DB_URL names the driver mysql"),
        ("WAREHOUSE_DB_URL", f"postgresql+asyncpg://u:{PASSWORD}@h/db", "UKOK_WAREHOUSE_DB_URL names the driver"),
        ("ARTIFACTS_URL", f"http://u:{PASSWORD}@h/x", "UKOK_ARTIFACTS_URL is neither a folder nor s3://"),
        ("ARTIFACTS_URL", f"s3://key:{PASSWORD}@bucket/x", "AWS_SECRET_ACCESS_KEY"),
        ("ARTIFACTS_URL", f"s3://key:{PASSWORD}/more@bucket/x", "AWS_SECRET_ACCESS_KEY"),
        ("S3_ENDPOINT_URL", "nonsense", "UKOK_S3_ENDPOINT_URL"),
        ("S3_ENDPOINT_URL", f"http://key:{PASSWORD}@h:8333", "UKOK_S3_ENDPOINT_URL"),
    ],
)
def test_configuration_error_names_the_setting_without_secrets(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for database in ("SERVICE", "WAREHOUSE"):
        monkeypatch.setenv(f"UKOK_{database}_DB_URL", "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.setenv("UKOK_ARTIFACTS_URL", "s3://bucket/prefix")
    monkeypatch.setenv("UKOK_SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv(f"UKOK_{name}", value)
    with pytest.raises(StartupError) as caught:
        Runtime(read_settings(), wall_clock, Metrics(), frozenset(Dependency))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_refused_database_password_is_reported_but_never_logged(
    stack: Stack, stack_env: dict[str, str], configured: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    env = dict(stack_env)
    for name, own_url in (("SERVICE", stack.service_url), ("WAREHOUSE", stack.warehouse_url)):
        url = make_url(own_url).set(username="nobody_here", password=PASSWORD)
        env[f"UKOK_{name}_DB_URL"] = url.render_as_string(hide_password=False)
    with served("serving.gateway.main", env, tmp_path / "server.log") as server:
        ready = httpx.get(f"{server.url}/readyz")
        assert ready.status_code == 503
        assert ready.json()["dependencies"] == {
            "logins": "the database does not answer",
            "catalog": "the database does not answer",
            "release": "ok",
            "events": "the database does not answer",
        }
        assert httpx.get(f"{server.url}/api/kok/discounted").status_code == 200
    log = (tmp_path / "server.log").read_text()
    assert "nobody_here" in log, "the log says who was refused"
    assert PASSWORD not in log + ready.text
    assert "Traceback" not in log


@pytest.mark.parametrize("name", ["user", "kok", "home_shopping", "recipe", "recommend", "log"])
def test_each_service_runs_alone_and_serves_its_own_paths(
    name: str, configured: pytest.MonkeyPatch, service: object
) -> None:
    app = importlib.import_module(f"serving.{name}.main").create_app()
    prefix = {"home_shopping": "homeshopping", "recipe": "recipes", "log": "log/user"}.get(name, name)
    with TestClient(app) as client:
        assert client.get("/readyz").status_code == 200
        assert client.get("/docs").status_code == 200
        paths = [path for path in client.get("/openapi.json").json()["paths"] if path.startswith("/api/")]
        own = (
            "/api/health",
            "/api/health/ml",
            f"/api/{prefix}",
            "/api/auth/refresh" if name == "user" else "/api/health",
        )
        assert [path for path in paths if path not in own and not path.startswith(f"/api/{prefix}/")] == []
        assert len(paths) > 1


def test_without_the_warehouse_the_service_of_accounts_goes_on(
    configured: pytest.MonkeyPatch, service: object, start: Callable[[], TestClient]
) -> None:
    configured.setenv("UKOK_WAREHOUSE_DB_URL", "postgresql://nobody@127.0.0.1:9/none")
    with TestClient(importlib.import_module("serving.user.main").create_app()) as client:
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert ready.json()["dependencies"] == {"logins": "ok", "events": "the database does not answer"}
        account = {"email": "someone@example.com", "password": "a right password", "username": "손님"}
        assert client.post("/api/user/signup", json=account).status_code == 201
