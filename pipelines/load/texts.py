"""Fit texts into the columns that store them, and count those that are cut."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import String, Table, Text

from recommender.text.cleaning import LONGEST_TEXT, fit


def fit_row(table: Table, row: Mapping[str, Any], cut: Counter[str]) -> dict[str, Any]:
    """Return a row with its texts cut to the length of their columns; ``cut`` counts those that lose letters."""
    fitted = dict(row)
    for name, value in row.items():
        if isinstance(value, str) and (length := _length(table, name)) is not None:
            fitted[name] = fit(value, length)
            if len(fit(value, None)) > length:
                cut[f"{table}.{name}"] += 1
    return fitted


def _length(table: Table, name: str) -> int | None:
    kind = table.c[name].type
    if isinstance(kind, Text):
        return LONGEST_TEXT
    return kind.length if isinstance(kind, String) else None
