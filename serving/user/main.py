"""The account service alone: ``uvicorn serving.user.main:app --port 8001``."""

from serving.app import create_app
from serving.user.router import router

app = create_app("user", [router], [])
