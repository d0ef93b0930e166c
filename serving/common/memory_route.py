"""Routes that answer from memory.

An endpoint may :func:`keep` its encoded answer with the view that it came from. While that view is current, the next
request for the same URL is answered with those bytes, without FastAPI's parsing and validation, which cost ten times as
much as the answer itself. The endpoint's signature and response model still make the OpenAPI entry, and a URL that is
not kept takes the ordinary way.
"""

from datetime import datetime
from typing import Any

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serving.common.runtime import Runtime
from serving.common.view import Answer, View


class MemoryRoute(APIRoute):
    """A route whose kept answers are sent at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed on as they come
        super().__init__(*args, **kwargs)
        self._ordinary = self.app
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        runtime: Runtime = scope["app"].state.runtime
        answer = runtime.view.current.answers.get(scope["path"], scope["query_string"])
        if answer is None or (answer.until is not None and answer.until <= runtime.clock()):
            await self._ordinary(scope, receive, send)
            return
        identity = runtime.auth.optional(_authorization(scope))
        if identity is None and answer.needs_login:
            await self._ordinary(scope, receive, send)
            return
        if identity is not None:
            scope.setdefault("state", {})["user_id"] = identity.user_id
        await send({"type": "http.response.start", "status": 200, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})


def keep(
    request: Request, view: View, content: BaseModel, *, until: datetime | None = None, needs_login: bool = False
) -> Response:
    """Encode an answer made from ``view`` alone and keep it for the next request of the same URL.

    ``until`` is when the answer stops being true although the data stays the same.
    """
    body = content.model_dump_json().encode()
    headers = ((b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()))
    view.answers.keep(request.url.path, request.scope["query_string"], Answer(body, headers, until, needs_login))
    return Response(body, media_type="application/json")


def _authorization(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return bytes(value).decode("latin-1")
    return None
