"""What people said of product titles, which takes precedence over what the titles were resolved to."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from sql.service.base import MARIADB, ServiceBase
from sql.types import UtcDateTime


class TitleLabel(ServiceBase):
    """A person's reading of a product's title; it applies while the product has that title."""

    __tablename__ = "title_label"
    __table_args__ = (
        {
            "comment": "Titles as people read them, in place of what the rules and the model say",
            "info": {"grain": "one row per product that somebody has labelled"},
            **MARIADB,
        },
    )

    source: Mapped[str] = mapped_column(String(20), primary_key=True, comment="kok or a broadcaster")
    source_product_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="The source's own id"
    )
    title: Mapped[str] = mapped_column(
        String(1000), comment="Title that was labelled; the label does not apply while the product has another one"
    )
    kind: Mapped[str] = mapped_column(String(12), comment="ingredient, ready, snack, drink, supplement or nonfood")
    ingredients: Mapped[str] = mapped_column(
        Text, comment="Canonical names of the main ingredients, the product's own first, separated by |"
    )
    shows_recipes: Mapped[bool] = mapped_column(Boolean, comment="Whether one cooks with it")
    labelled_by: Mapped[str] = mapped_column(String(100), comment="Who labelled it")
    labelled_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="When it was labelled")
    note: Mapped[str | None] = mapped_column(Text, comment="Why; NULL without a note")
