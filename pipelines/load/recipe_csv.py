"""Reader of the official recipe file (``TB_RECIPE_SEARCH*.csv``): 18 or 19 columns, authors left out.

Rows are split and decoded by :mod:`~pipelines.load.recipe_records` and brought under the columns of the header by
:mod:`~pipelines.load.recipe_columns`.
"""

import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict

from crawlers.parsing import MAX_ID, unescape_entities
from pipelines.load.recipe_columns import ID, INGREDIENTS, REGISTERED, TITLE, fields_of
from pipelines.load.recipe_records import MAX_RECORD, Record, read_records
from ukok.korea import KST
from ukok.text import clean

MAX_COUNT = 2**31 - 1
UNDECODED = "rows with characters that could not be decoded"
MIN_UNDECODED, MAX_UNDECODED_SHARE = 20, 0.01  # from where on a file is refused: rows, and their share
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
KNOWN = {ID, TITLE, INGREDIENTS, REGISTERED, *TEXTS.values(), *COUNTS.values(), *AUTHOR}

DAMAGED = 1 << 40  # ranks the lines of damaged rows below all others
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
    view_count: int | None = None
    recommend_count: int | None = None
    scrap_count: int | None = None
    image_url: str | None = None
    registered_at: AwareDatetime | None = None

    @property
    def is_damaged(self) -> bool:
        """Whether a character of its texts could not be decoded."""
        return any(isinstance(value, str) and "\ufffd" in value for value in self.model_dump().values())


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is not loaded: its first line in the file, the reason, its id and title as far as they are known."""

    line: int
    reason: str
    recipe_id: str
    title: str


class _Row(NamedTuple):
    """``is_aligned``: the values stand under the columns of the header, or were brought there."""

    record: Record
    fields: dict[str, str]
    is_aligned: bool

    @property
    def is_damaged(self) -> bool:
        """Whether a character of a column that is read could not be decoded, here or before the file was written."""
        return any("\ufffd" in value for name, value in self.fields.items() if name not in AUTHOR)


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
            self.notes[UNDECODED] += row.is_damaged
            found = _recipe(row)
            if isinstance(found, str):
                yield _rejected(row, found)
            elif last.get(found.recipe_id, row.record.line) != row.record.line:
                yield _rejected(row, "repeats an id")
            else:
                self.notes["rows that do not fit the columns, kept in part"] += not row.is_aligned
                yield found
        self._require_few_undecoded()

    def _require_few_undecoded(self) -> None:
        damaged, rows = self.notes[UNDECODED], self.encodings.total()
        if damaged >= MIN_UNDECODED and damaged > MAX_UNDECODED_SHARE * rows:
            raise NotARecipeFile(
                f"{self.path} is damaged: {damaged:,} of {rows:,} rows hold characters that could not be decoded, more "
                f"than {MAX_UNDECODED_SHARE:.0%}. Get the file again; it must be UTF-8 or CP949"
            )

    def _last_lines(self) -> dict[int, int]:
        """Line of the last row of each id that occurs more than once, among the rows with an id and a title.

        A row that could be decoded precedes one that could not.
        """
        ids, ranks = array("q"), array("q")
        for row in self._rows():
            if _fault(row) is None:
                ids.append(_id(row.fields[ID]) or 0)
                ranks.append(row.record.line if not row.is_damaged else row.record.line - DAMAGED)
        values, counts = np.unique(np.frombuffer(ids, np.int64), return_counts=True)
        repeated = set(values[counts > 1].tolist())
        best: dict[int, int] = {}
        for number, rank in zip(ids, ranks, strict=True):
            if number in repeated:
                best[number] = max(rank, best.get(number, rank))
        return {number: rank % DAMAGED for number, rank in best.items()}

    def _rows(self) -> Iterator[_Row]:
        columns: list[str] | None = None
        for record in read_records(self.path):
            header = _header(record.values)
            if header:
                columns = header
                self.notes["unknown columns"] = len(set(columns) - KNOWN)
            elif columns is None:
                break
            else:
                yield _Row(record, *fields_of(columns, record.readings))
        if columns is None:
            raise NotARecipeFile(
                f"{self.path} is no recipe file: its first line names no columns {ID} and {TITLE}. "
                "Expected is the official CSV TB_RECIPE_SEARCH*.csv, in UTF-8 or CP949"
            )


def _header(values: Sequence[str]) -> list[str] | None:
    """The columns that a header line names; None for any other line."""
    if not any(ID in value.upper() for value in values):
        return None
    columns = [clean(name).strip('"').upper() for name in values]
    return columns if ID in columns and TITLE in columns else None


def _recipe(row: _Row) -> Recipe | str:
    """The recipe of a row, or the reason why there is none."""
    fields, fault = row.fields, _fault(row)
    if fault:
        return fault
    values: dict[str, Any] = {name: _text(fields.get(column)) or None for name, column in TEXTS.items()}
    values["servings"] = _servings(values["servings"])
    values |= {name: _count(fields.get(column, "")) for name, column in COUNTS.items()}
    return Recipe(
        recipe_id=_id(fields[ID]) or 0,
        title=_text(fields[TITLE]),
        ingredients=unescape_entities(fields.get(INGREDIENTS, "")),
        registered_at=_registered(fields.get(REGISTERED, "")),
        **values,
    )


def _fault(row: _Row) -> str | None:
    """Why a row is not loaded; None if it is."""
    if row.record.is_cut:
        return f"longer than {MAX_RECORD >> 20} MiB: a quote may not be closed"
    if _id(row.fields[ID]) is None:
        return "no id"
    if not _text(row.fields[TITLE]):
        return "no title"
    undecoded = not row.record.is_sound and "\ufffd" in row.fields[TITLE]
    return "title is neither UTF-8 nor CP949" if undecoded else None


def _rejected(row: _Row, reason: str) -> Rejected:
    return Rejected(row.record.line, reason, clean(row.fields[ID]), clean(row.fields[TITLE]))


def _text(text: str | None) -> str:
    return clean(unescape_entities(text or ""))


def _id(text: str) -> int | None:
    match = _NUMBER.fullmatch(clean(text))
    number = int(match[1]) if match else 0
    return number if 0 < number <= MAX_ID else None


def _count(text: str) -> int | None:
    match = _NUMBER.fullmatch(clean(text).replace(",", ""))
    number = int(match[1]) if match else None
    return number if number is not None and number <= MAX_COUNT else None


def _servings(text: str | None) -> str | None:
    """Servings as written; a lone number is of people."""
    match = _NUMBER.fullmatch(text or "")
    return f"{match[1]}인분" if match else text


def _registered(text: str) -> datetime | None:
    try:
        return datetime.strptime(clean(text), "%Y%m%d%H%M%S").replace(tzinfo=KST).astimezone(UTC)
    except (ValueError, OverflowError):  # year 1 has no time in UTC
        return None
