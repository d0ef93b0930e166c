"""Amounts as people write them."""

import re
from fractions import Fraction

NUMBER = re.compile(r"^(?:(\d+)\s+)?(\d+(?:\.\d+)?)(?:/(\d+))?$")
WORDS = {"반": 0.5}


def parse_amount(written: str | None) -> float | None:
    """Number of an amount such as ``2``, ``1/2``, ``1 1/2`` or ``반``; of ``1~2`` the larger; None for ``약간``."""
    text = (written or "").replace("½", " 1/2").replace("¼", " 1/4").replace("¾", " 3/4").replace(",", "")
    last = re.split(r"[~\-∼]", text)[-1].strip()
    if last in WORDS:
        return WORDS[last]
    match = NUMBER.match(last)
    if not match or match[3] == "0":
        return None
    whole, numerator, denominator = match.groups()
    return float(int(whole or 0) + Fraction(numerator) / int(denominator or 1))
