"""Pages of lists, counted from 1."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Query

T = TypeVar("T")

Page = Annotated[int, Query(ge=1, le=1_000_000, description="Counted from 1; past the end it is empty", examples=[1])]
Size = Annotated[int, Query(ge=1, le=100, description="Rows of a page", examples=[20])]


def page_of(rows: Sequence[T], page: int, size: int) -> Sequence[T]:
    """Return one page of ``rows``, empty past their end."""
    return rows[page_slice(page, size)]


def page_slice(page: int, size: int) -> slice:
    """Return the slice of a page."""
    return slice((page - 1) * size, page * size)
