"""Graded judgements of answers, read from a folder: ``NAME.tsv`` with ``query<TAB>candidate<TAB>grade`` in a line.

``NAME`` is a relation such as ``mall_mall``. A query is the id of an item or what somebody types, a candidate the id of
an item (``kok:ID``, ``SOURCE:ID``, ``recipe:ID``, ``ingredient:NAME``). Grades: 2 right, 1 acceptable, 0 wrong.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CANDIDATE: Final = re.compile(r"(?:ingredient:\S.*|[a-z][a-z0-9_]*:\d+)")
_ITEM: Final = re.compile(r"[a-z][a-z0-9_]*:\d+")
_GRADES: Final = {"0": 0, "1": 1, "2": 2}


class MalformedJudgements(ValueError):
    """Judgements that cannot be read; the message names file and line."""


@dataclass(frozen=True)
class Judgements:
    """Grades of candidates by query.

    ``complete``: a candidate that is not listed is wrong. Otherwise nobody has graded it, and it counts neither way.
    """

    grades: Mapping[str, Mapping[str, int]]
    complete: bool = False

    def grade(self, query: str, item: str) -> int | None:
        """The grade of a candidate; None if nobody has graded it."""
        return self.grades[query].get(item, 0 if self.complete else None)

    def among(self, items: frozenset[str]) -> "Judgements":
        """The judgements of queries and candidates that exist: items of ``items``, texts and ingredients."""
        kept = {
            query: {item: grade for item, grade in known.items() if _exists(item, items)}
            for query, known in self.grades.items()
            if _exists(query, items)
        }
        return Judgements(kept, self.complete)


def _exists(item: str, items: frozenset[str]) -> bool:
    return item in items or not _ITEM.fullmatch(item)


def read_judgements(folder: Path) -> dict[str, Judgements]:
    """Read every ``NAME.tsv`` of a folder; raises :class:`MalformedJudgements` with file and line."""
    if not folder.is_dir():
        raise MalformedJudgements(f"{folder} is no folder: set UKOK_JUDGEMENTS_DIR to one that holds judgements")
    files = sorted(folder.glob("*.tsv"))
    if not files:
        raise MalformedJudgements(f"{folder} holds no NAME.tsv: set UKOK_JUDGEMENTS_DIR to a folder of judgements")
    return {file.stem: _read(file) for file in files}


def merge_judgements(folders: Iterable[Mapping[str, Judgements]]) -> dict[str, Judgements]:
    """The judgements of several folders by name; of a candidate with several grades the first one counts."""
    merged: dict[str, dict[str, dict[str, int]]] = {}
    for folder in folders:
        for name, judgements in folder.items():
            for query, grades in judgements.grades.items():
                known = merged.setdefault(name, {}).setdefault(query, {})
                known.update({item: grade for item, grade in grades.items() if item not in known})
    return {name: Judgements(queries) for name, queries in merged.items()}


def _read(file: Path) -> Judgements:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise MalformedJudgements(f"{file} is not in UTF-8 (byte {error.start}): save it in that encoding") from None
    grades: dict[str, dict[str, int]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        query, candidate, grade = _fields(f"{file}, line {number}", line)
        known = grades.setdefault(query, {}).setdefault(candidate, grade)
        if known != grade:
            raise MalformedJudgements(
                f"{file}, line {number}: {candidate} for {query!r} has two grades, {known} and {grade}"
            )
    return Judgements(grades)


def _fields(place: str, line: str) -> tuple[str, str, int]:
    fields = line.split("\t")
    if len(fields) != 3:
        raise MalformedJudgements(f"{place}: {len(fields)} fields, expected query, candidate and grade between tabs")
    query, candidate, grade = (field.strip() for field in fields)
    if not query:
        raise MalformedJudgements(f"{place}: the query is empty")
    if not _CANDIDATE.fullmatch(candidate):
        raise MalformedJudgements(f"{place}: {candidate!r} is no id such as kok:101, recipe:9001 or ingredient:감자")
    if grade not in _GRADES:
        raise MalformedJudgements(f"{place}: grade {grade!r}, expected 2 (right), 1 (acceptable) or 0 (wrong)")
    return query, candidate, _GRADES[grade]
