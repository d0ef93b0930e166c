"""Clients that send slowly, endlessly or nothing at all: each is disconnected, and others are answered meanwhile."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import Engine

from serving.web.http_protocol import BoundedHttpProtocol
from tests.builders.api_process import Server, served
from tests.builders.waiting import until
from tests.conftest import embedded_only

HEAD = b"GET /healthz HTTP/1.1\r\nHost: ukok\r\n"
POST = b"POST /api/user/signup HTTP/1.1\r\nHost: ukok\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
HASTY = "tests.builders.hasty_protocol:HastyProtocol"


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An application that answers with what it received."""
    log = tmp_path_factory.mktemp("hasty") / "server.log"
    with served("tests.docker.echo", os.environ | {"NAME": "echo"}, log, HASTY) as server:
        yield server


def connected(server: Server, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection((urlsplit(server.url).hostname, urlsplit(server.url).port), timeout=60)
    connection.sendall(sent)
    return connection


def received(connection: socket.socket) -> bytes:
    """What is received until the other side closes the connection."""
    data = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            data += piece
    return data


def send_without_end(connection: socket.socket, request: bytes) -> None:
    while True:
        connection.sendall(request)


def is_answered(server: Server) -> bool:
    return httpx.get(f"{server.url}/healthz", timeout=30).status_code == 200


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"G", HEAD, HEAD + b"X: 1", HEAD + b"\r\n" + b"\r\n"])
def test_silent_and_unfinished_requests_are_disconnected(hasty: Server, sent: bytes) -> None:
    with ExitStack() as open_ones:
        connections = [open_ones.enter_context(connected(hasty, sent)) for _ in range(50)]
        assert is_answered(hasty)
        answered = {received(connection)[:12] for connection in connections}
    assert answered == {b"HTTP/1.1 200" if b"\r\n\r\n" in sent else b""}


def test_a_header_by_the_byte_does_not_keep_a_connection(hasty: Server) -> None:
    with connected(hasty, HEAD) as connection, suppress(ConnectionError):
        connection.settimeout(0.1)
        for _ in range(600):
            connection.sendall(b"X-A: 1\r\n")
            with suppress(TimeoutError):
                assert connection.recv(100) == b""
                return
    pytest.fail("it was kept for a minute")


def test_a_body_that_does_not_come_is_not_waited_for(hasty: Server) -> None:
    with connected(hasty, POST + b"{") as connection:
        assert is_answered(hasty)
        assert received(connection) == b""


def test_an_answer_that_is_not_read_is_dropped(hasty: Server) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        connection.connect((urlsplit(hasty.url).hostname, urlsplit(hasty.url).port))
        request = HEAD + b"X-A: " + b"a" * 8000 + b"\r\n\r\n"
        with pytest.raises(ConnectionError):
            send_without_end(connection, request)
    assert is_answered(hasty)


@pytest.mark.parametrize("piece", [b"X-A: " + b"a" * 1000 + b"\r\n", b"a" * 1000], ids=["many", "one"])
def test_endless_headers_are_refused(hasty: Server, piece: bytes) -> None:
    with connected(hasty, HEAD + b"X-B: ") as connection, suppress(ConnectionError):
        for _ in range(2 * BoundedHttpProtocol.largest_head // len(piece)):
            connection.sendall(piece)
        # What was sent and not read may cut the answer off.
        answer = received(connection)
        assert answer[:12] in {b"HTTP/1.1 431", b""}
    assert is_answered(hasty)


CHUNKED = (
    b"POST /api/user/signup HTTP/1.1\r\nHost: ukok\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    b"1\r\n{\r\n0\r\n"
)


@pytest.mark.parametrize("piece", [b"X-A: " + b"a" * 1000 + b"\r\n", b"a" * 1000], ids=["many", "one"])
def test_endless_trailers_are_refused(hasty: Server, piece: bytes) -> None:
    with connected(hasty, CHUNKED + b"X-B: ") as connection, suppress(ConnectionError):
        # Several reads: what comes with the body in one is not counted.
        for _ in range(16 * BoundedHttpProtocol.largest_head // len(piece)):
            connection.sendall(piece)
        connection.sendall(b"\r\n\r\n")
        answer = received(connection)
        assert answer[:12] in {b"HTTP/1.1 431", b""}
    assert is_answered(hasty)


def test_a_trailer_is_no_header(hasty: Server) -> None:
    with connected(hasty, CHUNKED + b"X-Forwarded-For: 192.0.2.9\r\nExpect: 100-continue\r\n\r\n") as connection:
        answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 200")
    sent = {"host": "ukok", "transfer-encoding": "chunked", "connection": "close"}
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["headers"] == sent


def test_many_small_chunks_are_one_body(hasty: Server) -> None:
    body = b"1\r\nx\r\n" * BoundedHttpProtocol.largest_head
    with connected(hasty, CHUNKED.removesuffix(b"0\r\n") + body + b"0\r\n\r\n") as connection:
        assert received(connection).startswith(b"HTTP/1.1 200")


def test_what_is_no_http_is_refused_in_the_shape_of_errors(hasty: Server) -> None:
    with connected(hasty, b"EHLO mail\r\n\r\n") as connection:
        answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 400")
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"detail": "Invalid HTTP request received."}


def test_a_connection_serves_many_requests_and_bodies(hasty: Server) -> None:
    with httpx.Client(base_url=hasty.url, timeout=30) as client:
        for _ in range(3):
            assert client.get("/healthz").status_code == 200
            assert client.post("/api/log/user/activity", content=b"x" * 500_000).status_code == 200


@embedded_only
def test_the_api_answers_others_while_slow_clients_wait(
    filled: Engine, stack_env: dict[str, str], tmp_path: Path
) -> None:
    with served("serving.gateway.main", stack_env, tmp_path / "server.log", HASTY) as server, ExitStack() as slow:
        sent = [b"", HEAD, POST + b"{"]
        connections = [slow.enter_context(connected(server, each)) for each in sent for _ in range(100)]
        assert httpx.get(f"{server.url}/api/kok/discounted", timeout=30).json()["products"]
        assert {received(connection) for connection in connections} == {b""}
        until(lambda: server.log.read_text().count('"status": 499') == 100, "each body that did not come is logged")
