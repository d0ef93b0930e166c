"""ETag and Last-Modified: what an answer says of its own age, and how to ask whether it still is as it was."""

from scrapy.http import Response


def validators_of(response: Response) -> tuple[str | None, str | None]:
    """ETag and Last-Modified of an answer; None for what the host does not name."""
    return _header(response, "ETag"), _header(response, "Last-Modified")


def conditional_headers(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """Headers of a conditional request; none where the host never named an age."""
    named = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in named.items() if value is not None}


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None
