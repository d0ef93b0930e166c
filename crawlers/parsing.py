"""Parse texts of the sources' pages into values. Pure functions; a text that cannot be parsed raises ``ValueError``."""

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from html import unescape
from typing import Literal, NamedTuple
from urllib.parse import urljoin, urlsplit

from ukok.korea import KST
from ukok.text import clean

MAX_ID = 2**63 - 1
HTTPS_HOSTS = (
    "kok.uplus.co.kr",
    "d-img.picnique.co.kr",
    "d1nwcwsdvx7ar2.cloudfront.net",
    "www.hnsmall.com",
    "image.hnsmall.com",
    "www.hmall.com",
    "image.hmall.com",
    "m.nsmall.com",
    "product-image.prod-nsmall.com",
)
"""Hosts of product images that serve https, although pages may link to them with http."""

MAX_URL = 2_000

PriceKind = Literal["amount", "consult", "unknown"]

_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?"
_UNITS = {"억": 10**8, "만": 10**4, "천": 10**3, "백": 100, "k": 10**3, "": 1}
_TERM = re.compile(rf"({_NUMBER})\s*([억만천백k]?)")
_AMOUNT = re.compile(rf"{_NUMBER}\s*[억만천백k]?(?:\s*{_NUMBER}\s*[억만천백k]?)*", re.IGNORECASE)
_WON = re.compile(rf"(?:판매가|₩|\\|KRW)?\s*({_AMOUNT.pattern})\s*(?:원|won|KRW)?\s*(~|〜|∼|부터|이상)?", re.IGNORECASE)
_PLAIN_WON = re.compile(r"\s*([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)\s*원?\s*", re.ASCII)
_NO_PRICE = frozenset(("", "-"))
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_BREAK = re.compile(r"\s*[\r\n\t]\s*")
_CONTROL = re.compile(r"[\r\n\t]")
_ENTITY = re.compile(r"&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);")
_RATE = re.compile(r"(?:최대|~)?\s*([0-9]{1,2}(?:\.[0-9]+)?|100)\s*(?:%|퍼센트)?\s*(?:할인|↓|~)?")


class Price(NamedTuple):
    """A price in won and its kind; ``amount`` is None unless the kind is ``amount``.

    ``remark``: what a report says about a text that is no price, or only the lowest of several.
    """

    amount: int | None
    kind: PriceKind
    remark: str | None = None


class Instants(NamedTuple):
    """Start and end of a show, in UTC."""

    start: datetime
    end: datetime


UNKNOWN = Price(None, "unknown")


def parse_price(value: str | int | None) -> Price:
    """Parse ``59,900``, ``₩59,900원``, ``5만 9,900원`` or a number; ``59,900원~`` is read with a remark.

    ``상담 예약 상품`` is a price on request, 0 or nothing an unknown one, and so is other text, with a remark.
    """
    text = "" if value is None else str(value)
    if plain := _PLAIN_WON.fullmatch(text):  # nearly all are
        amount = int(plain[1].replace(",", ""))
        return Price(amount, "amount") if amount else UNKNOWN
    text = _plain(text)
    if "상담" in text:
        return Price(None, "consult")
    match = _WON.fullmatch(text)
    won = _amount(match[1]) if match else None
    if match is None or won is None:
        return UNKNOWN if text in _NO_PRICE else Price(None, "unknown", f"{text!r} is not a price such as '9,900원'")
    if not won:
        return UNKNOWN
    return Price(won, "amount", f"{text!r} is the lowest of several prices" if match[2] else None)


def parse_rate(text: str | None) -> int:
    """Parse a discount in percent, ``32%`` or ``최대 32 %`` -> 32; blank -> 0."""
    text = _plain(text or "")
    if not text:
        return 0
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a discount rate such as '32%'")
    return round(float(match[1]))


def parse_given_rate(text: str | float | None) -> int | None:
    """Parse the discount that a source gives; None if it gives none, for which some write 0."""
    return parse_rate(None if text is None else str(text)) or None


def parse_id(value: str | int | None) -> int:
    """Parse a product id: digits only, above zero, within 64 bits."""
    text = "" if value is None else str(value).strip()
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is not a product id")
    number = int(text)
    if not 0 < number <= MAX_ID:
        raise ValueError(f"product id {text} is outside 1 … 2^63-1")
    return number


def parse_count(text: str | None) -> int | None:
    """Parse the number in a text such as ``(1,204)``, ``1.2천`` or ``999+``; None if there is none."""
    text = _plain(text or "")
    if not any(letter.isdecimal() for letter in text):
        return None
    match = _AMOUNT.search(text)
    count = match and _amount(match[0])
    if match is None or count is None or re.search("[0-9]", text[: match.start()] + text[match.end() :]):
        raise ValueError(f"{text!r} is not a number of things such as '1,204'")
    return count


def parse_score(text: str | None) -> float | None:
    """Parse a review score of 0 to 5 such as ``4.8``; None if there is none."""
    match = re.search(r"[0-9]+(?:\.[0-9]+)?", _plain(text or ""))
    score = float(match[0]) if match else None
    if score is not None and score > 5:
        raise ValueError(f"{text!r} is not a review score of 0 to 5")
    return score


