"""Parts of a mall product page that are read from the service database on request."""

from typing import Any

from sqlalchemy import Connection, Row, select

from recommender.product_ref import KOK
from sql.service.catalog import KokProduct
from sql.service.pages import KokReview, KokSeller, ProductDetail, ProductImage

# A page of the mall shows ten; the table keeps every review that was ever crawled.
NEWEST_REVIEWS = 100


def read_images(conn: Connection, product_id: int) -> list[str]:
    """URLs of the images of a product's description, in order."""
    of_product = (ProductImage.source == KOK, ProductImage.source_product_id == product_id)
    return list(conn.scalars(select(ProductImage.image_url).where(*of_product).order_by(ProductImage.position)))


def read_reviews(conn: Connection, product_id: int) -> tuple[Row[Any] | None, list[Row[Any]]]:
    """The row of a product, None for an unknown one, and the rows of its newest reviews, newest first."""
    product = conn.execute(select(KokProduct.__table__).where(KokProduct.kok_product_id == product_id)).first()
    # Engines differ in where they sort NULL.
    newest = (KokReview.written_on.is_(None), KokReview.written_on.desc(), KokReview.review_id.desc())
    reviews = select(KokReview.__table__).where(KokReview.kok_product_id == product_id).order_by(*newest)
    return product, list(conn.execute(reviews.limit(NEWEST_REVIEWS)))


def read_seller(conn: Connection, product_id: int) -> tuple[Row[Any] | None, list[tuple[str, str]]]:
    """The seller of a product, None until its page has been crawled, and its details as (name, value)."""
    seller = conn.execute(select(KokSeller.__table__).where(KokSeller.kok_product_id == product_id)).first()
    of_product = (ProductDetail.source == KOK, ProductDetail.source_product_id == product_id)
    details = select(ProductDetail.name, ProductDetail.value).where(*of_product).order_by(ProductDetail.position)
    return seller, [(row.name, row.value) for row in conn.execute(details)]
