"""The canary as the API reports it."""

from pydantic import AwareDatetime, BaseModel, Field

from serving.runtime.runtime import Runtime


class CanaryState(BaseModel):
    """A release that a share of the visitors is served instead of the live one."""

    version: str = Field(examples=["20250807T030000Z-91bd04c2e6"])
    baseline: str = Field(
        description="The live release that it is compared with", examples=["20250806T030000Z-3f2a9c01d7"]
    )
    share: float = Field(description="Share of the visitors, by a hash of user or session", examples=[0.1])
    since: AwareDatetime = Field(examples=["2025-08-06T03:00:00Z"])
    in_service: bool = Field(description="This process serves it", examples=[True])


def canary_state(runtime: Runtime) -> CanaryState | None:
    """Describe the running canary; None if none is named or its name cannot be read."""
    canary = runtime.release.canary.named if runtime.release else None
    if canary is None:
        return None
    in_service = runtime.live_snapshot.served.pointer == canary
    return CanaryState(**canary.model_dump(), in_service=in_service)
