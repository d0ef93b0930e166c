"""Charset of a response: read it right where that can be proven, and recognise text that was read wrong.

Korean pages are UTF-8 or CP949 (a superset of EUC-KR), and headers are wrong now and then. Three bytes of a Hangul
syllable in UTF-8 are almost never valid CP949 and the reverse, so the bytes themselves prove which of the two they are.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator

UTF_8 = "utf-8"
CP949 = "cp949"
REPAIRED = "read as "  # begins the flag of a response that was read in another charset than it declares
UNREADABLE = "no charset reads the text without losing characters"
MIN_SHARE_OF_HANGUL = 0.8  # of the letters beyond ASCII, in text that counts as read right
MIN_SHARE_OF_BYTES = 0.6  # of the bytes of a Hanja text that are Hangul in UTF-8, for a text that was read wrong

_BEYOND_ASCII = re.compile("[^\x00-\x7f]+")
_HANGUL = re.compile("[가-힣]")
# UTF-8 read as Latin-1 or CP1252: the first byte of a Hangul syllable, then two bytes of which no title consists.
_AS_LATIN = re.compile(
    "[\u00ea-\u00ed][\u0080-\u00bf\u0152-\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]{2}"
)
_LATIN_RUN = re.compile("[\u00a1-\u00fe]{4,}")
_HANJA = re.compile("[\u4e00-\u9fff\uf900-\ufaff]")
_HANGUL_BYTES = re.compile(rb"[\xea-\xed][\x80-\xbf][\x80-\xbf]")


def proven_charset(body: bytes, declared: str | None) -> str | None:
    """Return the charset in which a body can be read: the declared one, or the one that its bytes prove.

    None if it can be read in neither without losing characters. A guess of any other charset is no proof.
    """
    if body.isascii():
        return declared or UTF_8
    unicode, korean = _decoded(body, UTF_8), None
    if unicode is not None and (declared is None or _is_utf_8(declared) or _HANGUL.search(unicode)):
        return UTF_8
    if unicode is None:
        korean = _decoded(body, CP949)
    if korean is not None and _is_mostly_hangul(korean):
        return CP949
    if declared is not None and _decoded(body, declared) is not None:
        return declared
    return UTF_8 if unicode is not None else None


def garbled(text: str) -> str | None:
    """Return why a text cannot be what its author wrote, such as ``ê¹€ì¹˜`` for 김치; None if it can."""
    if text.isascii():
        return None
    if "\ufffd" in text:
        return f"{text!r} has lost characters (U+FFFD)"
    if _AS_LATIN.search(text):
        return f"{text!r} is UTF-8 that was read as Latin-1"
    if any(map(_is_korean_read_as_latin, _LATIN_RUN.findall(text))):
        return f"{text!r} is CP949 that was read as Latin-1"
    if _HANJA.search(text) and any(map(_is_utf_8_read_as_korean, _BEYOND_ASCII.findall(text))):
        return f"{text!r} is UTF-8 that was read as CP949"
    return None


def _decoded(body: bytes, charset: str) -> str | None:
    """Decode a body, or all but its last letter if it is cut within it; None if that is not possible."""
    try:
        return getincrementaldecoder(charset)().decode(body)
    except (UnicodeDecodeError, LookupError):
        return None


def _is_utf_8(charset: str) -> bool:
    return charset.lower().replace("_", "-") in {"utf-8", "utf8", "utf-8-sig"}


def _is_mostly_hangul(text: str) -> bool:
    """Return whether the letters beyond ASCII are mostly Hangul in use: syllables that EUC-KR has."""
    letters = [letter for letter in _letters(text) if letter.isalpha()]
    hangul = sum(_HANGUL.match(letter) is not None and _is_common(letter) for letter in letters)
    return bool(letters) and hangul >= MIN_SHARE_OF_HANGUL * len(letters)


def _letters(text: str) -> Iterator[str]:
    return (letter for run in _BEYOND_ASCII.findall(text) for letter in run)


def _is_common(syllable: str) -> bool:
    try:
        return bool(syllable.encode("euc-kr"))
    except UnicodeEncodeError:
        return False


def _is_korean_read_as_latin(run: str) -> bool:
    korean = _decoded(run.encode("latin-1"), "euc-kr")
    return korean is not None and all(map(_HANGUL.match, korean))


def _is_utf_8_read_as_korean(run: str) -> bool:
    """Return whether the bytes of a run in CP949 are Hangul in UTF-8; what CP949 lacks was lost on the way."""
    body = run.encode(CP949, "ignore")
    found = _HANGUL_BYTES.findall(body)
    return len(found) >= 2 and 3 * len(found) >= MIN_SHARE_OF_BYTES * len(body)
