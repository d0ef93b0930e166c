"""Serve a living world as of a clock that a control route or a header sets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from crawlers.settings import CrawlSettings
from crawlers.standin.catalog import Catalog
from crawlers.standin.faults import Faults
from crawlers.standin.living.content import LivingContent
from crawlers.standin.living.world import World
from crawlers.standin.pages import Pages
from crawlers.standin.server import Site, base_urls, crawl_settings, served_from_a_thread

CLOCK = "/clock"
HEADER = "X-Clock"


class Clock:
    """The clock of a stand-in: the real one until it is set, then it stands still."""

    def __init__(self, instant: datetime | None = None) -> None:
        self._instant = instant

    def set(self, instant: datetime) -> None:
        """Stop the clock at an instant."""
        self._instant = instant

    def now(self) -> datetime:
        """Return the instant that the clock shows."""
        return self._instant or datetime.now(UTC).replace(second=0, microsecond=0)


class LivingSite(Site):
    """Serves what the sources show of a world when the clock shows an instant.

    ``PUT /clock`` with an ISO instant sets the clock, ``GET /clock`` returns it. A request with the header ``X-Clock``
    is answered as of that instant.
    """

    def __init__(self, world: World, clock: Clock, faults: Faults | None = None) -> None:
        super().__init__(Catalog((), ()), clock.now, faults)
        self._world = world
        self._own_clock = clock
        self._pages_at = lru_cache(maxsize=4)(self._new_pages)

    def pages_for(self, request: Request) -> Pages:
        header = request.headers.get(HEADER)
        return self._pages_at(_instant(header) if header else self._own_clock.now())

    def app(self) -> Starlette:
        app = super().app()
        app.routes.insert(0, Route(CLOCK, self._control, methods=["GET", "PUT"]))
        return app

    async def _control(self, request: Request) -> Response:
        if request.method == "PUT":
            self._own_clock.set(_instant((await request.body()).decode()))
        return PlainTextResponse(self._own_clock.now().isoformat())

    def _new_pages(self, instant: datetime) -> Pages:
        return Pages(LivingContent(self._world, instant), lambda: instant)


@dataclass(frozen=True, slots=True)
class LivingStandin:
    """A running living stand-in: URL, settings of a crawl of it, its clock, and the faults that it injects."""

    url: str
    settings: CrawlSettings
    clock: Clock
    faults: Faults

    @property
    def env(self) -> dict[str, str]:
        """The settings as environment variables: no pauses, and hardly any wait for a host that is away."""
        return base_urls(self.url) | {"UKOK_CRAWL_DELAY_SECONDS": "0", "UKOK_CRAWL_OUTAGE_SECONDS": "2"}


@contextmanager
def running_living_standin(world: World, now: datetime) -> Iterator[LivingStandin]:
    """Serve a world on a free loopback port from a thread, as of ``now`` until the clock is set anew."""
    clock, faults = Clock(now), Faults()
    with served_from_a_thread(LivingSite(world, clock, faults)) as url:
        yield LivingStandin(url, crawl_settings(url), clock, faults)


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise HTTPException(400, f"{text!r} is not an instant such as 2025-08-06T12:00:00+09:00") from error
    if instant.tzinfo is None:
        raise HTTPException(400, f"{text!r} has no time zone: append one, such as +09:00")
    return instant
