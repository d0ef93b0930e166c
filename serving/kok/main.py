"""The mall service alone: ``uvicorn serving.kok.main:app --port 8002``."""

from serving.app import create_app
from serving.kok.router import router
from serving.runtime.runtime import Part

app = create_app("kok", [router], [Part.CATALOG, Part.RELEASE])
