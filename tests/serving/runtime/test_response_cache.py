"""Answers are cached by URL, and a cached answer is that of the path."""

from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from serving.gateway.main import ROUTERS
from tests.builders.small_catalog import BIG_ID
from tests.serving.conftest import Person


def test_query_cannot_override_path_parameters(client: TestClient, person: Person) -> None:
    ids = {"recipe_id": 9001, "live_id": 1, "ingredient": "감자", "name": "감자", "source": "kok"}
    asked = 0
    for route in (route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)):
        names = list(route.param_convertors)
        if not names or "GET" not in (route.methods or ()) or "user_id" in names:
            continue
        product_id = BIG_ID if "homeshopping" in route.path else 101
        path = route.path_format.format(product_id=product_id, **ids)
        as_it_is = client.get(path, headers=person.headers)
        assert as_it_is.status_code == 200, path
        for name in names:
            other = client.get(f"{path}?{name}=9002", headers=person.headers)
            assert other.json() == as_it_is.json(), f"{path} by {name}"
            asked += 1
    assert asked > 10
