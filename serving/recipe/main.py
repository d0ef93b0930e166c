"""The recipe service alone: ``uvicorn serving.recipe.main:app --port 8004``."""

from serving.common.app import create_app
from serving.common.runtime import Part
from serving.recipe.router import router

app = create_app("recipe", [router], [Part.CATALOG, Part.RELEASE])
