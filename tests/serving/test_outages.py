"""After a failover or restart, sign-up and events work again without a restart of the API, and never answer 500."""

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from sql.clock import database_now
from sql.engines import service_engine
from sql.upgrade import upgrade
from tests.builders.failover import Failover, failover_of
from tests.builders.private_mariadb import PrivateMariaDb, private_mariadb
from tests.builders.waiting import until
from tests.conftest import Stack, embedded_only, servers_only
from tests.serving.conftest import Now, log_in, sign_up

ADVISED = {"detail": "the database takes no writes"}


class Visitors:
    """What visitors see who sign up, log in and send events; ``stored`` holds the events that were acknowledged."""

    def __init__(self, client: TestClient) -> None:
        self.stored: list[str] = []
        self._client = client
        self._person = sign_up(client)
        self._number = 0

    def sign_up(self) -> Any:
        self._number += 1
        account = {"email": f"v{self._number}-{id(self)}@example.com", "password": "a right one", "username": "손님"}
        return self._client.post("/api/user/signup", json=account)

    def send_event(self) -> Any:
        answer = self._client.post("/api/log/user/activity", json={"action": "x", "session_id": "s"})
        if answer.status_code == 201:
            self.stored.append(answer.json()["event_id"])
        return answer

    def log_in(self) -> Any:
        form = {"username": self._person.email, "password": self._person.password}
        return self._client.post("/api/user/login", data=form)

    def visit(self) -> Counter[int]:
        """Do everything once; a refusal says when to try again."""
        answers = [self.sign_up(), self.send_event(), self.log_in()]
        for answer in answers:
            assert answer.status_code in {200, 201, 503}, answer.text
            assert answer.status_code != 503 or int(answer.headers["retry-after"]) > 0
        return Counter(answer.status_code for answer in answers)

    def until_well(self) -> None:
        until(lambda: self.visit()[503] == 0, "everything works again", 20)


def events(warehouse: Engine) -> set[str]:
    with warehouse.connect() as conn:
        return set(conn.scalars(text("SELECT event_id::text FROM user_event WHERE event_type LIKE 'user_activity%'")))


@pytest.fixture
def failover(stack: Stack) -> Iterator[Failover]:
    """A failover of both databases."""
    with failover_of(stack.service_url, stack.warehouse_url) as failover:
        yield failover


@embedded_only
def test_a_failover_of_postgresql_is_survived(
    filled: Engine, warehouse: Engine, start: Callable[[], TestClient], failover: Failover
) -> None:
    client = start()
    visitors = Visitors(client)
    assert visitors.visit() == {200: 1, 201: 2}
    failover.begin()
    until(lambda: client.get("/readyz").json()["dependencies"]["events"] == ADVISED["detail"], "it is noticed")
    assert visitors.visit() == {503: 3}
    assert (visitors.sign_up().json(), visitors.log_in().json()) == (ADVISED, ADVISED)
    assert client.get("/api/kok/discounted").json()["products"], "from memory"
    failover.end()  # the sessions of the pools began before, and stay as they are
    visitors.until_well()
    assert set(visitors.stored) == events(warehouse)


@pytest.fixture
def mariadb(configured: pytest.MonkeyPatch) -> Iterator[PrivateMariaDb]:
    """A service database of its own, empty but for the schema."""
    with private_mariadb() as server:
        configured.setenv("UKOK_SERVICE_DB_URL", server.url)
        engine = service_engine(server.url)
        upgrade(engine, "service")
        engine.dispose()
        yield server


@servers_only
def test_read_only_restarted_and_full_mariadb_are_survived(
    mariadb: PrivateMariaDb, warehouse: Engine, start: Callable[[], TestClient]
) -> None:
    client = start()
    visitors = Visitors(client)
    mariadb.execute("SET GLOBAL read_only = 1")
    assert visitors.visit() == {201: 1, 503: 2}
    assert visitors.sign_up().json() == ADVISED
    mariadb.execute("SET GLOBAL read_only = 0")
    visitors.until_well()
    for number in (signal.SIGTERM, signal.SIGKILL):
        mariadb.stop(number)
        assert visitors.visit() == {201: 1, 503: 2}
        mariadb.start()
        visitors.until_well()
    with mariadb.administrator() as administrator:
        administrator.execute("SET GLOBAL max_connections = 10")
        held = [sqlalchemy.create_engine(mariadb.url).connect() for _ in range(_free(administrator))]
        assert visitors.visit()[500] == 0
        for conn in held:
            conn.close()
            conn.engine.dispose()
    visitors.until_well()
    assert set(visitors.stored) == events(warehouse)


def _free(administrator: Any) -> int:
    administrator.execute("SHOW STATUS LIKE 'Threads_connected'")
    return max(0, 10 - int(administrator.fetchone()[1]))


@embedded_only
def test_a_clock_that_is_an_hour_off_refuses_only_old_tokens(client: TestClient, now: Now, warehouse: Engine) -> None:
    client.app.state.runtime.attempts.clock = database_now  # type: ignore[attr-defined]
    visitors = Visitors(client)
    person = sign_up(client)

    def account(headers: dict[str, str]) -> int:
        return client.get("/api/user/info", headers=headers).status_code

    for hours in (1, -2):
        now.forward(hours=hours)
        assert account(person.headers) == (401 if hours > 0 else 200), "a token is valid for an hour"
        assert account(log_in(client, person.email, person.password)) == 200
        assert visitors.visit() == {200: 1, 201: 2}
        assert client.get("/api/kok/discounted").json()["products"]
    assert set(visitors.stored) == events(warehouse)
