"""ETag and Last-Modified of the pages, and whether a conditional request needs no body."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b

_SECOND = timedelta(seconds=1)  # the finest that a Last-Modified can tell apart


class Validators:
    """Remembers of each page that was asked for what it was like, and since when.

    A page asked for the first time counts as being as it is since its catalog is shown. A page that has become another
    gets a later Last-Modified than before even where the clock stands still.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._shown = _whole(clock())
        self._pages: dict[str, tuple[str, datetime]] = {}

    def catalog_changed(self, clock: Callable[[], datetime]) -> None:
        """Another catalog is shown from now on; ``clock`` is its clock."""
        self._clock = clock
        self._shown = max(_whole(clock()), self._shown + _SECOND)

    def of(self, target: str, body: bytes) -> dict[str, str]:
        """The headers of a page, by the path and query that it was asked for with."""
        etag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        known, since = self._pages.get(target, (etag, self._shown))
        if known != etag:
            since = max(_whole(self._clock()), since + _SECOND)
        self._pages[target] = etag, since
        return {"ETag": etag, "Last-Modified": format_datetime(since, usegmt=True)}


def is_current(request: Mapping[str, str], page: Mapping[str, str]) -> bool:
    """Whether the asker has the page already; an If-None-Match decides alone, an unreadable date counts for nothing."""
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


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
