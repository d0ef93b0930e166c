"""Clean texts before they are stored."""

import re
from typing import overload

LONGEST_TEXT = 16_000  # a TEXT of MariaDB holds 65,535 bytes, a character takes up to four

# Format characters (category Cf), variation selectors, and every blank but the plain one.
_INVISIBLE = re.compile(
    "[\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_EXOTIC = re.compile("[\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_BLANK = re.compile("[\x00-\x20\x7f]+")


def visible(text: str) -> str:
    """``text`` without invisible characters, and with plain blanks for the exotic ones."""
    return _EXOTIC.sub(" ", _INVISIBLE.sub("", text))


def clean(text: str | None) -> str:
    """``text`` without invisible characters, every run of blanks and control characters a single space."""
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
