"""Receivers of alerts on loopback: a webhook over HTTP and a mail server."""

import json
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@contextmanager
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the URL of a webhook and the list of what is posted to it."""
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
            """Log nothing."""

    with _served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"http://127.0.0.1:{port}/hook", received


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """Yield the port of an SMTP server and the list of the mails that it takes."""
    received: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say(220, "ready")
            while command := self.rfile.readline().decode().strip().upper():
                if command == "QUIT":
                    self._say(221, "bye")
                    return
                if command == "DATA":
                    self._say(354, "go on")
                    lines = iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), ".")
                    received.append("\n".join(lines))
                self._say(250, "ok")

        def _say(self, code: int, text: str) -> None:
            self.wfile.write(f"{code} {text}\r\n".encode())

    with _served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port, received


@contextmanager
def _served(server: socketserver.TCPServer) -> Iterator[int]:
    """Serve from a thread; yield the port."""
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
