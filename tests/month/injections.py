"""Faults that are injected on the way: which, into which scope, and for how many runs. All of it is seeded."""

import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from crawlers.standin.content import PAGE_SIZE
from crawlers.standin.faults import (
    Fault,
    empty_day,
    error_page,
    hours_missing,
    miscoded,
    renamed,
    reset,
    truncated,
    unavailable,
)
from crawlers.standin.living.world import World
from tests.month.scopes import SOURCES, Injection, Scope, scopes_of

MIN_ROWS = 8  # products of a day that a fault is injected into
MIN_PRODUCTS = 12  # of a category
MIN_LOST = 3  # shows to come that a day must lose: one or two are cancelled now and then
SHARE_OF_WHOLE = 0.15  # of the faults that affect a whole source
SOUND_RUNS = 2  # at the beginning, without a fault
LONGEST = 2  # runs that a fault lasts
HOSTS = {"kok": "/kok.", "hnsmall": "/www.hnsmall", "hmall": ".hmall.com", "nsmall": ".nsmall.com"}
PAGES = {"hnsmall": "goods", "hmall": "itemPtc", "nsmall": "/goods/", "kok": "/m/product"}
FIELDS = {
    "kok": ("category/uplus/page", "card-info_price"),
    "hnsmall": ("tvschedule-list", "live-time"),
    "hmall": ("tv-list", "brodStrtDtm"),
    "nsmall": ("media/schedule", "goodsCd"),
}
CODES = {2: "etv", 3: "dtv", 4: "tv", 5: "shopplus"}

_ANY = ("page is cut", "page is miscoded", "error page with 200")
_DAYS = (*_ANY, *("hours break off",) * 3, *("day is empty",) * 3)
_KINDS = {
    "kok": (*_ANY, *("category is empty",) * 2, *("category ends early",) * 2),
    "hnsmall": _DAYS,
    "hmall": _DAYS,
    "nsmall": (*_DAYS, "prices are cut"),
}

# Kinds that make a page look sound but lack rows: what the gates are for.
TRUNCATIONS = ("hours break off", "day is empty", "category is empty", "category ends early")


class Injector:
    """Decides before each run which faults are injected into each source."""

    def __init__(self, world: World, seed: int, share: float) -> None:
        self._world = world
        self._dice = random.Random(seed)
        self._share = share
        self._runs = 0
        self._lasting: dict[str, tuple[Callable[[datetime], Injection | None], int]] = {}

    def next(self, at: datetime) -> list[Injection]:
        """Return the injections of the run at an instant: at most one for each source."""
        self._runs += 1
        found = []
        for source in SOURCES if self._runs > SOUND_RUNS else ():
            make, runs = self._lasting.pop(source, (None, 0))
            if make is None and self._dice.random() < self._share:
                make, runs = self._choose(source, at), self._dice.choice((1, 1, 1, LONGEST))
            injection = make(at) if make else None
            if make and injection:
                found.append(injection)
                if runs > 1:
                    self._lasting[source] = (make, runs - 1)
        return found

    def _choose(self, source: str, at: datetime) -> Callable[[datetime], Injection | None]:
        """Choose a fault: one of the whole source, or one in the pages of a scope with enough rows for it."""
        dice = self._dice
        whole: list[Callable[[datetime], Injection | None]] = [
            lambda later: _everything("answers 503", source, later, unavailable(HOSTS[source])),
            lambda later: _everything("is away", source, later, reset(HOSTS[source])),
            lambda later: _everything("field is renamed", source, later, renamed(*FIELDS[source])),
        ]
        kind, share = dice.choice(_KINDS[source]), dice.uniform(0.2, 0.5)
        targets = [scope for scope in scopes_of(source, at) if self._shows_enough(scope, kind, at, share)]
        if dice.random() < SHARE_OF_WHOLE or not targets:
            return dice.choice(whole)
        target = dice.choice(targets)
        return lambda later: _of_scope(kind, target, later, share)

    def _shows_enough(self, scope: Scope, kind: str, at: datetime, share: float) -> bool:
        """Return whether a fault takes more from a scope than what happens to it every day."""
        if scope.day is None:
            least = PAGE_SIZE + MIN_PRODUCTS if kind == "category ends early" else MIN_PRODUCTS
            return len(self._world.mall.on_sale(scope.part, at)) >= least
        shows = self._world.listed(int(scope.part), scope.day, at)
        lost = [show for show in shows[int(len(shows) * share) :] if show.starts_at > at]
        return sum(len(show.products) for show in shows) >= MIN_ROWS and len(lost) >= MIN_LOST


def disturbed(injections: Sequence[Injection]) -> dict[Scope, Injection]:
    """Return the injection of each disturbed scope."""
    return {scope: injection for injection in injections for scope in injection.scopes}


def _everything(kind: str, source: str, at: datetime, rule: Fault) -> Injection:
    scopes = frozenset(scopes_of(source, at))
    return Injection(kind, source, scopes, (rule,), hides_pages=True)


def _of_scope(kind: str, scope: Scope, at: datetime, share: float) -> Injection | None:
    """Return a fault in the pages of one scope; None once the scope is no longer read."""
    if scope not in scopes_of(scope.source, at):
        return None
    if scope.day is None:
        return _of_category(kind, scope)
    # A page may list shows past midnight, so the scope of the day after depends on it as well.
    scopes = frozenset({scope, scope._replace(day=scope.day + timedelta(days=1))})
    where = _day_page(scope, scope.day)
    if kind == "prices are cut":
        prices = f"brdctPriceInfo?formDate={scope.day:%Y%m%d}&CnnlCd={CODES[int(scope.part)]}"
        return Injection(kind, scope.source, scopes, (truncated(prices),), hides_prices=True)
    rules = {
        "page is cut": lambda: truncated(where),
        "page is miscoded": lambda: miscoded(where),
        "error page with 200": lambda: error_page(where),
        "hours break off": lambda: hours_missing(where, share),
        "day is empty": lambda: empty_day(where),
    }
    return Injection(kind, scope.source, scopes, (rules[kind](),), hides_rows=kind in TRUNCATIONS)


def _of_category(kind: str, scope: Scope) -> Injection:
    where = f"code={scope.part}&page="
    rules: dict[str, Callable[[], list[Fault]]] = {
        "page is cut": lambda: [truncated(f"{where}1&")],
        "page is miscoded": lambda: [miscoded(f"{where}1&")],
        "error page with 200": lambda: [error_page(f"{where}1&")],
        "category is empty": lambda: [empty_day(where)],
        "category ends early": lambda: [empty_day(f"{where}{page}&") for page in range(2, 10)],
    }
    return Injection(kind, scope.source, frozenset({scope}), tuple(rules[kind]()), hides_rows=kind in TRUNCATIONS)


def _day_page(scope: Scope, day: date) -> str:
    """Return what the URL of a day's page has that no other has."""
    channel = int(scope.part)
    if scope.source == "hnsmall":
        return f"broadDay={day:%Y%m%d}"
    if scope.source == "hmall":
        return f"brodDt={day:%Y%m%d}&brodPrrgPage=200&brodType={CODES[channel]}"
    return f"/{CODES[channel]}/{day:%Y%m%d}?"
