"""Data contracts: what a spider declares about each dataset of its source, and the checks of a single page.

:mod:`crawlers.quality.contract_check` checks the contracts while the crawl runs. The result goes into the run report,
and a run that violates its contract is not loaded. Spidermon is not used: its monitors check the stats of one crawl
inside Scrapy and notify people, while here another process must hold a run back, days later too and with the page at
hand.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from scrapy.http import Response, TextResponse


@dataclass(frozen=True)
class FieldRule:
    """Rule for the values of one field.

    ``fill``: smallest share of the items that have a value; 1 is a required field, 0 an optional one. A price on
    request counts as a value, a 0 does not. A value that could not be read is missing too, unless it is on a page of
    its own (``own_page``), whose loss is counted as such. ``minimum`` and ``maximum``: range of the values.
    ``one_of``: set of all values; each must occur. ``past``: a date that is not later than the crawl.
    """

    fill: float = 0.0
    minimum: float | timedelta | None = None
    maximum: float | timedelta | None = None
    one_of: frozenset[int | str] = frozenset()
    past: bool = False
    own_page: bool = False


@dataclass(frozen=True)
class Contract:
    """Contract of one dataset.

    ``product_id``: name of the field that holds it. ``fields``: rules by field name; a dot leads into a part, or into
    each of several parts, such as ``reviews.score``. ``min_items``: smallest number of items. ``max_unreadable``:
    largest share of rows that may fail to become an item.
    """

    product_id: str
    fields: Mapping[str, FieldRule]
    min_items: int = 0
    max_unreadable: float = 0.05

    def __or__(self, fields: Mapping[str, FieldRule]) -> "Contract":
        """Return the contract with some field rules added or replaced."""
        return Contract(self.product_id, {**self.fields, **fields}, self.min_items, self.max_unreadable)


class BrokenPage(ValueError):
    """A page lacks what every such page has, so neither it nor a page that follows it is read in full."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


class BadRow(ValueError):
    """A row of a page cannot become an item; ``field`` is the field that prevents it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


class reading:  # noqa: N801 (used like a function; a generator would cost three times as much for each row)
    """Turn a parsing error in the block into a :class:`BadRow` of ``field``, unless it names a field already."""

    def __init__(self, field: str) -> None:
        self._field = field

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False)[0]
            raise BadRow(".".join(map(str, first["loc"])) or self._field, first["msg"]) from error
        if isinstance(error, ValueError) and not isinstance(error, BadRow):
            raise BadRow(self._field, str(error)) from error


def whole_html(response: Response) -> TextResponse:
    """Return the response as an HTML page. Raise :class:`BrokenPage` if it is not HTML or is cut short."""
    if not isinstance(response, TextResponse):
        raise BrokenPage("page", f"the response is not HTML but {_content_type(response)}")
    if b"</html>" not in response.body[-1024:].lower():
        raise BrokenPage("page", f"truncated HTML: no </html> at the end of {len(response.body)} bytes")
    return response


def json_rows(response: Response, *path: str) -> list[Any]:
    """Return the list at a path of keys in a JSON response. Raise :class:`BrokenPage` if there is none."""
    try:
        value: Any = json.loads(response.text if isinstance(response, TextResponse) else response.body)
    except ValueError as error:
        raise BrokenPage("page", f"truncated or no JSON ({_content_type(response)}): {error}") from error
    for depth, key in enumerate(path, start=1):
        if not isinstance(value, dict) or key not in value:
            raise BrokenPage("page", f"the JSON lacks {'.'.join(path[:depth])}")
        value = value[key]
    if not isinstance(value, list):
        raise BrokenPage("page", f"{'.'.join(path)} is {type(value).__name__}, not a list")
    return value


def _content_type(response: Response) -> str:
    return (response.headers.get("Content-Type") or b"of unknown type").decode("latin-1")
