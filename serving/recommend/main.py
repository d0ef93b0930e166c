"""The recommendation service alone: ``uvicorn serving.recommend.main:app --port 8005``."""

from serving.app import create_app
from serving.recommend.router import router
from serving.runtime.runtime import Part

app = create_app("recommend", [router], [Part.CATALOG, Part.RELEASE])
