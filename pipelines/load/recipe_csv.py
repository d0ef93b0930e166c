"""Reader of the official recipe file (``TB_RECIPE_SEARCH*.csv``): 18 or 19 columns, authors left out.

The files are UTF-8 or CP949. Some hold both, since each year is appended in its own encoding, possibly with its own
header line and byte order mark. Rows are therefore split as bytes, and each is decoded by itself.
"""

import csv
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict

from crawlers.parsing import MAX_ID
from ukok.korea import KST
from ukok.text import clean

MAX_COUNT = 2**31 - 1
MAX_RECORD = 1 << 20
ENCODINGS = ("utf-8", "cp949")
ID, TITLE, INGREDIENTS = "RCP_SNO", "RCP_TTL", "CKG_MTRL_CN"
TEXTS = {
    "dish": "CKG_NM",
    "method": "CKG_MTH_ACTO_NM",
    "occasion": "CKG_STA_ACTO_NM",
    "material_class": "CKG_MTRL_ACTO_NM",
    "kind": "CKG_KND_ACTO_NM",
    "introduction": "CKG_IPDC",
    "servings": "CKG_INBUN_NM",
    "difficulty": "CKG_DODF_NM",
    "cooking_time": "CKG_TIME_NM",
    "image_url": "RCP_IMG_URL",
}
COUNTS = {"view_count": "INQ_CNT", "recommend_count": "RCMM_CNT", "scrap_count": "SRAP_CNT"}
AUTHOR = ("RGTR_ID", "RGTR_NM")
KNOWN = {ID, TITLE, INGREDIENTS, "FIRST_REG_DT", *TEXTS.values(), *COUNTS.values(), *AUTHOR}

_BOM = "\ufeff".encode()
# Characters that are frequent in text decoded with the wrong encoding: replacement and Chinese ones.
_ODD = re.compile("[\ufffd\u4e00-\u9fff\uf900-\ufaff]")
# Bytes of commas, quotes and line breaks never occur inside a multi-byte character of either encoding.
_NEW_ROW = re.compile(rb'(?:\xef\xbb\xbf)?\s*"?\d{5,19}"?\s*,(?:[^,]*,){9}')
_NUMBER = re.compile(r"(\d{1,19})(?:\.0*)?")


class NotARecipeFile(ValueError):
    """The file is not the official recipe file; the message says why and what is expected."""


class Recipe(BaseModel):
    """A row of the file without its author, as stored in the raw zone. ``ingredients`` is the list as written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe_id: int
    title: str
    dish: str | None = None
    method: str | None = None
    occasion: str | None = None
    material_class: str | None = None
    kind: str | None = None
    introduction: str | None = None
    ingredients: str = ""
    servings: str | None = None
    difficulty: str | None = None
    cooking_time: str | None = None
    view_count: int = 0
    recommend_count: int = 0
    scrap_count: int = 0
    image_url: str | None = None
    registered_at: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is not loaded: its first line in the file, the reason, its id and title as far as they are known."""

    line: int
    reason: str
    recipe_id: str
    title: str


class _Record(NamedTuple):
    """``is_sound``: every byte could be decoded; ``is_cut``: longer than ``MAX_RECORD``, its end is left out."""

    line: int
    values: list[str]
    encoding: str
    is_sound: bool
    is_cut: bool


class _Row(NamedTuple):
    """``is_aligned``: the values stand under the columns of the header."""

    record: _Record
    fields: dict[str, str]
    is_aligned: bool


