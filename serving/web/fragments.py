"""JSON of things that many answers share, encoded once and put together.

What is made of a catalog is kept in a dictionary of that catalog and goes with it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import orjson
from pydantic import BaseModel

T = TypeVar("T")

# By the kind of the fragment and the id of what it shows.
Fragments = dict[tuple[str, int], bytes]


def fragment(kept: Fragments, kind: str, number: int, make: Callable[[T], BaseModel], thing: T) -> bytes:
    """The JSON of what ``make`` says of a thing, unless it is kept."""
    found = kept.get((kind, number))
    if found is None:
        found = kept[(kind, number)] = make(thing).model_dump_json().encode()
    return found


def listed(rows: Iterable[bytes]) -> bytes:
    """A JSON array of objects."""
    return b"[" + b",".join(rows) + b"]"


def extended(row: bytes, fields: Mapping[str, object]) -> bytes:
    """A JSON object with more fields; neither may be empty."""
    return row[:-1] + b"," + orjson.dumps(fields)[1:]