def parse_day(text: str) -> date:
    """Parse ``20250806`` or ``2025-08-06``."""
    digits = text.strip().replace("-", "")
    if not (len(digits) == 8 and digits.isdigit()):
        raise ValueError(f"{text!r} is not a date such as 20250806")
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))


def parse_clock(text: str) -> timedelta:
    """Parse ``HH:MM`` or ``HH:MM:SS`` into the time since midnight; hours of 24 and more are the next day's."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a time such as 23:50")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    if hours >= 48 or minutes >= 60 or seconds >= 60:
        raise ValueError(f"{text!r} is not a time of a broadcast day")
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def kst_instant(day: date, clock: timedelta) -> datetime:
    """Return the instant ``clock`` after midnight of ``day`` in Korea, in UTC."""
    return (datetime.combine(day, time(), KST) + clock).astimezone(UTC)


def show_instants(day: date, start: str, end: str) -> Instants:
    """Return start and end of a show of ``day``; an end before the start is on the following day."""
    begins, ends = parse_clock(start), parse_clock(end)
    while ends < begins:
        ends += timedelta(days=1)
    if ends == begins:
        raise ValueError(f"'{start} ~ {end}' is not a time range: it ends when it starts")
    return Instants(kst_instant(day, begins), kst_instant(day, ends))


def split_times(text: str) -> tuple[str, str]:
    """Split ``23:50 ~ 01:00`` into ``23:50`` and ``01:00``."""
    start, mark, end = text.partition("~")
    if not mark:
        raise ValueError(f"{text.strip()!r} is not a time range such as '23:50 ~ 01:00'")
    return start.strip(), end.strip()


def split_stamp(text: str) -> tuple[date, timedelta]:
    """Split ``2025-08-06 23:50:00`` or ``20250806 23:50:00`` into the day and the time since its midnight."""
    day, mark, clock = text.strip().partition(" ")
    if not mark:
        raise ValueError(f"{text!r} is not a date and time such as '20250806 23:50:00'")
    return parse_day(day), parse_clock(clock)


def kst_day(instant: datetime) -> date:
    """Return the calendar day of an instant in Korea."""
    return instant.astimezone(KST).date()


def image_url(url: str | None, page: str) -> str | None:
    """Return the absolute URL of an image on ``page``, with https where the host is known to serve it.

    Return None for a blank URL, ``data:``, ``about:blank`` or a malformed URL, and for one longer than ``MAX_URL``,
    which is usually the rest of a page after an unclosed quote.
    """
    text = _CONTROL.sub("", (url or "").strip()).replace(" ", "%20")
    try:
        absolute = f"https:{text}" if text.startswith("//") else urljoin(page, text)
        parts = urlsplit(absolute)
    except ValueError:  # such as an unpaired bracket
        return None
    if not text or parts.scheme not in ("http", "https") or not parts.netloc or len(absolute) > MAX_URL:
        return None
    return parts._replace(scheme="https").geturl() if parts.netloc in HTTPS_HOSTS else absolute


def text_or_none(text: str | None) -> str | None:
    """Return the text without the line breaks and indents of its page; None if nothing of it is visible."""
    stripped = (text or "").strip()
    if stripped.isascii():
        return _BREAK.sub(" ", stripped) or None
    return _BREAK.sub(" ", stripped) if clean(stripped) else None


def _plain(text: str) -> str:
    """Return a text with plain digits and signs for full-width ones, and without invisible characters."""
    return clean(unicodedata.normalize("NFKC", text))


def _amount(text: str) -> int | None:
    """Return the sum of a number such as ``1만 9,900``; None unless its units become smaller and it is whole."""
    terms = [(number.replace(",", ""), _UNITS[unit]) for number, unit in _TERM.findall(text.lower())]
    units = [unit for _, unit in terms]
    if units != sorted(set(units), reverse=True):
        return None
    amount = sum(Decimal(number) * unit for number, unit in terms)
    return int(amount) if amount == int(amount) else None


def unescape_entities(text: str) -> str:
    """Replace HTML entities once: ``&amp;lt;`` -> ``&lt;``. A name without its semicolon, as in ``R&D``, is text."""
    return _ENTITY.sub(lambda entity: unescape(entity[0]), text)


def mask(nickname: str | None) -> str | None:
    """Mask a customer's nickname but for its first letter; even its length is hidden."""
    text = clean(nickname)
    return f"{text[0]}**" if text else None


def parse_share(text: str | None) -> int | None:
    """Parse a share in percent, ``85%`` -> 85; None if there is none."""
    return parse_rate(text) if (text or "").strip() else None


def parse_written_on(text: str | None) -> date | None:
    """Parse the day of a review, ``2025.08.06``; None if there is none."""
    text = (text or "").strip()
    return parse_day(text.rstrip(".").replace(".", "-")) if text else None


def strip_store(name: str, store: str) -> str:
    """Remove the store name that the page puts in front of a product name."""
    return name.removeprefix(store).strip() or name
