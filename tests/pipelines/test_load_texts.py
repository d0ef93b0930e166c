"""Texts that are too long for their column."""

from collections import Counter
from typing import Any

from pipelines.load.products import HOME_SHOPPING
from pipelines.load.texts import fit_row


def test_a_text_that_is_cut_is_counted_by_column() -> None:
    cut = Counter[str]()
    row: dict[str, Any] = {"source": "hnsmall", "product_name": "김" * 1001, "store_name": "가" * 255, "price": 1}
    fitted = fit_row(HOME_SHOPPING, row | {"description": None}, cut)
    assert fitted == row | {"description": None, "product_name": "김" * 1000}
    assert cut == {"home_shopping_product.product_name": 1}
