"""The home shopping service alone: ``uvicorn serving.home_shopping.main:app --port 8003``."""

from serving.app import create_app
from serving.home_shopping.router import router
from serving.runtime.runtime import Part

app = create_app("home_shopping", [router], [Part.CATALOG, Part.RELEASE])
