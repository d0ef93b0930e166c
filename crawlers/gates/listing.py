"""Gate of a category list: products that vanish all at once, compared with the same list as last known."""

from collections.abc import Collection, Sequence

from crawlers.gates.fields import lost_fields
from crawlers.gates.history import Row

PAGE_SIZE = 20
MIN_GONE = 3  # fewer products may vanish at once
MAX_GONE = 1 / 3  # share of a list that may vanish
MAX_REPLACED = 0.6  # share that may go where others have come, so that the list is as long as it was
MAX_GONE_AT_PAGE_END = 0.1  # the same for a list that ends with a full page, as one does whose next page was lost
MAX_REPLACED_AT_PAGE_END = 0.5  # share of these that others may replace: a lost page is not replaced, sold products are


def lost_products(known: Sequence[Row], listed: Sequence[Row], everywhere: Collection[int], cards: int) -> list[str]:
    """Return why a category looks broken, compared with its cards as ``known``.

    ``everywhere``: the products that any category lists, so that one that changed its category is not missing.
    ``cards``: number of cards on the pages, those that repeat a product included.
    """
    before = {row.product_id: row for row in known}
    gone = sum(product_id not in everywhere for product_id in before)
    shorter_by = len(before) - cards
    replaced_few = shorter_by >= MIN_GONE and shorter_by > (1 - MAX_REPLACED_AT_PAGE_END) * gone
    full_pages = cards % PAGE_SIZE == 0 and replaced_few
    share = MAX_GONE_AT_PAGE_END if full_pages else MAX_GONE if len(listed) < len(before) else MAX_REPLACED
    reasons = []
    if gone >= MIN_GONE and gone >= share * len(before):
        at_page_end = ", and the list ends with a full page" if full_pages and listed else ""
        reasons.append(f"{gone} of the {len(before)} products are no longer listed{at_page_end}")
    pairs = [(before[row.product_id], row) for row in listed if row.product_id in before]
    return [*reasons, *lost_fields(pairs, "products")]
