"""All six services in one process: ``uvicorn serving.gateway.main:app --port 8000``."""

from serving.app import create_app
from serving.home_shopping.router import router as home_shopping
from serving.kok.router import router as kok
from serving.log.router import router as log
from serving.recipe.router import router as recipe
from serving.recommend.router import router as recommend
from serving.runtime.runtime import Part
from serving.user.router import router as user

ROUTERS = (home_shopping, kok, recipe, recommend, log, user)

app = create_app("gateway", ROUTERS, Part)
