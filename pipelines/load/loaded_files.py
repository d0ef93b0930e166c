"""Which raw files the service database holds the content of."""

from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, Engine, select

from artifacts.raw import RawRun
from pipelines.load.ledger import LOADED
from sql.service.catalog import LoadedFile

RECIPES: Final = "recipes"


def recipe_files(service: Engine) -> list[str]:
    """Keys, without ending, of the loaded files of recipes, in the order of their imports."""
    return _files(service, LoadedFile.source == RECIPES)


def product_files(service: Engine) -> list[str]:
    """Keys, without ending, of the loaded files of all sources of products, in the order of their crawls."""
    return _files(service, LoadedFile.source != RECIPES)


def _files(service: Engine, which: ColumnElement[bool]) -> list[str]:
    columns = (LoadedFile.run_id, LoadedFile.source, LoadedFile.dataset, LoadedFile.day)
    with service.connect() as conn:
        rows = conn.execute(select(*columns).where(which, LoadedFile.status == LOADED).order_by(LoadedFile.run_id))
        return [RawRun(run_id, source, dataset, date.fromisoformat(day)).stem for run_id, source, dataset, day in rows]
