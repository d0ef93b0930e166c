"""Forget why loads held files back, once both databases have loaded them.

Each database rejects for itself: a page of a product that one of them knows may be unknown to the other. So neither
load of a file may drop the record of the rejection alone.
"""

from sqlalchemy import Engine

from artifacts.store import Store
from crawlers.gates.holds import record_rejection, rejected_runs
from pipelines.load.crawl_batch import is_new
from pipelines.load.crawl_files import CrawlFiles
from pipelines.load.datasets import datasets_of
from pipelines.load.ledger import read_ledger, table_of
from pipelines.load.warehouse_history import LEDGER
from sql.service import catalog


def forget_rejections(source: str, service: Engine, warehouse: Engine, store: Store) -> None:
    """Delete the record of each rejected file of a source that both databases have loaded since."""
    rejected = [run for dataset in datasets_of(source) for run in rejected_runs(store, source, dataset)]
    if not rejected:
        return
    files = CrawlFiles(store)
    with service.connect() as first, warehouse.connect() as second:
        ledgers = [read_ledger(first, table_of(catalog.LoadedFile), source), read_ledger(second, LEDGER, source)]
    for run in rejected:
        if all(ledger.is_loaded(run) and not is_new(run, ledger, files) for ledger in ledgers):
            record_rejection(store, run, [])
