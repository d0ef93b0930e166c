"""Records of the recipe file: bytes split into rows, each decoded by itself.

The files are UTF-8 or CP949. Some hold both, since each year is appended in its own encoding, possibly with its own
header line and byte order mark.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

MAX_RECORD = 1 << 20
ENCODINGS = ("utf-8", "cp949")

_BOM = "\ufeff".encode()
# Characters that are frequent in text decoded with the wrong encoding: replacement and Chinese ones.
_ODD = re.compile("[\ufffd\u4e00-\u9fff\uf900-\ufaff]")
# Bytes of commas, quotes and line breaks never occur inside a multi-byte character of either encoding.
_NEW_ROW = re.compile(rb'(?:\xef\xbb\xbf)?\s*"?\d{5,19}"?\s*,(?:[^,]*,){9}')
# A quote that is not escaped by a backslash; one at the end of a field closes it all the same.
_QUOTE = re.compile(rb'(?<!\\)"|\\"(?=\s*(?:,|$))')


class Record(NamedTuple):
    """A row as text. ``readings``: its values; two, the more likely first, if a backslash may escape a quote.

    ``is_sound``: every byte could be decoded; ``is_cut``: longer than ``MAX_RECORD``, its end is left out.
    """

    line: int
    readings: list[list[str]]
    encoding: str
    is_sound: bool
    is_cut: bool

    @property
    def values(self) -> list[str]:
        """The values of the more likely reading."""
        return self.readings[0]


def read_records(path: Path) -> Iterator[Record]:
    """Read the records that are not empty."""
    encoding = ENCODINGS[0]
    with path.open("rb") as file:
        for line, record in split_records(file):
            text, encoding, is_sound = _decode(record, encoding)
            readings = _readings(text)
            if any(value.strip() for value in readings[0]):
                yield Record(line, readings, encoding, is_sound, len(record) > MAX_RECORD)


def split_records(lines: Iterable[bytes], longest: int = MAX_RECORD) -> Iterator[tuple[int, bytes]]:
    """Split a file into records, each with the number of its first line.

    A line break inside quotes belongs to the record. A line that begins like a row starts a new one even inside quotes,
    so that a quote that is never closed does not absorb the rest of the file. Of a record of more than ``longest``
    bytes the lines after the first one that exceeds them are left out.
    """
    first, size, quotes = 0, 0, 0
    record: list[bytes] = []
    for number, line in enumerate(lines, 1):
        if record and _NEW_ROW.match(line):
            yield first, b"".join(record)
            record, size, quotes = [], 0, 0
        first = first if record else number
        if size <= longest:
            record.append(line)
            size += len(line)
        quotes += len(_QUOTE.findall(line))
        if quotes % 2 == 0:
            yield first, b"".join(record)
            record, size, quotes = [], 0, 0
    if record:
        yield first, b"".join(record)


def _decode(record: bytes, previous: str) -> tuple[str, str, bool]:
    """Decode a record; return its text, its encoding, and whether every byte could be decoded.

    Valid UTF-8 with a three-byte character is UTF-8. Two-byte ones may be CP949 (치 is C4 A1): where both encodings do
    equally well, ``previous``, the encoding of the record before, decides.
    """
    record = record.removeprefix(_BOM)
    utf_8 = _decode_strictly(record, "utf-8")
    if utf_8 is not None and max(utf_8, default="") >= "\u0800":
        return utf_8, "utf-8", True
    order = sorted(ENCODINGS, key=lambda encoding: encoding != previous)
    readings = {encoding: record.decode(encoding, errors="replace") for encoding in order}
    encoding = min(order, key=lambda encoding: len(_ODD.findall(readings[encoding])))
    return readings[encoding], encoding, _decode_strictly(record, encoding) is not None


def _decode_strictly(record: bytes, encoding: str) -> str | None:
    try:
        return record.decode(encoding)
    except UnicodeDecodeError:
        return None


def _readings(record: str) -> list[list[str]]:
    line = record.rstrip("\r\n").replace("\r", " ")
    plain = _split_fields(line, None)
    if '\\"' not in line:
        return [plain]
    escaped = _split_fields(line, "\\")
    return [plain, escaped] if _is_strict(line) else [escaped, plain]


def _is_strict(line: str) -> bool:
    """Whether each quote in quotes is doubled."""
    try:
        next(csv.reader([line], strict=True), [])
    except csv.Error:
        return False
    return True


def _split_fields(line: str, escape: str | None) -> list[str]:
    try:
        return next(csv.reader([line], escapechar=escape), [])
    except csv.Error:  # a field beyond the reader's limit: what stands before it can still be read
        return line.split(",")
