"""Load generator for one loopback server over keep-alive connections, as cheap as Python allows.

Run as a process of its own: ``python -m tests.bench.load PORT CONNECTIONS SECONDS < paths`` prints JSON. With 0 seconds
every path is requested once. A line may hold a path, a tab and the JSON that is posted to it.
"""

import asyncio
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import cast

LENGTH = b"content-length: "
LONGEST_SECONDS = 300.0


class Connection(asyncio.Protocol):
    """Sends the next request when the last answer is complete."""

    def __init__(self, requests: Iterator[bytes], until: float, done: "asyncio.Future[None]") -> None:
        self.seconds: list[float] = []
        self.failed = 0
        self._requests = requests
        self._until = until
        self._done = done
        self._buffer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        start = self._buffer.find(LENGTH, 0, head) + len(LENGTH)
        size = int(self._buffer[start : self._buffer.index(b"\r", start)])
        if len(self._buffer) < head + 4 + size:
            return
        self.failed += not self._buffer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201"))
        self._buffer = b""
        now = time.perf_counter()
        self.seconds.append(now - self._sent_at)
        if now < self._until:
            self._send()
        else:
            self._end()

    def connection_lost(self, _: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError("the server closed the connection"))

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._end()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def _end(self) -> None:
        self._transport.close()
        self._done.set_result(None)


async def drive(port: int, requests: list[bytes], connections: int, seconds: float) -> dict[str, float]:
    """Return requests per second and quantiles of the response time in milliseconds."""
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    order = itertools.cycle(requests) if seconds else iter(requests)
    until = started + (seconds or LONGEST_SECONDS)
    clients = [Connection(order, until, loop.create_future()) for _ in range(connections)]
    await asyncio.gather(*(loop.create_connection(lambda c=c: c, "127.0.0.1", port) for c in clients))  # type: ignore[misc]
    await asyncio.gather(*(client._done for client in clients))
    times = sorted(second for client in clients for second in client.seconds)
    return {
        "requests": len(times),
        "failed": sum(client.failed for client in clients),
        "per_second": len(times) / (time.perf_counter() - started),
        "p50_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[len(times) * 99 // 100] * 1000,
    }


def _request(line: str, head: str) -> bytes:
    path, _, body = line.partition("\t")
    if not body:
        return f"GET {path} {head}\r\n".encode()
    sent = body.encode()
    return f"POST {path} {head}Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n".encode() + sent


def main() -> None:
    """Read the paths, send the requests, print the figures."""
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    token = os.environ["TOKEN"]
    head = f"HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nAccept: application/json\r\n"
    requests = [_request(line.rstrip("\n"), head) for line in sys.stdin if line.strip()]
    print(json.dumps(asyncio.run(drive(port, requests, connections, seconds))))  # noqa: T201 - read by the caller


if __name__ == "__main__":
    main()
