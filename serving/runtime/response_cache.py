"""Answers from memory, and routes that are served without detours.

An endpoint may :func:`keep` its encoded answer with the view that it came from. While that view is current, the next
request for the same URL is answered by :class:`KeptAnswers` with those bytes, before any routing. What is not kept yet
is made by :class:`MemoryRoute`, which calls an ``async`` endpoint with arguments that one pydantic model checks:
FastAPI's own way of solving dependencies costs more than most answers. The endpoint's signature and response model
still make the OpenAPI entry, and whatever is unusual (an invalid argument, above all) takes FastAPI's way.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from inspect import Parameter, isclass, iscoroutinefunction, signature
from typing import Any, Final, get_args, get_origin
from urllib.parse import parse_qsl

import orjson
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.runtime.deps import CurrentRuntime, CurrentSnapshot, User, Visitor, user_of, visitor_of
from serving.runtime.runtime import Runtime
from serving.runtime.snapshot import Answer, RecordedEvent, Snapshot

JSON: Final = (b"content-type", b"application/json")
# A browser may keep an answer, and asks each time whether it still holds.
REVALIDATE: Final = (b"cache-control", b"no-cache")
REVALIDATE_OWN: Final = (b"cache-control", b"private, no-cache")


class CachedResponse(Response):
    """An answer with its ETag, or 304 where the visitor has it already."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body, media_type="application/json")
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        user_id = scope.get("state", {}).get("user_id")
        await _send(scope["app"].state.runtime, self._answer, user_id, _header(scope, b"if-none-match"), send)


