"""The gateway on the small catalog's own day: ``uvicorn tests.docker.noon:app``."""

from serving.app import create_app
from serving.gateway.main import ROUTERS
from serving.runtime.runtime import Part
from tests.builders.small_catalog import NOON

app = create_app("gateway", ROUTERS, Part, clock=lambda: NOON)
