"""The small catalog with a clock at noon, the gateway on it, and a way to cut a database off."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from httpx2 import Response
from sqlalchemy import Engine, select, update
from starlette.testclient import TestClient

from serving.gateway.main import create_app
from serving.runtime.event_writer import WriterLimits
from serving.user.sessions import GRACE
from sql.service.users import RefreshToken
from tests.builders.small_catalog import NOON, fill
from tests.serving.gate import Gate, gated_url


class Now:
    """The clock of a test."""

    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **by: float) -> None:
        self.moment += timedelta(**by)


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def configured(stack_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Configure the process for this test's databases and store, polled often."""
    for name, value in stack_env.items():
        if name.startswith("UKOK_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("UKOK_POLL_SECONDS", "0.1")
    if not stack_env["UKOK_ARTIFACTS_URL"].startswith("s3:"):
        Path(stack_env["UKOK_ARTIFACTS_URL"]).mkdir(parents=True, exist_ok=True)
    return monkeypatch


@pytest.fixture
def writer_limits() -> WriterLimits:
    """Limits of the event writer; a test parametrizes them."""
    return WriterLimits()


@pytest.fixture
def start(configured: pytest.MonkeyPatch, now: Now, writer_limits: WriterLimits) -> Iterator[Callable[[], TestClient]]:
    """Start the gateway; each call has a memory of its own, like a process."""
    with ExitStack() as running:

        def one() -> TestClient:
            app = create_app(clock=now, writer_limits=writer_limits)
            client = running.enter_context(TestClient(app))
            app.state.runtime.attempts.clock = lambda _: now()
            return client

        yield one


@pytest.fixture
def filled(service: Engine) -> Engine:
    """The service database with the small catalog."""
    fill(service)
    return service


@pytest.fixture
def client(filled: Engine, start: Callable[[], TestClient]) -> TestClient:
    """The gateway on the small catalog, without a release."""
    return start()


@dataclass(frozen=True)
class Person:
    """A user with an account and a token."""

    user_id: int
    email: str
    password: str
    headers: dict[str, str]


def sign_up(client: TestClient) -> Person:
    """Create an account and log in."""
    password = "a right password"
    email = f"visitor-{secrets.token_hex(5)}@example.com"
    account = client.post("/api/user/signup", json={"email": email, "password": password, "username": "손님"})
    assert account.status_code == 201, account.text
    return Person(account.json()["user_id"], email, password, log_in(client, email, password))


def log_in(client: TestClient, email: str, password: str) -> dict[str, str]:
    """Log in and return the headers."""
    answer = client.post("/api/user/login", data={"grant_type": "password", "username": email, "password": password})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def leave(client: TestClient, person: Person) -> Response:
    """Delete the account, confirmed by its password."""
    return client.request("DELETE", "/api/user", json={"password": person.password}, headers=person.headers)


def end_grace(service: Engine) -> None:
    """Make refresh tokens that were used look so old that another use is theft."""
    with service.begin() as conn:
        used = select(RefreshToken.token_sha256, RefreshToken.used_at).where(RefreshToken.used_at.is_not(None))
        for token, used_at in conn.execute(used).all():
            assert used_at is not None
            earlier = update(RefreshToken).where(RefreshToken.token_sha256 == token)
            conn.execute(earlier.values(used_at=used_at - GRACE))


@pytest.fixture
def person(client: TestClient) -> Person:
    return sign_up(client)


@pytest.fixture
def gate(configured: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Gate]]:
    """Put a gate in front of the ``service`` or ``warehouse`` database of processes that start from now on."""
    stack = request.getfixturevalue("stack")
    with ExitStack() as gates:

        def before(database: str) -> Gate:
            url = stack.service_url if database == "service" else stack.warehouse_url
            gate, through = gated_url(url)
            gates.callback(gate.close)
            configured.setenv(f"UKOK_{database.upper()}_DB_URL", through)
            return gate

        yield before
