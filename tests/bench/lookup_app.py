"""The gateway, and beside it the plainest FastAPI route that returns the same bytes under the same middleware."""

from fastapi import Response
from fastapi.routing import APIRoute

from serving.common.runtime import Runtime
from serving.gateway.main import app

PRODUCT_PATH = "/api/homeshopping/product/{product_id}/recipe-recommend"

bodies: dict[int, bytes] = {}


async def same_bytes(product_id: int) -> Response:
    """What the measured route answered for this product before."""
    body = bodies.get(product_id)
    if body is None:
        runtime: Runtime = app.state.runtime
        answer = runtime.view.current.answers.get(PRODUCT_PATH.format(product_id=product_id), b"")
        if answer is None:
            return Response(status_code=404)
        body = bodies[product_id] = answer.body
    return Response(body, media_type="application/json")


# First in line, so that finding it costs least.
app.router.routes.insert(0, APIRoute("/api/plainfastapi/product/{product_id}/recipe-recommend", same_bytes))
