"""Attributes of the cookies that the API sets."""

from starlette.types import Scope

from serving.web.settings import ServingSettings


def is_secure(scope: Scope, settings: ServingSettings) -> bool:
    """Whether a cookie is sent over https alone: in production always, since TLS may end before a proxy of ours."""
    return settings.environment == "production" or bool(scope["scheme"] == "https")
