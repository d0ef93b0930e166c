"""ETags: 304 for an answer that the client has, until the data changes."""

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from tests.builders.small_catalog import set_price
from tests.serving.conftest import Person, eventually

CATALOG = ("/api/kok/discounted", "/api/kok/product/101/info", "/api/homeshopping/schedule?live_date=2025-08-06")


@pytest.mark.parametrize("path", CATALOG)
def test_unchanged_answer_is_304(client: TestClient, path: str) -> None:
    first = client.get(path)
    etag = first.headers["etag"]
    for given in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = client.get(path, headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag), given
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == first.content


def test_changed_answer_is_sent_in_full(client: TestClient, filled: Engine) -> None:
    old = client.get(CATALOG[0]).headers["etag"]
    set_price(filled, 102, 4000, 50)
    eventually(
        lambda: client.get(CATALOG[0], headers={"If-None-Match": old}).status_code == 200, "the new price is sent"
    )


def test_answer_that_needs_login_is_refused_to_visitors(client: TestClient, person: Person) -> None:
    first = client.get("/api/recipes/9001", headers=person.headers)
    assert first.headers["cache-control"] == "private, no-cache"
    etag = {"If-None-Match": first.headers["etag"]}
    assert client.get("/api/recipes/9001", headers=person.headers | etag).status_code == 304
    assert client.get("/api/recipes/9001", headers=etag).status_code == 401
