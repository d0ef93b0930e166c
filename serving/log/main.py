"""The event service alone: ``uvicorn serving.log.main:app --port 8006``."""

from serving.app import create_app
from serving.log.router import router
from serving.runtime.runtime import Part

app = create_app("log", [router], [Part.EVENTS])
