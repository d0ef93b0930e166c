"""What is held back of the files of a source, for those who only look."""

from sqlalchemy import Connection

from artifacts.store import Store
from pipelines.load.crawl_batch import find_pending
from pipelines.load.crawl_files import CrawlFiles
from pipelines.load.datasets import datasets_of
from pipelines.load.gates import PendingHold
from pipelines.load.ledger import table_of
from sql.service.catalog import LoadedFile


def find_held(service: Connection, store: Store, source: str) -> list[PendingHold]:
    """Return what no load has put into the service database and no newer file has overtaken, oldest first.

    What earlier loads found counts too. Raises ``UnreadableReport`` if a file has no readable report.
    """
    files = CrawlFiles(store, looks_again=False)
    return find_pending(service, table_of(LoadedFile), files, source, datasets_of(source))
