"""HTTP protocol of uvicorn with bounds on how long and how large a request may be on its way.

Uvicorn waits for ever for the head of a request and for its body, and httptools collects headers of any size. A proxy
such as nginx bounds both before the API; these bounds hold where there is none, or where somebody connects past it::

    uvicorn --factory serving.gateway.main:create_app --http serving.web.http_protocol:BoundedHttpProtocol
"""

import asyncio
from enum import Enum, auto
from typing import Any, ClassVar

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol


class _Awaited(Enum):
    """What a client has to send next."""

    HEAD = auto()
    BODY = auto()


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes connections that send no head or body in time, endless headers or trailers, or do not read the answer."""

    head_seconds: ClassVar[float] = 10.0
    body_seconds: ClassVar[float] = 30.0
    read_seconds: ClassVar[float] = 30.0
    largest_head: ClassVar[int] = 64 * 1024

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*arguments, **options)
        self._awaited: _Awaited | None = None
        self._arrival: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._in_head = False
        # Received since the head began or ended, or since a piece of the body: of a head or of what follows a body.
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self._await(_Awaited.HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        self._await(None)
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._head_bytes > self.largest_head:
            self._refuse(431, "the first line and the headers, or what follows the body, are too long")
            return
        self._await(self._missing())

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # What has come of this head with the end of the request before it is less than one read.
        self._in_head, self._head_bytes = True, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Drop the trailers of a chunked body: the application would find them among the headers."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)

    def pause_writing(self) -> None:
        """Give a client that does not read its answer some time."""
        super().pause_writing()
        if self._reading is None:
            self._reading = self.loop.call_later(self.read_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP in the shape of all errors."""
        self._refuse(400, msg)

    def _missing(self) -> _Awaited | None:
        """Return what has not arrived yet, None while a request is answered."""
        if self._in_head or self.cycle is None or self.cycle.response_complete:
            return _Awaited.HEAD
        return _Awaited.BODY if self.cycle.more_body else None

    def _await(self, awaited: _Awaited | None) -> None:
        if awaited is self._awaited:
            return
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None
        if awaited is not None:
            seconds = self.head_seconds if awaited is _Awaited.HEAD else self.body_seconds
            self._arrival = self.loop.call_later(seconds, self.transport.close)
        self._awaited = awaited

    def _refuse(self, status: int, detail: str) -> None:
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            # Another answer within that one would be taken for a part of it.
            self.transport.close()
            return
        body = orjson.dumps({"detail": detail})
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()
