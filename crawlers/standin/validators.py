"""HTTP validators of the pages, and the decision whether a conditional request is answered with 304."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b

_SECOND = timedelta(seconds=1)  # the resolution of Last-Modified


class Validators:
    """Tracks the ETag of each requested page, and since when it has it.

    A page requested for the first time counts as unchanged since its catalog is served. A changed page gets a later
    Last-Modified than before even if the clock stands still.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._shown = _to_second(clock())
        self._pages: dict[str, tuple[str, datetime]] = {}

    def catalog_changed(self, clock: Callable[[], datetime]) -> None:
        """Record that another catalog is served from now on, with its ``clock``."""
        self._clock = clock
        self._shown = max(_to_second(clock()), self._shown + _SECOND)

    def of(self, target: str, body: bytes) -> dict[str, str]:
        """Return the headers of a page by path and query."""
        etag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        known, since = self._pages.get(target, (etag, self._shown))
        if known != etag:
            since = max(_to_second(self._clock()), since + _SECOND)
        self._pages[target] = etag, since
        return {"ETag": etag, "Last-Modified": format_datetime(since, usegmt=True)}


def is_current(request: Mapping[str, str], page: Mapping[str, str]) -> bool:
    """Return whether the client has the current page. If-None-Match takes precedence; an invalid date is ignored."""
    tags = request.get("If-None-Match")
    if tags is not None:
        return page["ETag"] in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    date = request.get("If-Modified-Since")
    if date is None:
        return False
    try:
        return parsedate_to_datetime(page["Last-Modified"]) <= parsedate_to_datetime(date)
    except (ValueError, TypeError):  # a time zone of -0000 cannot be compared
        return False


def _to_second(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(microsecond=0)
