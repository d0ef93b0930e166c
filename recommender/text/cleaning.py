"""Clean texts and cut them to the columns that store them."""

from typing import overload

from ukok.text import clean

LONGEST_TEXT = 16_000  # a TEXT of MariaDB holds 65,535 bytes, a character takes up to four


@overload
def fit(text: str, length: int | None) -> str: ...


@overload
def fit(text: str | None, length: int | None) -> str | None: ...


def fit(text: str | None, length: int | None) -> str | None:
    """Clean ``text`` and cut it to the ``length`` of a column (None: unlimited)."""
    if text is None:
        return None
    return clean(text)[:length].rstrip()
