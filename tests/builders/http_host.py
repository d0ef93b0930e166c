"""Small web server for tests: answers as a function says, and records the requests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic
from urllib.parse import parse_qs, urlsplit

ALLOW_ALL = "User-agent: *\nAllow: /\n"


@dataclass(frozen=True)
class Received:
    """A received request: the host's monotonic seconds, path with query, and headers."""

    second: float
    path: str
    headers: Message


@dataclass(frozen=True)
class Answer:
    body: bytes | str = b""
    media_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


NOT_FOUND = Answer("no such page", "text/plain", 404)
HANG_UP = Answer(status=0)
"""Closes the connection without an answer."""


@dataclass(frozen=True)
class Host:
    url: str
    requests: list[Received]

    def requests_for(self, part: str) -> list[Received]:
        """Return the requests whose path contains ``part``, in the order in which they were received."""
        return [request for request in self.requests if part in request.path]


@contextmanager
def running_host(answer: Callable[[Received], Answer]) -> Iterator[Host]:
    """Serve ``answer`` on a free loopback port; it is called from a thread for each request."""
    requests: list[Received] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            request = Received(monotonic(), self.path, self.headers)
            requests.append(request)
            found = answer(request)
            if found is HANG_UP:
                self.close_connection = True
                return
            body = found.body.encode() if isinstance(found.body, str) else found.body
            self.send_response(found.status)
            self.send_header("Content-Type", found.media_type)
            if found.status != 304:
                self.send_header("Content-Length", str(len(body)))
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if found.status != 304:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
            """Log nothing: the requests are recorded above."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Host(f"http://127.0.0.1:{server.server_port}", requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def shows(request: Received, *product_ids: int) -> str:
    """Return the content of a schedule page of hnsmall for the requested day: a show of each product."""
    day = parse_qs(urlsplit(request.path).query)["broadDay"][0]
    rows = "".join(
        f"""<li class="item">
            <div class="live-time"><span>14:00 ~ 15:00</span><p class="time">14:00 ~ 15:00 김치 특집</p></div>
            <a class="goods-info" onclick="go('{number}')"></a>
            <div class="goods-thumb"><img src="//image.example/{number}_wide.jpg"></div>
            <p class="tit">포기김치</p><div class="price"><strong>39,900</strong></div>
        </li>"""
        for number in product_ids or (10_000_001,)
    )
    return f'<div id="scheduleWrap" date="{day}"><ul>{rows}</ul></div>'


def page(content: str) -> str:
    return f"<!DOCTYPE html><html><head><meta charset='utf-8'></head><body>{content}</body></html>"
