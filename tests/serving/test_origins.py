"""CORS: which pages may call the API from a browser."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

SHOP = "https://shop.example.com"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.mark.parametrize("named", [f'["{SHOP}"]', SHOP, f"https://more.example.com, {SHOP}"])
def test_only_origins_in_the_settings_may_read_answers(
    named: str, filled: Engine, configured: pytest.MonkeyPatch, start: Callable[[], TestClient]
) -> None:
    configured.setenv("UKOK_CORS_ORIGINS", named)
    client = start()
    for path in ("/api/kok/discounted", "/api/kok/discounted", "/api/kok/product/999/info"):
        answer = client.get(path, headers={"Origin": SHOP})
        assert answer.headers["access-control-allow-origin"] == SHOP, "made, kept and failed answers alike"
        stranger = client.get(path, headers={"Origin": "https://other.example.com"})
        assert "access-control-allow-origin" not in stranger.headers
    large = b'"' + b"x" * 2**21 + b'"'
    for content in (large, iter([large])):
        answer = client.post("/api/user/signup", content=content, headers={"Origin": SHOP})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (413, SHOP)
    allowed = client.options("/api/log/user/activity", headers={"Origin": SHOP} | PREFLIGHT)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, SHOP)
    refused = client.options("/api/log/user/activity", headers={"Origin": "https://other.example.com"} | PREFLIGHT)
    assert refused.status_code == 400


def test_without_a_setting_no_other_origin_is_allowed(client: TestClient) -> None:
    answer = client.get("/api/kok/discounted", headers={"Origin": SHOP})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
