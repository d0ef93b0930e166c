"""The event service alone: ``uvicorn serving.log.main:app --port 8006``."""

from serving.common.app import create_app
from serving.common.runtime import Part
from serving.log.router import router

app = create_app("log", [router], [Part.EVENTS])