class ResponseCache:
    """The layer above the routes: sends an answer that is kept for the URL."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        runtime: Runtime = scope["app"].state.runtime
        answer = runtime.snapshot.current.answers.get(scope["path"], scope["query_string"])
        if answer is None or (answer.until is not None and answer.until <= runtime.clock()):
            await self._app(scope, receive, send)
            return
        identity = runtime.auth.optional(_text(_header(scope, b"authorization")))
        if identity is None and answer.needs_login:
            await self._app(scope, receive, send)
            return
        scope["kept_route"] = answer.route
        if identity is not None:
            scope.setdefault("state", {})["user_id"] = identity.user_id
        user_id = identity.user_id if identity else None
        await _send(runtime, answer, user_id, _header(scope, b"if-none-match"), send)


class MemoryRoute(APIRoute):
    """A route whose endpoint, where it is ``async`` and makes its own response, is called without FastAPI's detours."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed on as they come
        super().__init__(*args, **kwargs)
        self._ordinary = self.app
        responds = signature(self.endpoint).return_annotation is Response
        plan = _plan(self.endpoint) if responds and iscoroutinefunction(self.endpoint) else None
        if plan:
            self._plan = plan
            self.app = self._direct
        self._beginning, self._end = self.path.partition("{")[0], self.path.rpartition("}")[2]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As a route does, but most of those that are not meant are told without their regular expression."""
        path: str = scope["path"]
        if path.endswith(self._end) and (path.startswith(self._beginning) or scope.get("root_path")):
            return super().matches(scope)
        return Match.NONE, {}

    async def _direct(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            arguments = self._plan.checked(scope)
        except ValidationError:
            # FastAPI finds the same and words it.
            await self._ordinary(scope, receive, send)
            return
        request = Request(scope, receive, send)
        runtime: Runtime = scope["app"].state.runtime
        for name, solve in self._plan.known.items():
            arguments[name] = solve(request, runtime)
        if self._plan.body:
            name, model = self._plan.body
            if not _is_json(scope):
                await self._ordinary(scope, receive, send)
                return
            arguments[name] = _read_body(model, await request.body())
        response: Response = await self.endpoint(**arguments)
        await response(scope, receive, send)


@dataclass(frozen=True)
class _Plan:
    """How to call an endpoint: what is known, what is checked by ``params``, and the model of its body."""

    known: Mapping[str, Callable[[Request, Runtime], Any]]
    params: type[BaseModel] | None
    repeated: frozenset[str]
    body: tuple[str, type[BaseModel]] | None

    def checked(self, scope: Scope) -> dict[str, Any]:
        """Arguments from path and query; raises ``ValidationError``."""
        if self.params is None:
            return {}
        given: dict[str, Any] = {}
        if scope["query_string"]:
            # Of a parameter that is given twice the last counts, as it does for FastAPI.
            for name, value in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True):
                if name in self.repeated:
                    given.setdefault(name, []).append(value)
                else:
                    given[name] = value
        # Whatever the query says, /recipes/1?recipe_id=2 is recipe 1.
        given |= scope["path_params"]
        return dict(self.params.model_validate(given).__dict__)


def _plan(endpoint: Callable[..., Any]) -> _Plan | None:
    """None for an endpoint that asks for something that only FastAPI can give."""
    known: dict[str, Callable[[Request, Runtime], Any]] = {}
    params: dict[str, Any] = {}
    repeated: set[str] = set()
    body: tuple[str, type[BaseModel]] | None = None
    for name, parameter in signature(endpoint).parameters.items():
        annotation = parameter.annotation
        solve = next((solve for kind, solve in _KNOWN if kind == annotation), None)
        if solve:
            known[name] = solve
        elif any(isinstance(mark, Depends) for mark in get_args(annotation)):
            return None
        elif isclass(annotation) and issubclass(annotation, BaseModel):
            body = (name, annotation)
        else:
            params[name] = (annotation, ... if parameter.default is Parameter.empty else parameter.default)
            if _is_list(annotation):
                repeated.add(name)
    model = create_model("Params", __config__=ConfigDict(protected_namespaces=()), **params) if params else None
    return _Plan(known, model, frozenset(repeated), body)


def _is_list(annotation: Any) -> bool:  # noqa: ANN401 - whatever was annotated
    return get_origin(annotation) is list or any(_is_list(part) for part in get_args(annotation))


_KNOWN: Final[tuple[tuple[Any, Callable[[Request, Runtime], Any]], ...]] = (
    (Request, lambda request, _: request),
    (CurrentRuntime, lambda _, runtime: runtime),
    (CurrentSnapshot, lambda _, runtime: runtime.snapshot.current),
    (Visitor, visitor_of),
    (User, user_of),
)


def _is_json(scope: Scope) -> bool:
    content_type = (_text(_header(scope, b"content-type")) or "").partition(";")[0].strip().lower()
    return content_type == "application/json"


def _read_body(model: type[BaseModel], body: bytes) -> BaseModel:
    """The body as ``model``, or the error that FastAPI gives."""
    try:
        return model.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        wrong = {"type": "json_invalid", "loc": ("body", error.pos), "msg": f"JSON decode error: {error.msg}"}
        raise RequestValidationError([wrong | {"input": {}}]) from None
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        raise RequestValidationError([e | {"loc": ("body", *e["loc"])} for e in found]) from None


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    for name, value in scope["headers"]:
        if name == wanted:
            return bytes(value)
    return None


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")


async def _send(runtime: Runtime, answer: Answer, user_id: int | None, if_none_match: bytes | None, send: Send) -> None:
    if user_id is not None and answer.event:
        runtime.record_encoded_event(user_id, *answer.event)
    if answer.served:
        answer.served.inc()
    if if_none_match is not None and _matches(if_none_match, answer.etag):
        headers = [header for header in answer.headers if header[0] in {b"etag", b"cache-control"}]
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.start", "status": 200, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


def _matches(if_none_match: bytes, etag: bytes) -> bool:
    """Weak comparison (RFC 9110, 13.1.2): a proxy that compresses makes an ETag weak."""
    given = (tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b","))
    return any(tag in {etag, b"*"} for tag in given)


def cache_response(
    request: Request,
    snapshot: Snapshot,
    content: BaseModel | bytes,
    *,
    until: datetime | None = None,
    needs_login: bool = False,
    event: tuple[str, Mapping[str, Any]] | None = None,
    stage: str | None = None,
) -> Response:
    """Encode an answer made from ``view`` alone and keep it for the next request of the same URL.

    ``content`` may be encoded already. ``until`` is when the answer stops being true although the data stays the same.
    ``noted`` is the event (type and payload) that is recorded whenever a known user gets the answer. A recommendation
    names its ``stage``.
    """
    runtime: Runtime = request.app.state.runtime
    route: str = request.scope["route"].path
    body = content if isinstance(content, bytes) else content.__pydantic_serializer__.to_json(content)
    etag = b'"' + hashlib.sha256(body).hexdigest()[:24].encode() + b'"'
    headers = (
        JSON,
        (b"content-length", str(len(body)).encode()),
        (b"etag", etag),
        REVALIDATE_OWN if needs_login else REVALIDATE,
    )
    answer = Answer(
        body=body,
        etag=etag,
        headers=headers,
        until=until,
        needs_login=needs_login,
        route=route,
        event=RecordedEvent(event[0], orjson.dumps(event[1]).decode()) if event else None,
        served=runtime.metrics.recommended(route, snapshot.release_version, stage) if stage else None,
    )
    snapshot.answers.put(request.scope["path"], request.scope["query_string"], answer)
    return CachedResponse(answer)
