"""The address that limits count, and proxies that are not trusted."""

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from serving.web import client_address as module
from serving.web.client_address import client_address


def scope(host: str, forwarded: str | None = None) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded is not None else []
    return {"client": (host, 50_000), "headers": headers}


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    monkeypatch.setattr(module, "_warned", set())
    with capture_logs() as entries:
        yield entries


def test_an_untrusted_proxy_is_warned_of_once(logged: list[Any]) -> None:
    for _ in range(3):
        assert client_address(scope("10.0.0.7", "203.0.113.9")) == "10.0.0.7", "who is not trusted names nobody"
    (entry,) = logged
    assert (entry["event"], entry["log_level"], entry["peer"]) == ("untrusted_proxy", "warning", "10.0.0.7")
    assert "FORWARDED_ALLOW_IPS" in entry["reason"]


def test_clients_of_a_trusted_proxy_are_no_reason_to_warn(logged: list[Any]) -> None:
    assert client_address(scope("10.0.0.9", "203.0.113.9, 10.0.0.9")) == "10.0.0.9", "uvicorn has put it there"
    assert client_address(scope("10.0.0.7")) == "10.0.0.7"
    assert client_address({"client": None, "headers": []}) == "unknown"
    assert logged == []


def test_warnings_are_bounded(logged: list[Any]) -> None:
    for n in range(100):
        client_address(scope(f"10.0.0.{n}", "203.0.113.9"))
    assert len(logged) == module.MOST_WARNED


def test_a_client_of_the_internet_uses_no_warning_up(logged: list[Any]) -> None:
    for host in ("8.8.8.8", "2a00:1450:4001:81b::200e", "::ffff:8.8.8.8", "a name"):
        client_address(scope(host, "203.0.113.9"))
    assert logged == []


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "fd00::7", "::ffff:10.0.0.7", "172.28.0.10"])
def test_a_proxy_is_a_private_or_loopback_peer(logged: list[Any], host: str) -> None:
    client_address(scope(host, "203.0.113.9"))
    assert [entry["peer"] for entry in logged] == [host]


def test_an_address_within_another_is_not_the_named_one(logged: list[Any]) -> None:
    client_address(scope("10.0.0.1", "10.0.0.11, 110.0.0.1"))
    assert [entry["peer"] for entry in logged] == ["10.0.0.1"]
