"""The recommendation service alone: ``uvicorn serving.recommend.main:app --port 8005``."""

from serving.common.app import create_app
from serving.common.runtime import Part
from serving.recommend.router import router

app = create_app("recommend", [router], [Part.CATALOG, Part.RELEASE])
