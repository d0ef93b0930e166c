"""Text without invisible characters: what crawlers, loaders and the recommender store and compare."""

import re

# Format characters (category Cf) and variation selectors.
_INVISIBLE = re.compile(
    "[\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Every blank but the plain one, and letters without a glyph: the fillers of Hangul and the blank of Braille.
_EXOTIC = re.compile("[\u0085\u00a0\u115f\u1160\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000\u3164\uffa0]")
_BLANK = re.compile("[\x00-\x20\x7f-\x9f]+")


def visible(text: str) -> str:
    """``text`` without invisible characters, and with plain blanks for the exotic ones."""
    return _EXOTIC.sub(" ", _INVISIBLE.sub("", text))


def clean(text: str | None) -> str:
    """``text`` without invisible characters, every run of blanks and control characters a single space."""
    return _BLANK.sub(" ", visible(text or "")).strip()
