"""Raw files that the service database lacks."""

from functools import partial

from sqlalchemy import Connection

from artifacts.raw import RawRun, UnreadableReport, list_runs
from artifacts.store import Store
from crawlers.registry import sources
from pipelines.load.datasets import datasets_of
from pipelines.load.held import find_held
from pipelines.load.ledger import loaded_runs, table_of
from pipelines.status.databases import DatabasePart
from pipelines.status.schemas import UnloadedFile
from sql.service.catalog import LoadedFile


def unloaded_files(service: DatabasePart, store: Store) -> list[UnloadedFile]:
    """Raw files that are held back, whole or in part, or newer than the loaded ones; none if those cannot be read."""
    found: list[UnloadedFile] = []
    for source in sources():
        pending = service.read(partial(_held_back, store=store, source=source))
        known = service.read(partial(loaded_runs, ledger=table_of(LoadedFile), source=source))
        if pending is None or known is None:
            return []
        newest = dict(sorted(known))  # the last run id of each dataset stays
        runs = (run for dataset in datasets_of(source) for run in list_runs(store, source, dataset))
        waiting = [run for run in runs if run not in pending and run.run_id > newest.get(run.dataset, "")]
        found += [
            _unloaded_file(run, summary) for run, summary in (*pending.items(), *((run, None) for run in waiting))
        ]
    return sorted(found, key=lambda file: file.run_id)


def _unloaded_file(run: RawRun, held: str | None) -> UnloadedFile:
    return UnloadedFile(source=run.source, dataset=run.dataset, run_id=run.run_id, held=held is not None, reason=held)


def _held_back(service: Connection, store: Store, source: str) -> dict[RawRun, str]:
    """What is held back of the files of a source, in words."""
    try:
        return {each.run: each.summary for each in find_held(service, store, source)}
    except UnreadableReport:  # the load says so
        return {}
