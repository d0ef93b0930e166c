"""CSV files of labels: UTF-8, one label a line, ingredients separated by ``|``."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from pipelines.labels.label import SEPARATOR, InvalidLabel, ProductLabel, State, parse_label
from recommender.product_ref import ProductRef

REQUIRED: Final = ("source", "product_id", "title", "kind")
COLUMNS: Final = (*REQUIRED, "ingredients", "shows_recipes", "labelled_by", "labelled_at", "note")
# Written for people, and not read: whether the label applies.
STATE: Final = "state"


class NotALabelFile(ValueError):
    """The file holds no labels; the message says why and what is expected."""


class RejectedLine(NamedTuple):
    """A line that is not imported; ``reason`` is countable, ``detail`` says what is wrong."""

    line: int
    fields: Mapping[str, str]
    reason: str
    detail: str


def read_labels_file(path: Path, labelled_by: str, now: datetime) -> Iterator[ProductLabel | RejectedLine]:
    """Read a file; a line without a name or time was labelled by ``labelled_by`` at ``now``.

    Of lines about the same product the first one counts. Raises :class:`NotALabelFile`.
    """
    seen: set[ProductRef] = set()
    for row in _lines(path):
        if isinstance(row, RejectedLine):
            yield row
            continue
        line, fields = row
        given = {name: value for name, value in fields.items() if name in COLUMNS and value.strip()}
        ingredients = [part for part in fields.get("ingredients", "").split(SEPARATOR) if part.strip()]
        try:
            label = parse_label({"labelled_by": labelled_by, "labelled_at": now} | given | {"ingredients": ingredients})
        except InvalidLabel as error:
            yield RejectedLine(line, fields, "invalid label", f"line {line}: {error}")
            continue
        if label.ref in seen:
            yield RejectedLine(line, fields, "repeats a product", f"line {line}: {label.source}:{label.product_id}")
        else:
            seen.add(label.ref)
            yield label


def write_labels_file(file: TextIO, labels: Iterable[tuple[ProductLabel, State]]) -> int:
    """Write labels, each with its state, as :func:`read_labels_file` reads them; return how many there are."""
    writer = csv.DictWriter(file, [*COLUMNS, STATE], lineterminator="\n")
    writer.writeheader()
    count = 0
    for label, state in labels:
        row = label.model_dump(mode="json") | {"ingredients": SEPARATOR.join(label.ingredients), STATE: state}
        writer.writerow(row)
        count += 1
    return count


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]] | RejectedLine]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotALabelFile(f"{path} is not UTF-8 (byte {error.start:,}): save it as CSV in UTF-8") from None
    reader = csv.DictReader(StringIO(text, newline=""), restval="")
    try:
        names = reader.fieldnames or ()
    except csv.Error as error:
        raise NotALabelFile(f"{path}, line 1: {error}: it must name at least {', '.join(REQUIRED)}") from None
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise NotALabelFile(
            f"{path} lacks the columns {', '.join(missing)}: its first line must name at least {', '.join(REQUIRED)}"
        )
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:  # a field beyond the reader's limit
            yield RejectedLine(reader.reader.line_num, {}, "unreadable line", f"line {reader.reader.line_num}: {error}")
            continue
        if row is None:
            return
        fields = {name: row[name] for name in COLUMNS if name in row}
        if bad := [name for name, value in fields.items() if "\0" in value]:
            kept = {name: value.replace("\0", "\ufffd") for name, value in fields.items()}
            detail = f"line {reader.reader.line_num}: {', '.join(bad)}: holds the character NUL"
            yield RejectedLine(reader.reader.line_num, kept, "unreadable line", detail)
            continue
        yield reader.reader.line_num, fields
