"""Old files of the raw zone that are loaded, and state of crawls that a newer crawl has replaced."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import Engine

from artifacts.raw import REPORT, RawRun
from artifacts.store import Store
from crawlers.state.image_storage import IMAGES
from crawlers.state.page_storage import PAGES
from pipelines.load.ledger import Ledger, read_ledger, table_of
from pipelines.load.loaded_files import RECIPES
from pipelines.maintenance.garbage import UNFINISHED, Findings, Garbage, objects
from sql.service import catalog
from sql.warehouse import steps
from ukok.korea import KST

STATE = frozenset({PAGES, IMAGES})  # datasets that are not loaded; each crawl reads the newest file


@dataclass(frozen=True)
class RawFiles:
    """The objects of a run of a dataset, with their sizes."""

    run: RawRun
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether the run has a report; without one it does not exist for readers."""
        return self.run.stem + REPORT in self.sizes


def find_raw(
    service: Engine, warehouse: Engine, store: Store, *, keep: timedelta, keep_state: timedelta, now: datetime
) -> Findings:
    """Files older than ``keep`` that both databases have loaded, state older than ``keep_state``, unfinished files.

    The newest run of each dataset stays, as does every file that a load still has to apply.
    """
    files = list_raw(store)
    newest = newest_runs(files)
    ledgers = _ledgers(service, warehouse, {each.run.source for each in files})
    today = now.astimezone(KST)
    days = {True: (today - keep_state).date(), False: (today - keep).date()}
    old: list[Garbage] = []
    waiting = 0
    for each in files:
        run = each.run
        if not each.finished:
            if run.day < (today - UNFINISHED).date():
                old.append(objects(store, f"{run.stem} (unfinished)", each.sizes))
        elif run.day < days[run.dataset in STATE] and run != newest[_dataset(run)]:
            if run.dataset in STATE or _is_done(run, ledgers[run.source]):
                old.append(objects(store, run.stem, each.sizes, [run.stem + REPORT]))
            else:
                waiting += 1
    return Findings(len(files), old, {"old files that are not loaded, or not in full": waiting} if waiting else {})


def newest_runs(files: Iterable[RawFiles]) -> dict[tuple[str, str], RawRun]:
    """The newest finished run of each source and dataset."""
    return dict(sorted((_dataset(each.run), each.run) for each in files if each.finished))


def _dataset(run: RawRun) -> tuple[str, str]:
    return run.source, run.dataset


def list_raw(store: Store) -> list[RawFiles]:
    """Every run of the raw zone, finished or not."""
    found: dict[RawRun, dict[str, int]] = defaultdict(dict)
    for key, size in store.sizes("raw/").items():
        run = _run_of(key)
        if run is not None:
            found[run][key] = size
    return [RawFiles(run, sizes) for run, sizes in sorted(found.items())]


def _run_of(key: str) -> RawRun | None:
    """The run that an object belongs to; None for an object that no run has written."""
    parts = key.split("/")
    if len(parts) != 5 or not parts[3].startswith("dt="):
        return None
    try:
        day = date.fromisoformat(parts[3].removeprefix("dt="))
    except ValueError:
        return None
    return RawRun(parts[4].partition(".")[0], parts[1], parts[2], day)


def _ledgers(service: Engine, warehouse: Engine, sources: set[str]) -> dict[str, list[Ledger]]:
    """The ledgers of each source: of both databases, but recipes are loaded into the service database alone."""
    with service.connect() as first, warehouse.connect() as second:
        return {
            source: [read_ledger(first, table_of(catalog.LoadedFile), source)]
            + ([] if source == RECIPES else [read_ledger(second, table_of(steps.LoadedFile), source)])
            for source in sources
        }


def _is_done(run: RawRun, ledgers: list[Ledger]) -> bool:
    """Whether no load needs a file any more: it is overtaken, or loaded without a scope that is held back."""
    return all(run in ledger and not ledger.held_scopes(run) for ledger in ledgers)
