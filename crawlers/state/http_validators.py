"""HTTP validators (ETag and Last-Modified) of a response, and the headers of a conditional request."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the runner, which reads state too, does not import Scrapy
    from scrapy.http import Response


def validators_of(response: "Response") -> tuple[str | None, str | None]:
    """Return ETag and Last-Modified of a response; None for a header that it lacks."""
    return _header(response, "ETag"), _header(response, "Last-Modified")


def conditional_headers(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """Return the headers of a conditional request; none without a validator."""
    headers = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in headers.items() if value is not None}


def _header(response: "Response", name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None
