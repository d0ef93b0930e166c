"""What a source owes us: the contract of each of its datasets, and what a page must hold to count as read.

A spider declares a contract for each dataset. `contract_check` checks it while the crawl runs, in memory that
does not grow with the catalog; the verdict goes into the run's report, where a load finds it. Spidermon was looked at:
its monitors judge the stats of one crawl inside Scrapy and then notify people, whereas here another process must hold a
file back, days later too and with the page at hand, so all that it could do for us is the counting.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from scrapy.http import Response, TextResponse


@dataclass(frozen=True)
class Owed:
    """What is owed in one field.

    ``fill``: smallest share of the items that have a value; 1 is a required field, 0 one that a source may always lack.
    A price on request counts as a value, a 0 as none. ``least`` and ``most``: the range of its values. ``one_of``: all
    the values there are; each must turn up. ``past``: a date that is not later than the crawl.
    """

    fill: float = 0.0
    least: float | timedelta | None = None
    most: float | timedelta | None = None
    one_of: frozenset[int | str] = frozenset()
    past: bool = False


@dataclass(frozen=True)
class Contract:
    """What a source owes in one dataset.

    ``product_id``: the field that holds it. ``fields``: by name; a dot leads into a part, or into each of several
    parts, such as ``reviews.score``. ``items``: the smallest number of them. ``unreadable``: the largest share of rows
    that may fail to become an item.
    """

    product_id: str
    fields: Mapping[str, Owed]
    items: int = 0
    unreadable: float = 0.05

    def __or__(self, fields: Mapping[str, Owed]) -> "Contract":
        """The same contract with some fields added or owed otherwise."""
        return Contract(self.product_id, {**self.fields, **fields}, self.items, self.unreadable)


class BrokenPage(ValueError):
    """A page that does not hold what it must; nothing on it, or after it, can be taken for the full truth."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


class BadRow(ValueError):
    """A row of a page that cannot become an item, and the field that stands in the way."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


@contextmanager
def reading(field: str) -> Iterator[None]:
    """Name the field whose text could not be parsed, unless that is done already."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadRow(".".join(map(str, first["loc"])) or field, first["msg"]) from error
    except BadRow:
        raise
    except ValueError as error:
        raise BadRow(field, str(error)) from error


def whole_html(response: Response) -> TextResponse:
    """An HTML page that was received to its end."""
    if not isinstance(response, TextResponse):
        raise BrokenPage("page", f"the answer is not HTML but {_content_type(response)}")
    if b"</html>" not in response.body[-1024:].lower():
        raise BrokenPage("page", f"truncated HTML: no </html> at the end of {len(response.body)} bytes")
    return response


def json_rows(response: Response, *path: str) -> list[Any]:
    """The list at a path of keys in a JSON answer."""
    try:
        value: Any = json.loads(response.body)
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
