"""Rows of a mall product page: the product, its seller, its reviews."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection

from crawlers.items import Aspect, Item, KokProduct
from pipelines.load.child_rows import replace_child_rows, write_page_details
from pipelines.load.ledger import table_of
from pipelines.load.products import KOK_PRODUCT
from pipelines.load.row_counts import RowCounts
from pipelines.load.texts import fit_row
from recommender.product_ref import KOK
from sql.service import pages
from sql.upsert import upsert

SELLER, REVIEW = table_of(pages.KokSeller), table_of(pages.KokReview)

CONTENT = sorted(KokProduct.model_fields.keys() - Item.model_fields.keys())
ASPECTS = ("price", "delivery", "taste")
STARS = ("five_star_share", "four_star_share", "three_star_share", "two_star_share", "one_star_share")

UNREAD_COLUMNS = {
    "rating_shares": STARS,
    **{f"{name}_aspect": (f"{name}_opinion", f"{name}_opinion_share") for name in ASPECTS},
}
"""Columns that a field fills, where they are not of its name."""


def product_row(page: KokProduct, categories: Mapping[int, str], cut: Counter[str]) -> dict[str, Any]:
    """Return the columns of ``kok_product`` that the page gives, without those that could not be read.

    The category is added if a list of the same crawl shows it. ``cut`` counts texts that are too long.
    """
    row: dict[str, Any] = {
        "kok_product_id": page.kok_product_id,
        "store_name": page.store_name,
        "product_name": page.product_name,
        "list_price": page.list_price,
        "thumbnail_url": page.thumbnail_url,
        "review_score": page.review_score,
        "review_count": page.review_count,
    }
    row |= dict(zip(STARS, page.rating_shares or [None] * len(STARS), strict=True))
    for name in ASPECTS:
        aspect: Aspect | None = getattr(page, f"{name}_aspect")
        row[f"{name}_opinion"] = aspect and aspect.opinion
        row[f"{name}_opinion_share"] = aspect and aspect.share
    if page.kok_product_id in categories:
        row["category"] = categories[page.kok_product_id]
    unread = {column for field in page.unread for column in UNREAD_COLUMNS.get(field, (field,))}
    return fit_row(KOK_PRODUCT, {column: value for column, value in row.items() if column not in unread}, cut)


def write_page_content(conn: Connection, products: Sequence[KokProduct]) -> RowCounts:
    """Write details, images, sellers and reviews; reviews are only added, because a page shows just ten."""
    row_counts = write_page_details(conn, KOK, {page.kok_product_id: page for page in products})
    cut = row_counts.cut
    sellers = {(page.kok_product_id,): list(_seller(page, cut)) for page in products if "seller" not in page.unread}
    row_counts += replace_child_rows(conn, SELLER, sellers)
    reviews = [row for page in products for row in _reviews(page, cut)]
    row_counts.add(REVIEW, upsert(conn, REVIEW, reviews, key=["kok_product_id", "content_hash"], update_columns=()))
    return row_counts


def _seller(page: KokProduct, cut: Counter[str]) -> Iterator[dict[str, Any]]:
    if page.seller:
        yield fit_row(SELLER, {"kok_product_id": page.kok_product_id, **page.seller.model_dump()}, cut)


def _reviews(page: KokProduct, cut: Counter[str]) -> Iterator[dict[str, Any]]:
    """Yield review rows; reviews with the same content get different hashes, the same ones in every crawl."""
    before = Counter[str]()
    for review in page.reviews:
        content = fit_row(REVIEW, review.model_dump(), cut)
        encoded = json.dumps(list(content.values()), ensure_ascii=False, default=str)
        content_hash = blake2b(f"{encoded} {before[encoded]}".encode(), digest_size=16).hexdigest()
        before[encoded] += 1
        yield {"kok_product_id": page.kok_product_id, "content_hash": content_hash, **content}
