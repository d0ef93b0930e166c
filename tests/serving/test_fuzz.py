"""Fuzzing by the OpenAPI: valid and invalid requests get no server error and no undocumented answer."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from tests.builders.api_process import Server, served
from tests.conftest import embedded_only

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
# Rules that a schema cannot express (no NUL, a password unlike the e-mail address) refuse what the schema allows.
BEYOND_THE_SCHEMA = "positive_data_acceptance"
# With the token of the other operations they would end its login.
ENDS_THE_LOGIN = "^(DELETE /api/user(/logins/.*)?|POST /api/user/logout(/all)?)$"


@pytest.fixture
def gateway(filled: Engine, stack_env: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    with served("serving.gateway.main", stack_env, tmp_path / "server.log") as server:
        yield server


def login(server: Server) -> dict[str, str]:
    account = {"email": f"{secrets.token_hex(5)}@example.com", "password": "a right password", "username": "손님"}
    with httpx.Client(base_url=server.url) as client:
        client.post("/api/user/signup", json=account).raise_for_status()
        tokens = client.post("/api/user/login", json=account).raise_for_status().json()
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def fuzz(server: Server, folder: Path, *options: str) -> None:
    """Test every operation; schemathesis writes to ``folder``."""
    command = [SCHEMATHESIS, "run", f"{server.url}/openapi.json", "--seed=1", "--continue-on-failure", *options]
    asked = subprocess.run(
        [*command, f"--exclude-checks={BEYOND_THE_SCHEMA}"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stdout


@embedded_only
@pytest.mark.timeout(600)
def test_fuzzed_requests_get_no_500_and_answers_match_the_openapi(gateway: Server, tmp_path: Path) -> None:
    headers = login(gateway)
    phases = "--phases=examples,coverage,fuzzing,stateful"
    token = f"--header=Authorization: {headers['Authorization']}"
    fuzz(gateway, tmp_path, phases, "--max-examples=40", token, f"--exclude-name-regex={ENDS_THE_LOGIN}")
    with httpx.Client(base_url=gateway.url, headers=headers) as client:
        assert client.get("/api/user/info").status_code == 200, "the login was good to the end"


@embedded_only
def test_without_a_token_routes_for_users_answer_401_as_documented(gateway: Server, tmp_path: Path) -> None:
    fuzz(gateway, tmp_path, "--phases=examples,coverage")
