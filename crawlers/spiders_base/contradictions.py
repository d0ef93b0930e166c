"""Rows that a listing has twice for two prices: nobody knows which is right, so both count as unread.

The first row may be in the file of items when the second is read, so the file is corrected when the crawl ends.
"""

from collections.abc import Hashable
from pathlib import Path

from crawlers.items import KokPrice, Show
from crawlers.quality.contracts import BadRow

Listed = KokPrice | Show


class Contradictions:
    """The rows of one listing whose price is contradicted; ``model`` is the kind of its items."""

    def __init__(self, model: type[Listed]) -> None:
        self._model = model
        self._rows: set[Hashable] = set()

    def check(self, row: Listed, earlier: str | None) -> None:
        """Raise ``BadRow`` if a row was listed before for another price (``earlier``); unknown ones do not count."""
        later = row.price_label
        if earlier is not None and later is not None and earlier != later:
            self._rows.add(row.row)
            raise BadRow("price", f"listed twice, for {earlier} and for {later}")

    def correct(self, file: Path) -> None:
        """Replace the contradicted rows in a file of items by rows without a price."""
        if not self._rows:
            return
        corrected = file.with_suffix(".corrected")
        with file.open("rb") as lines, corrected.open("wb") as new:
            for line in lines:
                item = self._model.model_validate_json(line)
                new.write(item.without_price().model_dump_json().encode() + b"\n" if item.row in self._rows else line)
        corrected.replace(file)
