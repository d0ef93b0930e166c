"""The gateway, and for each hot route the plainest FastAPI route that returns the same bytes."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from serving.gateway import main
from serving.runtime.deps import runtime_of

PLAIN = "plainfastapi"
# Prefix and rest of the path of each hot route; the plain routes have the same shape under their own prefix.
HOT = {
    "schedule": ("homeshopping", "/schedule"),
    "broadcast product": ("homeshopping", "/product/{live_id}"),
    "recipes for a product": ("homeshopping", "/product/{product_id}/recipe-recommend"),
    "mall for a product": ("homeshopping", "/product/{product_id}/kok-recommend"),
    "discounted": ("kok", "/discounted"),
    "mall product": ("kok", "/product/{product_id}/info"),
}

bodies: dict[tuple[str, bytes], bytes] = {}


def body_of(request: Request, prefix: str) -> bytes:
    """Return what the measured route answered for this URL before."""
    key = (request.scope["path"], request.scope["query_string"])
    body = bodies.get(key)
    if body is None:
        answers = runtime_of(request).live_snapshot.current.answers
        answer = answers.get(key[0].replace(f"{PLAIN}-{prefix}", prefix), key[1])
        body = bodies[key] = answer.body if answer else b""
    return body


def plain(prefix: str) -> dict[str, Callable[..., Awaitable[Response]]]:
    """Return endpoints by the parameter of their path."""

    async def without(request: Request) -> Response:
        return Response(body_of(request, prefix), media_type="application/json")

    async def live_id(request: Request, live_id: int) -> Response:
        return Response(body_of(request, prefix), media_type="application/json")

    async def product_id(request: Request, product_id: int) -> Response:
        return Response(body_of(request, prefix), media_type="application/json")

    return {"": without, "live_id": live_id, "product_id": product_id}


async def forget(request: Request) -> Response:
    """Empty the response cache, so that every answer is made again."""
    runtime_of(request).live_snapshot.update()
    return Response()


def create_app() -> FastAPI:
    """Build the gateway with the plain routes first, so that matching them costs least."""
    app = main.create_app()
    for prefix, tail in HOT.values():
        parameter = tail.partition("{")[2].partition("}")[0]
        app.router.routes.insert(0, APIRoute(f"/api/{PLAIN}-{prefix}{tail}", plain(prefix)[parameter]))
    app.router.routes.append(APIRoute("/bench/forget", forget, methods=["POST"]))
    return app
