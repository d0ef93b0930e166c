"""The gateway, and a bare FastAPI route with the same body model as its event route."""

from functools import partial

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from serving.gateway import main
from serving.log.schemas import Activity
from serving.runtime import runtime
from serving.runtime.event_quota import EventQuotas, Quota


class Accepted(BaseModel):
    """Answer of the bare route."""

    action: str
    logged: bool


async def bare(body: Activity) -> Accepted:
    """Validate the body and do nothing with it."""
    return Accepted(action=body.action, logged=True)


def create_app() -> FastAPI:
    """Build the gateway with the bare route first, so that matching it costs least; one user sends all events."""
    setattr(runtime, "EventQuotas", partial(EventQuotas, user=Quota(10**9, 10**9)))  # noqa: B010 (a type)
    app = main.create_app()
    app.router.routes.insert(0, APIRoute("/api/bare/activity", bare, methods=["POST"], status_code=201))
    return app
