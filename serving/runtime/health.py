"""Probes, metrics and the overall state."""

from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from serving.runtime.canary_state import CanaryState, canary_state
from serving.runtime.deps import CurrentRuntime
from serving.runtime.runtime import Dependency, Runtime
from serving.web.clock import KstDateTime
from serving.web.errors import AWAY
from ukok import __version__

# Without these, answers are older or simpler, but the service is ready.
NOT_VITAL = {"release"}

router = APIRouter(tags=["health"], responses=AWAY)


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = Field(default="ok", examples=["ok"])


class Readiness(BaseModel):
    """Whether everything that the service needs is available."""

    status: Literal["ready", "degraded", "not ready"] = Field(
        description="`degraded`: what is missing makes answers older or simpler", examples=["ready"]
    )
    dependencies: dict[str, str] = Field(
        description="`ok`, or what is wrong",
        examples=[{"catalog": "ok", "logins": "ok", "release": "ok", "events": "ok"}],
    )
    release: str | None = Field(
        description="Version of the release in service", examples=["20250806T030000Z-3f2a9c01d7"]
    )


NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {
        "model": Readiness,
        "description": "Something vital is missing",
        "content": {
            "application/json": {
                "example": {
                    "status": "not ready",
                    "dependencies": {"catalog": "the database does not answer", "logins": "ok"},
                    "release": "20250806T030000Z-3f2a9c01d7",
                }
            }
        },
    }
}
METRICS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/plain": {
                "schema": {"type": "string"},
                "example": "# TYPE ukok_event_queue gauge\nukok_event_queue 0.0\n",
            }
        }
    }
}


class Health(BaseModel):
    """State of the service, for the frontend."""

    status: str = Field(description="`ready`, `degraded` or `not ready`", examples=["ready"])
    service: str = Field(examples=["ukok gateway"])
    version: str = Field(examples=["0.1.0"])
    timestamp: KstDateTime = Field(examples=["2025-08-06T12:00:00"])


class ModelHealth(BaseModel):
    """State of the recommendation models."""

    status: Literal["ok", "degraded", "no release"] = Field(examples=["ok"])
    release_version: str | None = Field(description="Release in service", examples=["20250806T030000Z-3f2a9c01d7"])
    problem: str | None = Field(
        description="What keeps the newest release or the canary out of service", examples=[None]
    )
    canary: CanaryState | None = Field(description="null while no canary runs")


@router.get("/healthz")
async def healthz() -> Alive:
    """The process answers; nothing else is checked."""
    return Alive()


@router.get("/readyz", responses=NOT_READY)
async def readyz(runtime: CurrentRuntime, response: Response) -> Readiness:
    """State of each dependency as last polled, a few seconds ago at most."""
    readiness = _readiness(runtime)
    response.status_code = 503 if readiness.status == "not ready" else 200
    return readiness


@router.get("/metrics", response_class=Response, responses=METRICS)
async def metrics(runtime: CurrentRuntime) -> Response:
    """Metrics in the text format of Prometheus."""
    runtime.measure()
    return Response(runtime.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/api/health")
async def health(request: Request, runtime: CurrentRuntime) -> Health:
    """State of the service in one word."""
    return Health(
        status=_readiness(runtime).status,
        service=request.app.title,
        version=__version__,
        timestamp=runtime.clock(),
    )


@router.get("/api/health/ml")
async def model_health(runtime: CurrentRuntime) -> ModelHealth:
    """Whether a release with its models is in service."""
    release = runtime.live_snapshot.current.release
    problem = runtime.release_problem
    status: Literal["ok", "degraded", "no release"] = "no release" if release is None else "ok"
    return ModelHealth(
        status="degraded" if problem and release else status,
        release_version=release.version if release else None,
        problem=problem,
        canary=canary_state(runtime),
    )


def _readiness(runtime: Runtime) -> Readiness:
    problems = runtime.problems()
    wrong = {name for name, problem in problems.items() if problem}
    status: Literal["ready", "degraded", "not ready"] = "ready"
    if wrong:
        vital = wrong - NOT_VITAL - (set() if Dependency.EVENTS in runtime.dependencies else {"events"})
        status = "not ready" if vital else "degraded"
    return Readiness(
        status=status,
        dependencies={name: problem or "ok" for name, problem in problems.items()},
        release=runtime.live_snapshot.current.release_version,
    )