class RecipeFile:
    """A recipe file; iterating it yields a :class:`Recipe` or a :class:`Rejected` for each row.

    Of rows with the same id the last one wins, the others are rejected. ``notes`` counts rows that are not read in
    full, ``encodings`` the rows of each encoding. Raises :class:`NotARecipeFile`, also for a file without a row.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: Counter[str] = Counter()
        self.encodings: Counter[str] = Counter()
        try:
            path.open("rb").close()
        except OSError as error:
            raise NotARecipeFile(f"{path} cannot be read: {error.strerror}") from None

    def __iter__(self) -> Iterator[Recipe | Rejected]:
        last = self._last_lines()
        self.notes.clear()
        self.encodings.clear()
        for row in self._rows():
            self.encodings[row.record.encoding] += 1
            found = _recipe(row)
            if isinstance(found, str):
                yield _rejected(row, found)
            elif last.get(found.recipe_id, row.record.line) != row.record.line:
                yield _rejected(row, "repeats an id")
            else:
                self.notes["rows of another width: only id, title and ingredients kept"] += not row.is_aligned
                self.notes["rows with characters that could not be decoded"] += any(
                    "\ufffd" in value for value in row.fields.values()
                )
                yield found

    def _last_lines(self) -> dict[int, int]:
        """Line of the last row of each id that occurs more than once, among the rows with an id and a title."""
        ids, lines = array("q"), array("q")
        for row in self._rows():
            if _fault(row) is None:
                ids.append(_id(row.fields[ID]) or 0)
                lines.append(row.record.line)
        values, counts = np.unique(np.frombuffer(ids, np.int64), return_counts=True)
        repeated = set(values[counts > 1].tolist())
        return {number: line for number, line in zip(ids, lines, strict=True) if number in repeated}

    def _rows(self) -> Iterator[_Row]:
        columns: list[str] | None = None
        for record in self._records():
            header = _header(record.values)
            if header:
                columns = header
                self.notes["unknown columns"] = len(set(columns) - KNOWN)
            elif columns is None:
                break
            else:
                yield _Row(record, *_by_name(columns, record.values))
        if columns is None:
            raise NotARecipeFile(
                f"{self.path} is no recipe file: its first line names no columns {ID} and {TITLE}. "
                "Expected is the official CSV TB_RECIPE_SEARCH*.csv, in UTF-8 or CP949"
            )

    def _records(self) -> Iterator[_Record]:
        """The records that are not empty."""
        encoding = ENCODINGS[0]
        with self.path.open("rb") as file:
            for line, record in _split_records(file):
                text, encoding, is_sound = _decode(record, encoding)
                values = _split_fields(text)
                if any(value.strip() for value in values):
                    yield _Record(line, values, encoding, is_sound, len(record) > MAX_RECORD)


def _split_records(lines: Iterable[bytes], longest: int = MAX_RECORD) -> Iterator[tuple[int, bytes]]:
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
        quotes += line.count(b'"')
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


def _header(values: Sequence[str]) -> list[str] | None:
    """The columns that a header line names; None for any other line."""
    if not any(ID in value.upper() for value in values):
        return None
    columns = [clean(name).strip('"').upper() for name in values]
    return columns if ID in columns and TITLE in columns else None


def _split_fields(record: str) -> list[str]:
    line = record.rstrip("\r\n").replace("\r", " ")
    try:
        return next(csv.reader([line]), [])
    except csv.Error:  # a field beyond the reader's limit: what stands before it can still be read
        return line.split(",")


def _by_name(columns: list[str], values: list[str]) -> tuple[dict[str, str], bool]:
    """Fields by column name, and whether the values are aligned with the header.

    A row that lacks columns at its end is. In any other row of a wrong width the missing or surplus column is unknown,
    and an author's name may stand under a column that is kept, so only id, title and ingredients are taken.
    """
    fields = dict.fromkeys(columns, "") | dict(zip(columns, values, strict=False))
    if len(values) == len(columns) or fields.get(INGREDIENTS, "").lstrip().startswith("["):
        return fields, True
    ingredients = next((value for value in values[2:] if value.lstrip().startswith("[")), "")
    known = dict.fromkeys(columns, "") | {ID: fields[ID], TITLE: fields[TITLE], INGREDIENTS: ingredients}
    return known, False


def _recipe(row: _Row) -> Recipe | str:
    """The recipe of a row, or the reason why there is none."""
    fields, fault = row.fields, _fault(row)
    if fault:
        return fault
    values: dict[str, Any] = {name: clean(fields.get(column)) or None for name, column in TEXTS.items()}
    values |= {name: _count(fields.get(column, "")) for name, column in COUNTS.items()}
    return Recipe(
        recipe_id=_id(fields[ID]) or 0,
        title=clean(fields[TITLE]),
        ingredients=fields.get(INGREDIENTS, ""),
        registered_at=_registered(fields.get("FIRST_REG_DT", "")),
        **values,
    )


def _fault(row: _Row) -> str | None:
    """Why a row is not loaded; None if it is."""
    if row.record.is_cut:
        return f"longer than {MAX_RECORD >> 20} MiB: a quote may not be closed"
    if _id(row.fields[ID]) is None:
        return "no id"
    if not clean(row.fields[TITLE]):
        return "no title"
    undecoded = not row.record.is_sound and "\ufffd" in row.fields[TITLE]
    return "title is neither UTF-8 nor CP949" if undecoded else None


def _rejected(row: _Row, reason: str) -> Rejected:
    return Rejected(row.record.line, reason, clean(row.fields[ID]), clean(row.fields[TITLE]))


def _id(text: str) -> int | None:
    match = _NUMBER.fullmatch(clean(text))
    number = int(match[1]) if match else 0
    return number if 0 < number <= MAX_ID else None


def _count(text: str) -> int:
    match = _NUMBER.fullmatch(clean(text).replace(",", ""))
    number = int(match[1]) if match else 0
    return number if number <= MAX_COUNT else 0


def _registered(text: str) -> datetime | None:
    try:
        return datetime.strptime(clean(text), "%Y%m%d%H%M%S").replace(tzinfo=KST).astimezone(UTC)
    except (ValueError, OverflowError):  # year 1 has no time in UTC
        return None
