"""Pages of lists, counted from 1."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Query

T = TypeVar("T")

Page = Annotated[int, Query(ge=1, le=1_000_000)]
Size = Annotated[int, Query(ge=1, le=100)]


def page_of(rows: Sequence[T], page: int, size: int) -> Sequence[T]:
    """One page of ``rows``, empty past their end."""
    return rows[page_slice(page, size)]


def page_slice(page: int, size: int) -> slice:
    """Where a page lies in the whole."""
    return slice((page - 1) * size, page * size)
