"""JSON of items that many answers share, encoded once and spliced into each answer.

The fragments of a catalog are cached in a dictionary of that catalog and are dropped with it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import orjson
from pydantic import BaseModel

T = TypeVar("T")

# By the kind of the fragment and the id of the item.
Fragments = dict[tuple[str, int], bytes]


def fragment(fragments: Fragments, kind: str, number: int, present: Callable[[T], BaseModel], item: T) -> bytes:
    """Return the JSON of ``present(item)``, encoded unless it is cached."""
    found = fragments.get((kind, number))
    if found is None:
        found = fragments[(kind, number)] = present(item).model_dump_json().encode()
    return found


def listed(rows: Iterable[bytes]) -> bytes:
    """Return a JSON array of encoded objects."""
    return orjson.dumps([orjson.Fragment(row) for row in rows])


def extended(row: bytes, fields: Mapping[str, object]) -> bytes:
    """Return an encoded object with more fields; neither may be empty.

    Spliced by hand, since :class:`orjson.Fragment` stands for a whole value.
    """
    return row[:-1] + b"," + orjson.dumps(fields)[1:]
