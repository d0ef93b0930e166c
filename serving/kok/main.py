"""The mall service alone: ``uvicorn serving.kok.main:app --port 8002``."""

from serving.common.app import create_app
from serving.common.runtime import Part
from serving.kok.router import router

app = create_app("kok", [router], [Part.CATALOG, Part.RELEASE])
