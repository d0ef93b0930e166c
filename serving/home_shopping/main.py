"""The home shopping service alone: ``uvicorn serving.home_shopping.main:app --port 8003``."""

from serving.common.app import create_app
from serving.common.runtime import Part
from serving.home_shopping.router import router

app = create_app("home_shopping", [router], [Part.CATALOG, Part.RELEASE])
