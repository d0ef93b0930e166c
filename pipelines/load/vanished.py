"""Find the mall's products that have vanished.

A list is read page by page while it changes: what is sold out, inserted or re-sorted meanwhile moves others between the
pages, and one that no page showed may still be on sale. So a product has vanished when two crawls in a row that read
every category of its in full did not list it. A list that was seen to change counts for a third of that.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from artifacts.raw import RawRun, instant_of, read_items
from crawlers.items import CATEGORIES
from pipelines.load.crawl_batch import CrawlBatch
from pipelines.load.crawl_files import CrawlFiles
from pipelines.load.products import KOK_PRODUCT
from sql.upsert import Counts, chunks

PRICES = "prices"
MAX_CRAWLS = 24  # earlier crawls in which a missing product is looked for
PROOF, PROOF_IF_SHIFTED = 3, 1  # what a crawl counts that does not list a product
PROOF_OF_ABSENCE = 6

Proofs = Mapping[str, int]  # by category


def mark_vanished(
    conn: Connection, files: CrawlFiles, batch: CrawlBatch, listed: Collection[int], complete: Proofs
) -> Counts:
    """Set or clear ``vanished_at``; ``complete``: what the batch proves of each category that it covers in full."""
    back = []
    missing: dict[int, datetime] = {}
    stored = conn.execute(select(KOK_PRODUCT.c.kok_product_id, KOK_PRODUCT.c.first_seen_at, KOK_PRODUCT.c.vanished_at))
    for product_id, first_seen_at, vanished_at in stored:
        if product_id in listed:
            if vanished_at is not None:
                back.append(product_id)
        elif first_seen_at <= batch.at and (vanished_at is None or vanished_at > batch.at):
            missing[product_id] = first_seen_at
    earlier = [run for run in batch.earlier if run.dataset == PRICES]
    gone = sorted(_vanished(files, earlier, missing, complete))
    for ids, vanished_at in ((back, None), (gone, batch.at)):
        for chunk in chunks(ids):
            conn.execute(
                update(KOK_PRODUCT).where(KOK_PRODUCT.c.kok_product_id.in_(chunk)).values(vanished_at=vanished_at)
            )
    return Counts(updated=len(back) + len(gone))


def complete_categories(files: CrawlFiles, run: RawRun) -> dict[str, int]:
    """Return the categories that a file of prices covers in full, and what it proves of products that they lack."""
    return {
        str(entry.key["category"]): PROOF_IF_SHIFTED if entry.shifted else PROOF for entry in files.complete_scopes(run)
    }


def _vanished(
    files: CrawlFiles, earlier: Sequence[RawRun], missing: Mapping[int, datetime], complete: Proofs
) -> set[int]:
    """Return the missing products that enough earlier crawls should have listed as well.

    ``missing``: when each was first seen. A product is looked for in the newest crawl that lists it, which tells its
    categories; one that no crawl listed may be of any.
    """
    unseen = set(missing)
    gone: set[int] = set()
    since: list[tuple[datetime, Proofs]] = []  # crawls since
    for run in reversed(earlier[-MAX_CRAWLS:]):
        if not unseen or not complete:
            return gone
        categories: dict[int, set[str]] = defaultdict(set)
        for item in read_items(files.store, run):
            if item.get("kok_product_id") in unseen:
                categories[item["kok_product_id"]].add(item["category"])
        unseen.difference_update(categories)
        proofs = [proof for _, proof in since]
        gone.update(number for number, listing in categories.items() if _is_proven(listing, complete, proofs))
        since.append((instant_of(run), complete_categories(files, run)))
    return gone | {
        number
        for number in unseen
        if _is_proven(CATEGORIES, complete, [proof for at, proof in since if at >= missing[number]])
    }


def _is_proven(categories: Iterable[str], complete: Proofs, since: Sequence[Proofs]) -> bool:
    """Return whether the crawl itself and those since prove that none of the categories lists a product."""
    return all(
        name in complete and complete[name] + sum(proof.get(name, 0) for proof in since) >= PROOF_OF_ABSENCE
        for name in categories
    )
