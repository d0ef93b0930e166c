"""Log lines and metrics of requests."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlalchemy import Engine
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from serving.web.metrics import Metrics
from serving.web.middleware import RequestMiddleware
from tests.builders.api_process import Server, served
from tests.builders.servers import free_port
from tests.builders.waiting import until
from tests.conftest import ROOT, embedded_only

MALL = "/api/kok/discounted"
PRIVATE = "someone.private@example.com"


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def requested(log: Path, request_id: str) -> dict[str, Any]:
    """Return the only log line of a request."""

    def found() -> list[dict[str, Any]]:
        return [line for line in lines(log) if (line["event"], line.get("request_id")) == ("request", request_id)]

    until(lambda: bool(found()), f"{request_id} is logged")
    (line,) = found()
    return line


def person_of(server: Server) -> tuple[int, dict[str, str]]:
    """Create an account; returns its id and the headers of a login."""
    account = {"email": PRIVATE, "password": "a right password", "username": "손님"}
    user_id = httpx.post(f"{server.url}/api/user/signup", json=account).json()["user_id"]
    token = httpx.post(f"{server.url}/api/user/login", json=account).json()["access_token"]
    return user_id, {"Authorization": f"Bearer {token}"}


@embedded_only
def test_log_lines_are_json_with_request_and_user_without_address(
    stack_env: dict[str, str], filled: Engine, tmp_path: Path
) -> None:
    log = tmp_path / "server.log"
    with served("serving.gateway.main", stack_env, log) as server:
        user_id, headers = person_of(server)
        httpx.get(f"{server.url}/api/user/signup/email/check?email={PRIVATE}", headers={"X-Request-ID": "check"})
        asked = {"made": MALL, "kept": MALL, "memory": "/api/recipes/9001", "info": "/api/user/info"}
        for request_id, path in asked.items():
            httpx.get(f"{server.url}{path}", headers=headers | {"X-Request-ID": request_id})
        assert requested(log, "check")["user_id"] is None
        for request_id, path in asked.items():
            line = requested(log, request_id)
            route = path.replace("9001", "{recipe_id}")
            assert (line["user_id"], line["route"], line["status"]) == (user_id, route, 200), request_id
    assert PRIVATE not in log.read_text()
    assert lines(log)[-1]["event"], "to the last line of the shutdown"


def counted(text: str, **labels: str) -> float:
    """Return the number of requests with these labels in the metrics."""
    named = ",".join(f'{name}="{value}"' for name, value in labels.items())
    found = [line for line in text.splitlines() if line.startswith(f"ukok_requests_total{{{named}}}")]
    return float(found[0].rpartition(" ")[2]) if found else 0.0


def test_cached_answer_counts_for_its_route(client: TestClient) -> None:
    for _ in range(3):
        assert client.get(MALL).status_code == 200
    assert counted(client.get("/metrics").text, method="GET", route=MALL, status="200") == 3


def test_work_in_the_background_is_not_the_time_of_a_request() -> None:
    metrics = Metrics()
    logged: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def later() -> None:
            logged.extend(entries)

        await PlainTextResponse("done", background=BackgroundTask(later))(scope, receive, send)

    async def sent(_: Message) -> None:
        pass

    async def nothing() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/x", "headers": []}
    with capture_logs() as entries:
        asyncio.run(RequestMiddleware(app, metrics)(scope, nothing, sent))
    assert [entry["event"] for entry in logged] == ["request"], "before the work began"
    assert entries == logged, "once"


def test_unknown_methods_and_paths_share_a_label(client: TestClient) -> None:
    for method in ("BREW", "PROPFIND"):
        assert client.request(method, MALL).status_code == 405
        assert client.request(method, f"/{method}").status_code == 404
    text = client.get("/metrics").text
    assert counted(text, method="other", route=MALL, status="405") == 2
    assert counted(text, method="any", route="unmatched", status="404") == 2
    assert "BREW" not in text


def half_sent(url: str, path: str, headers: dict[str, str]) -> socket.socket:
    """Open a connection and begin a request."""
    connection = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=120)
    sent = headers | {"Host": "ukok", "Content-Type": "application/json", "Content-Length": "100"}
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    connection.sendall(f"POST {path} HTTP/1.1\r\n{head}\r\n{{".encode())
    return connection


@embedded_only
def test_client_that_hangs_up_is_no_server_error(stack_env: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with served("serving.gateway.main", stack_env, log) as server:
        _, headers = person_of(server)
        for request_id, path in (("memory", "/api/kok/search/history"), ("plain", "/api/user/signup")):
            half_sent(server.url, path, headers | {"X-Request-ID": request_id}).close()
            line = requested(log, request_id)
            assert (line["status"], line["level"]) == (499, "info")
            figures = httpx.get(f"{server.url}/metrics").text
            assert counted(figures, method="POST", route=path, status="499") == 1
    assert "Traceback" not in log.read_text()


@embedded_only
def test_unfinished_request_does_not_prevent_shutdown(stack_env: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--port", str(port)]
    with (tmp_path / "log").open("wb") as out:
        process = subprocess.Popen(command, env=stack_env, cwd=ROOT, stdout=out, stderr=out)
    try:
        until(lambda: answers(url), "the API answers")
        with half_sent(url, "/api/user/signup", {}):
            process.send_signal(signal.SIGTERM)
            process.wait(120)
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False
