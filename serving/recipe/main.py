"""The recipe service alone: ``uvicorn serving.recipe.main:app --port 8004``."""

from serving.app import create_app
from serving.recipe.router import router
from serving.runtime.runtime import Part

app = create_app("recipe", [router], [Part.CATALOG, Part.RELEASE])
