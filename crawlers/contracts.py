"""What a page must hold to count as read, and what an item should hold to pass without a remark."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError
from scrapy.http import Response, TextResponse

from crawlers.items import Item, KokPrice, KokProduct, Show

# Fields that the sources normally fill: an item without one is kept, and counted as a fault.
EXPECTED: dict[type[Item], tuple[str, ...]] = {
    KokPrice: ("price",),
    KokProduct: ("thumbnail_url",),
    Show: ("price", "thumbnail_url"),
}


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


def missing(item: Item) -> list[str]:
    """Fields that the item lacks although its source normally fills them; a price on request is not missing."""
    consult = getattr(item, "price_kind", None) == "consult"
    return [name for name in EXPECTED[type(item)] if getattr(item, name) is None and not (name == "price" and consult)]


def _content_type(response: Response) -> str:
    return (response.headers.get("Content-Type") or b"of unknown type").decode("latin-1")
