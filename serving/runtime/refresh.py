"""Keeps the view's catalog in step with the service database."""

from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, select

from serving.catalog.broadcasts import load_schedule
from serving.catalog.mall import load_kok
from serving.catalog.recipes import load_recipes
from serving.runtime.snapshot import LiveSnapshot
from sql.service.catalog import DataVersion

log = structlog.get_logger()


class CatalogFeed:
    """Reads a dataset again when loading has changed it."""

    def __init__(self, engine: Engine, snapshot: LiveSnapshot) -> None:
        self._engine = engine
        self._snapshot = snapshot
        self.versions: dict[str, int] = {}

    def poll(self) -> None:
        """Look at the data versions and read what is newer.

        Where a dataset cannot be read the view keeps the one before; the others are read, and the error is raised then.
        """
        with self._engine.connect() as conn:
            wanted = dict(conn.execute(select(DataVersion.dataset, DataVersion.version)).all())
        loaders: dict[str, Callable[[Connection], Any]] = {
            "kok": lambda conn: self._snapshot.update(kok=load_kok(conn)),
            "schedule": lambda conn: self._snapshot.update(schedule=load_schedule(conn)),
            "recipes": lambda conn: self._snapshot.update(recipes=load_recipes(conn)),
        }
        failure: Exception | None = None
        for dataset, load in loaders.items():
            # A dataset that was never loaded has no version and counts as 0: read once, it is empty.
            version = wanted.get(dataset, 0)
            if self.versions.get(dataset) == version:
                continue
            try:
                with self._consistent_read() as conn:
                    load(conn)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one dataset, the others are read
                failure = failure or error
                continue
            self.versions[dataset] = version
            log.info("catalog_loaded", dataset=dataset, version=version)
        if failure:
            raise failure

    def _consistent_read(self) -> Connection:
        """A connection whose statements all see one moment. What is newer than the version is read again next time."""
        return self._engine.connect().execution_options(isolation_level="REPEATABLE READ")
