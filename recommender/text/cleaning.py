"""Clean texts before they are stored."""

import re
from typing import overload

LONGEST_TEXT = 16_000  # a TEXT of MariaDB holds 65,535 bytes, a character takes up to four

_INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad]")
_EXOTIC = re.compile("[\u00a0\u3000]")
_BLANK = re.compile("[\x00-\x20\x7f]+")


def visible(text: str) -> str:
    """``text`` without zero-width characters, and with plain blanks for the exotic ones."""
    return _EXOTIC.sub(" ", _INVISIBLE.sub("", text))


def clean(text: str | None) -> str:
    """``text`` without zero-width characters, every run of blanks and control characters a single space."""
    return _BLANK.sub(" ", visible(text or "")).strip()


@overload
def fit(text: str, length: int | None) -> str: ...


@overload
def fit(text: str | None, length: int | None) -> str | None: ...


def fit(text: str | None, length: int | None) -> str | None:
    """Clean ``text`` and cut it to the ``length`` of a column (None: unlimited)."""
    if text is None:
        return None
    return clean(text)[:length].rstrip()
