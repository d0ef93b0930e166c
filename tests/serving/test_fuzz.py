"""Whatever is asked, in the words of the OpenAPI or against them: no server error, and nothing undocumented."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance
from sqlalchemy import Engine

from serving.gateway.main import app
from tests.conftest import embedded_only
from tests.serving.process import Server, served

Operation = APIOperation[Any, Any, Any, Any]

EXAMPLES = 40
# A rule that a schema cannot tell (no NUL, a password that is not the e-mail address) refuses what the schema allows.
BEYOND_THE_SCHEMA: list[Any] = [positive_data_acceptance]
# With the token of the others they would end its login; without one they must be refused.
ENDS_THE_LOGIN = {("delete", "/api/user"), ("post", "/api/user/logout")}
OPERATIONS = [(method, path) for path, operations in app.openapi()["paths"].items() for method in operations]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "server.log"


@pytest.fixture
def gateway(filled: Engine, stack_env: dict[str, str], log: Path) -> Iterator[Server]:
    with served("serving.gateway.main", stack_env, log) as server:
        yield server


def login(server: Server) -> dict[str, str]:
    account = {"email": f"{secrets.token_hex(5)}@example.com", "password": "a right password", "username": "손님"}
    with httpx.Client(base_url=server.url) as client:
        client.post("/api/user/signup", json=account).raise_for_status()
        tokens = client.post("/api/user/login", json=account).raise_for_status().json()
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def operation(schema: BaseSchema, method: str, path: str) -> Operation:
    return schema[path][method.upper()]


@embedded_only
@pytest.mark.timeout(600)
def test_no_request_is_answered_by_an_error_of_the_server_or_against_the_openapi(gateway: Server) -> None:
    schema = schemathesis.openapi.from_url(f"{gateway.url}/openapi.json")
    headers = login(gateway)
    for method, path in OPERATIONS:
        sent = {} if (method, path) in ENDS_THE_LOGIN else headers
        described = operation(schema, method, path)
        _fuzz(described, GenerationMode.POSITIVE, sent)
        if {"parameters", "requestBody"} & described.definition.raw.keys():
            _fuzz(described, GenerationMode.NEGATIVE, sent)
    with httpx.Client(base_url=gateway.url, headers=headers) as client:
        assert client.get("/api/user/info").status_code == 200, "the login was good to the end"


@embedded_only
def test_without_a_token_routes_for_users_answer_401_as_documented(gateway: Server) -> None:
    schema = schemathesis.openapi.from_url(f"{gateway.url}/openapi.json")
    for method, path in OPERATIONS:
        described = operation(schema, method, path)
        if "401" in described.definition.raw["responses"] and path not in {"/api/user/login", "/api/auth/refresh"}:
            _fuzz(described, GenerationMode.POSITIVE, {}, examples=3)


def _fuzz(described: Operation, mode: GenerationMode, headers: dict[str, str], examples: int = EXAMPLES) -> None:
    quiet = list(HealthCheck)
    bounds = settings(max_examples=examples, phases=[Phase.explicit, Phase.generate], suppress_health_check=quiet)

    @bounds
    @given(case=described.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(headers=headers, excluded_checks=BEYOND_THE_SCHEMA)

    ask()
