"""Someone who deletes the account leaves nothing behind that names them."""

from datetime import timedelta

from sqlalchemy import Engine, MetaData, select
from starlette.testclient import TestClient

from artifacts.store import Store
from pipelines.logs.erase import erase_users
from pipelines.logs.ingest import ingest_logs
from sql.warehouse.events import FctUserEvent
from tests.serving.conftest import Person, sign_up
from tests.serving.small import NOON

ACTIVITY = "/api/log/user/activity"


def everything(engine: Engine) -> list[tuple[str, str]]:
    """Every row of every table as text, with its table."""
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as conn:
        return [
            (table.name, repr(tuple(row)))
            for table in found.sorted_tables
            if table.name != "erased_user"
            for row in conn.execute(select(table))
        ]


def test_a_deleted_person_is_in_no_table_and_in_no_training_set(
    client: TestClient, person: Person, service: Engine, warehouse: Engine, store: Store
) -> None:
    other = sign_up(client)
    for who in (person, other):
        body = {"action": "x", "label": who.email, "extra_data": {"email": who.email}}
        assert client.post(ACTIVITY, json=body, headers=who.headers).status_code == 201
        keyword = {"keyword": f"{who.email} 감자"}
        assert client.post("/api/kok/search/history", json=keyword, headers=who.headers).status_code == 200
        assert client.post("/api/recipes/9001/rating", json={"rating": 5}, headers=who.headers).status_code == 200
    later = NOON + timedelta(hours=1)
    ingest_logs(warehouse, store, NOON, later, now=later, grace=timedelta())
    assert client.delete("/api/user").status_code == 401
    assert client.delete("/api/user", headers=person.headers).status_code == 200
    assert client.get("/api/user/info", headers=person.headers).status_code == 401
    form = {"username": person.email, "password": person.password}
    assert client.post("/api/user/login", data=form).status_code == 401
    erase_users(service, warehouse, store, now=later)
    ingest_logs(warehouse, store, NOON, later, now=later, grace=timedelta())
    rows = everything(service) + everything(warehouse)
    assert [row for row in rows if person.email in row[1]] == []
    assert [row for row in rows if other.email in row[1]], "and the others are there as they were"
    with warehouse.connect() as conn:
        users = set(conn.scalars(select(FctUserEvent.user_id)))
    assert users == {None, other.user_id}
    assert client.get("/api/user/info", headers=other.headers).status_code == 200
