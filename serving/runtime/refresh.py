"""Refresh of the catalog in the live snapshot from the service database."""

from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, select

from serving.catalog.load_schedule import load_schedule
from serving.catalog.mall import load_kok
from serving.catalog.recipes import load_recipes
from serving.runtime.snapshot import LiveSnapshot
from sql.service.catalog import DataVersion

log = structlog.get_logger()


class CatalogFeed:
    """Reloads a dataset when its data version has changed."""

    def __init__(self, engine: Engine, live_snapshot: LiveSnapshot) -> None:
        self._engine = engine
        self._live_snapshot = live_snapshot
        self.versions: dict[str, int] = {}

    def poll(self) -> None:
        """Read the data versions and reload what is newer.

        When a dataset cannot be read, the snapshot keeps the last one, and the error is raised after the others.
        """
        with self._engine.connect() as conn:
            versions = dict(conn.execute(select(DataVersion.dataset, DataVersion.version)).all())
        loaders: dict[str, Callable[[Connection], Any]] = {
            "kok": lambda conn: self._live_snapshot.update(kok=load_kok(conn)),
            "schedule": lambda conn: self._live_snapshot.update(schedule=load_schedule(conn)),
            "recipes": lambda conn: self._live_snapshot.update(recipes=load_recipes(conn)),
        }
        failure: Exception | None = None
        for dataset, load in loaders.items():
            # A dataset that was never loaded has no version: it is read once, as version 0, and is empty.
            version = versions.get(dataset, 0)
            if self.versions.get(dataset) == version:
                continue
            try:
                with self._consistent_read() as conn:
                    load(conn)
            except Exception as error:  # noqa: BLE001 - whatever fails, the other datasets are reloaded
                failure = failure or error
                continue
            self.versions[dataset] = version
            log.info("catalog_loaded", dataset=dataset, version=version)
        if failure:
            raise failure

    def _consistent_read(self) -> Connection:
        """Open a connection whose statements see one moment; rows newer than the version are read again next time."""
        return self._engine.connect().execution_options(isolation_level="REPEATABLE READ")
