"""HEAD wherever there is GET: the same headers without the body, and without an event, since nobody sees the answer."""

from contextvars import ContextVar
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Whether the answer to the current request is shown to somebody, so that what it shows is recorded.
is_shown: Final = ContextVar("is_shown", default=True)


class HeadMiddleware:
    """Answers HEAD as GET without the body; FastAPI's routes answer it with 405."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            scope["method"] = "HEAD"  # from here on the server decides by it whether a body has to follow
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        scope["method"] = "GET"
        token = is_shown.set(False)
        try:
            await self._app(scope, receive, send_without_body)
        finally:
            scope["method"] = "HEAD"
            is_shown.reset(token)
