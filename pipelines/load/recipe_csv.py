"""The official recipe file (``TB_RECIPE_SEARCH*.csv``): UTF-8 or CP949, 18 or 19 columns, authors left out."""

import csv
import re
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict

from crawlers.parsing import KST, MAX_ID
from recommender.text.cleaning import clean

MAX_COUNT = 2**31 - 1
ENCODINGS = ("utf-8-sig", "cp949")
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

_NEW_ROW = re.compile(r'\s*"?\d{5,19}"?\s*,(?:[^,]*,){9}')
_NUMBER = re.compile(r"(\d+)(?:\.0*)?")


class NotARecipeFile(ValueError):
    """The file cannot be read as the official recipe file; the message says why and what is expected."""


class Recipe(BaseModel):
    """A row of the file without its author: the item of the raw zone. ``ingredients`` is the list as written."""

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
    """A row that does not land: its first line in the file, the reason, and what it says of id and title."""

    line: int
    reason: str
    recipe_id: str
    title: str


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    fields: dict[str, str]
    aligned: bool


class RecipeFile:
    """One file: iterate it for a :class:`Recipe` or a :class:`Rejected` a row.

    Of rows that repeat an id the last wins, the others are rejected. ``notes`` counts what was read with a doubt.
    Raises :class:`NotARecipeFile`, also for a file without a row.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.encoding = _encoding(path)
        self.notes: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Recipe | Rejected]:
        last = self._last_lines()
        self.notes.clear()
        for row in self._rows():
            found = _recipe(row.fields)
            if isinstance(found, str):
                yield _rejected(row, found)
            elif last.get(found.recipe_id, row.line) != row.line:
                yield _rejected(row, "repeats an id")
            else:
                self.notes["rows of another width: only id, title and ingredients kept"] += not row.aligned
                self.notes["rows with characters that could not be decoded"] += any(
                    "\ufffd" in value for value in row.fields.values()
                )
                yield found

    def _last_lines(self) -> dict[int, int]:
        """Line of the last row of each id that occurs more than once."""
        ids, lines = array("q"), array("q")
        for row in self._rows():
            number = _id(row.fields[ID])
            if number is not None and clean(row.fields[TITLE]):
                ids.append(number)
                lines.append(row.line)
        values, counts = np.unique(np.frombuffer(ids, np.int64), return_counts=True)
        repeated = set(values[counts > 1].tolist())
        return {number: line for number, line in zip(ids, lines, strict=True) if number in repeated}

    def _rows(self) -> Iterator[_Row]:
        records = self._records()
        _, header = next(records, (0, []))
        columns = [clean(name).strip('"').upper() for name in header]
        if ID not in columns or TITLE not in columns:
            raise NotARecipeFile(
                f"{self.path} is no recipe file: its first line names no columns {ID} and {TITLE}. "
                "Expected is the official CSV TB_RECIPE_SEARCH*.csv, in UTF-8 or CP949"
            )
        self.notes["unknown columns"] = len(set(columns) - KNOWN)
        for line, values in records:
            fields, aligned = _by_name(columns, values)
            yield _Row(line, fields, aligned)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        with self.path.open(encoding=self.encoding, errors="replace", newline="\n") as file:
            for line, record in _split_records(file):
                values = _split_fields(record)
                if any(value.strip() for value in values):
                    yield line, values


def _split_records(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    """Cut a file into records, each with the number of its first line.

    A line break inside quotes belongs to the record, but a quote that is never closed must not swallow the rows after
    it: a line that begins like a row starts a new record.
    """
    first, record = 0, ""
    for number, line in enumerate(lines, 1):
        if record and _NEW_ROW.match(line):
            yield first, record
            record = ""
        first = first if record else number
        record += line
        if record.count('"') % 2 == 0:
            yield first, record
            record = ""
    if record:
        yield first, record


def _split_fields(record: str) -> list[str]:
    line = record.rstrip("\r\n").replace("\r", " ")
    try:
        return next(csv.reader([line]), [])
    except csv.Error:  # a field beyond the reader's limit: what stands before it can still be read
        return line.split(",")


def _by_name(columns: list[str], values: list[str]) -> tuple[dict[str, str], bool]:
    """Fields by column name, and whether the row can be trusted to follow the header.

    A row that lacks columns at its end does. In any other row of a wrong width it cannot be told which column is
    missing or too many, and an author's name may stand under a column that is kept: only what is certain is taken.
    """
    fields = dict.fromkeys(columns, "") | dict(zip(columns, values, strict=False))
    if len(values) == len(columns) or fields.get(INGREDIENTS, "").lstrip().startswith("["):
        return fields, True
    ingredients = next((value for value in values[2:] if value.lstrip().startswith("[")), "")
    known = dict.fromkeys(columns, "") | {ID: fields[ID], TITLE: fields[TITLE], INGREDIENTS: ingredients}
    return known, False


def _recipe(fields: dict[str, str]) -> Recipe | str:
    """The recipe of a row, or the reason why there is none."""
    number, title = _id(fields[ID]), clean(fields[TITLE])
    if number is None:
        return "no id"
    if not title:
        return "no title"
    values: dict[str, Any] = {name: clean(fields.get(column)) or None for name, column in TEXTS.items()}
    values |= {name: _count(fields.get(column, "")) for name, column in COUNTS.items()}
    return Recipe(
        recipe_id=number,
        title=title,
        ingredients=fields.get(INGREDIENTS, ""),
        registered_at=_registered(fields.get("FIRST_REG_DT", "")),
        **values,
    )


def _rejected(row: _Row, reason: str) -> Rejected:
    return Rejected(row.line, reason, clean(row.fields[ID]), clean(row.fields[TITLE]))


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
    except ValueError:
        return None


def _encoding(path: Path) -> str:
    """The encoding that leaves fewer characters undecoded; a damaged byte does not turn a file into the other."""
    return min(ENCODINGS, key=lambda encoding: _undecoded(path, encoding))


def _undecoded(path: Path, encoding: str) -> int:
    try:
        with path.open(encoding=encoding, errors="replace") as file:
            return sum(line.count("\ufffd") for line in file)
    except OSError as error:
        raise NotARecipeFile(f"{path} cannot be read: {error.strerror}") from None
