"""The gateway on the small catalog's own day: ``uvicorn tests.docker.noon:app``."""

from serving.common.app import create_app
from serving.common.runtime import Part
from serving.gateway.main import ROUTERS
from tests.serving.small import NOON

app = create_app("gateway", ROUTERS, Part, clock=lambda: NOON)
