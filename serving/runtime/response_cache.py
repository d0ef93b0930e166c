"""Response cache: encoded answers of the current snapshot, sent before routing.

An endpoint passes its answer to :func:`cache_response`. While the snapshot that it was made from is current,
:class:`ResponseCache` answers the next request for the same URL with those bytes; a miss takes FastAPI's ordinary path.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.runtime.runtime import Runtime
from serving.runtime.snapshot import Answer, RecordedEvent, Snapshot
from serving.web.visitor_session import session_of
from sql.warehouse.event_types import EventPayload

JSON: Final = (b"content-type", b"application/json")
# A browser may store an answer, and asks each time whether it is still current.
CACHE_CONTROL: Final = b"cache-control"
REVALIDATE: Final = ((CACHE_CONTROL, b"no-cache"),)
# Another user, or visitor while a canary runs, may get another answer.
REVALIDATE_OWN: Final = ((CACHE_CONTROL, b"private, no-cache"), (b"vary", b"Authorization"))
# Id of the event that records what a response shows; a click names it.
IMPRESSION_ID: Final = b"x-impression-id"


class ResponseCache:
    """Middleware that answers GET requests from the cache of the current snapshot."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        runtime: Runtime = scope["app"].state.runtime
        snapshot = runtime.snapshot_of(scope)
        try:
            await self._answer(runtime, snapshot, scope, receive, send)
        except Exception:
            runtime.record_failed_answer(scope, snapshot.release_version)
            raise

    async def _answer(self, runtime: Runtime, snapshot: Snapshot, scope: Scope, receive: Receive, send: Send) -> None:
        answer = snapshot.answers.get(scope["path"], scope["query_string"])
        if answer is None or (answer.until is not None and answer.until <= runtime.clock()):
            await self._app(scope, receive, send)
            return
        identity = runtime.auth.optional(_text(_header(scope, b"authorization")))
        if identity is None and answer.needs_login:
            await self._app(scope, receive, send)
            return
        scope["cached_route"] = answer.route
        if identity is not None:
            scope.setdefault("state", {})["user_id"] = identity.user_id
        await _send(runtime, answer, identity.user_id if identity else None, scope, send)


class CachedResponse(Response):
    """An answer with its ETag; 304 where the client already has it.

    The headers are those of the answer, so Starlette's are not built.
    """

    background = None
    status_code = 200

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        user_id = scope.get("state", {}).get("user_id")
        await _send(scope["app"].state.runtime, self._answer, user_id, scope, send)


def cache_response(
    request: Request,
    snapshot: Snapshot,
    content: BaseModel | bytes,
    *,
    until: datetime | None = None,
    needs_login: bool = False,
    event: EventPayload | None = None,
    stage: str | None = None,
) -> Response:
    """Encode an answer made from ``snapshot`` alone and cache it for the URL of the request.

    ``content`` may be encoded already. ``until`` is when the answer expires even if the data has not changed. ``event``
    is recorded each time somebody gets the answer; a header has its id. A recommendation passes its ``stage``, which is
    counted.
    """
    runtime: Runtime = request.app.state.runtime
    route: str = request.scope["route"].path
    body = content if isinstance(content, bytes) else content.__pydantic_serializer__.to_json(content)
    etag = b'"' + hashlib.sha256(body).hexdigest()[:24].encode() + b'"'
    headers = (
        JSON,
        (b"content-length", str(len(body)).encode()),
        (b"etag", etag),
        *(REVALIDATE_OWN if needs_login or snapshot.by_visitor else REVALIDATE),
    )
    answer = Answer(
        path=request.scope["path"],
        query=request.scope["query_string"],
        body=body,
        etag=etag,
        headers=headers,
        until=until,
        needs_login=needs_login,
        route=route,
        event=RecordedEvent(event.event_type, event.to_json()) if event else None,
        served=runtime.metrics.recommended(route, snapshot.release_version, stage) if stage else None,
    )
    snapshot.answers.put(answer)
    return CachedResponse(answer)


def impression_headers(event_id: str | None) -> Mapping[str, str]:
    """Return the headers of a response that is not cached and whose event has this id, None if it was dropped."""
    return {IMPRESSION_ID.decode(): event_id} if event_id else {}


async def _send(runtime: Runtime, answer: Answer, user_id: int | None, scope: Scope, send: Send) -> None:
    headers = _record(runtime, answer, answer.event, user_id, scope) if answer.event else answer.headers
    if answer.served:
        answer.served.inc()
    if_none_match = _header(scope, b"if-none-match")
    if if_none_match is not None and _matches(if_none_match, answer.etag):
        headers = [header for header in headers if header[0] not in {b"content-type", b"content-length"}]
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _record(
    runtime: Runtime, answer: Answer, event: RecordedEvent, user_id: int | None, scope: Scope
) -> Sequence[tuple[bytes, bytes]]:
    """Record the event of an answer; return its headers with the id of the event and the cookie of a new session."""
    session = session_of(scope, runtime.settings) if user_id is None else None
    event_id = runtime.record_encoded_event((user_id, session.session_id if session else None), *event)
    headers = [*answer.headers, (IMPRESSION_ID, event_id.encode())] if event_id else answer.headers
    if session is None or session.set_cookie is None:
        return headers
    # The cookie is this visitor's alone, so no shared cache may store the response.
    own = [header for header in headers if header[0] not in {CACHE_CONTROL, b"vary"}]
    return [*own, *REVALIDATE_OWN, (b"set-cookie", session.set_cookie)]


def _matches(if_none_match: bytes, etag: bytes) -> bool:
    """Compare weakly (RFC 9110, 13.1.2): a proxy that compresses makes an ETag weak."""
    given = (tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b","))
    return any(tag in {etag, b"*"} for tag in given)


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    for name, value in scope["headers"]:
        if name == wanted:
            return bytes(value)
    return None


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
