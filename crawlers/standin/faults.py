"""Rules that make the stand-in answer wrongly, for tests of how a crawl takes it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

from parsel import Selector

from crawlers.standin.catalog import digest

Edit = Callable[[bytes], bytes]

_JSON_ROWS = (("respData", "broadItemList"), ("data", "resultData", "totalOrgan"))
_HTML_ROWS = "li.item, ul.product-section-ul > li"


@dataclass(slots=True)
class Fault:
    """Requests whose path and query contain ``where`` are answered wrongly: the first ``times`` of them, or all.

    With ``reset`` the connection is torn down without an answer; with ``status`` that code and ``headers`` come back
    instead of the page; else the page's body goes through ``edit``, comes after ``seconds``, and with ``sent`` breaks
    off after that part of the length that its headers announce. ``share`` and ``seed``: see :func:`sometimes`.
    """

    where: str
    times: int | None = None
    reset: bool = False
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    edit: Edit | None = None
    seconds: float = 0
    sent: float | None = None
    share: float = 1
    seed: int = 0
    _matched: int = 0

    def strikes(self, target: str) -> bool:
        """Whether the rule applies to a request; its counts go on."""
        if self.where not in target or self.times == 0:
            return False
        self._matched += 1
        if digest(self._matched, f"fault {self.seed}") >= self.share * 2**64:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(slots=True)
class Faults:
    """The rules in force, and the requests that came: when (monotonic seconds) and for what."""

    rules: list[Fault] = field(default_factory=list)
    seen: list[tuple[float, str]] = field(default_factory=list)

    def due(self, target: str) -> Fault | None:
        """The first rule that applies to a request."""
        self.seen.append((monotonic(), target))
        return next((rule for rule in self.rules if rule.strikes(target)), None)

    def asked(self, where: str) -> list[float]:
        """When the requests whose path and query contain ``where`` came, in monotonic seconds."""
        return [moment for moment, target in self.seen if where in target]


def sometimes(fault: Fault, share: float, seed: int = 0) -> Fault:
    """The same for a share of the requests only: which ones (the first, the fourth, …) is fixed by the seed."""
    return replace(fault, share=share, seed=seed)


def unavailable(where: str, times: int | None = None, retry_after: str | None = None) -> Fault:
    """503, with a Retry-After header if one is given."""
    return Fault(where, times, status=503, headers={} if retry_after is None else {"Retry-After": retry_after})


def reset(where: str, times: int | None = None) -> Fault:
    """The connection is reset instead of an answer."""
    return Fault(where, times, reset=True)


def stall(where: str, seconds: float, times: int | None = None) -> Fault:
    """The right answer, but only after so many seconds."""
    return Fault(where, times, seconds=seconds)


def broken_off(where: str, sent: float = 0.5, times: int | None = None) -> Fault:
    """The connection is closed after a part of the body, while Content-Length announces all of it."""
    return Fault(where, times, sent=sent)


def truncated(where: str, keep: float = 0.5) -> Fault:
    """Only the first part of the body is sent, as if that were all of it."""
    return Fault(where, edit=lambda body: body[: int(len(body) * keep)])


def without(where: str, css: str) -> Fault:
    """The HTML elements that match ``css`` are missing from the page."""

    def edit(body: bytes) -> bytes:
        page = Selector(body.decode())
        page.css(css).drop()
        return str(page.get()).encode()

    return Fault(where, edit=edit)


def replaced(where: str, pattern: str, by: str, count: int = 0) -> Fault:
    """Text of the page changed by a regular expression, in the first ``count`` places or all."""
    return Fault(where, edit=lambda body: re.sub(pattern, by, body.decode(), count=count).encode())


def renamed(where: str, name: str) -> Fault:
    """A class, an id or a JSON key ``name`` has another name, as after a redesign of the site."""
    return replaced(where, rf"(?<![\w-]){re.escape(name)}(?![\w-])", f"{name}_v2")


def empty_day(where: str) -> Fault:
    """The page of a day (or of a list) is sound, but has no rows."""
    return _first_rows(where, 0)


def half_day(where: str) -> Fault:
    """The page of a day (or of a list) is sound, but has only the first half of its rows."""
    return _first_rows(where, 0.5)


def _first_rows(where: str, share: float) -> Fault:
    def edit(body: bytes) -> bytes:
        return _first_json_rows(body, share) if body.startswith(b"{") else _first_html_rows(body, share)

    return Fault(where, edit=edit)


def _first_json_rows(body: bytes, share: float) -> bytes:
    page: dict[str, Any] = json.loads(body)
    for *path, last in _JSON_ROWS:
        place: Any = page
        for key in path:
            place = place.get(key, {})
        if last in place:
            place[last] = place[last][: int(len(place[last]) * share)]
    return json.dumps(page, ensure_ascii=False).encode()


def _first_html_rows(body: bytes, share: float) -> bytes:
    page = Selector(body.decode())
    rows = page.css(_HTML_ROWS)
    rows[int(len(rows) * share) :].drop()
    return str(page.get()).encode()
