"""Faults that the stand-in injects into its responses, to test how a crawl handles them."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

from parsel import Selector

from crawlers.standin.catalog import digest

Edit = Callable[[bytes], bytes]

_JSON_ROWS = (("respData", "broadItemList"), ("data", "resultData", "totalOrgan"))
_CLOSED = (
    "<!DOCTYPE html><html lang='ko'><head><title>안내</title></head><body><p>시스템 점검 중입니다.</p></body></html>"
)
_HTML_ROWS = "li.item, ul.product-section-ul > li"


@dataclass(slots=True)
class Fault:
    """A fault in the responses to requests whose path and query contain ``where``: the first ``times``, or all.

    With ``reset`` the connection is reset without a response; with ``status`` that code and ``headers`` are sent
    instead of the page; otherwise the page's body is changed by ``edit`` and sent after ``seconds``, and with ``sent``
    cut off after that share of its Content-Length. ``share`` and ``seed``: see :func:`sometimes`.
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
    _matched: Counter[str] = field(default_factory=Counter)

    def applies_to(self, target: str) -> bool:
        """Return whether the fault applies to a request, and count the request."""
        if self.where not in target or self.times == 0:
            return False
        self._matched[target] += 1
        if digest(self._matched[target], f"fault {self.seed} {target}") >= self.share * 2**64:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(slots=True)
class Faults:
    """Active faults, and the requests received: monotonic seconds and target."""

    rules: list[Fault] = field(default_factory=list)
    seen: list[tuple[float, str]] = field(default_factory=list)

    def next_for(self, target: str) -> Fault | None:
        """Record a request and return the first fault that applies to it."""
        self.seen.append((monotonic(), target))
        return next((rule for rule in self.rules if rule.applies_to(target)), None)

    def requests_for(self, where: str) -> list[float]:
        """Return when the requests whose path and query contain ``where`` were received, in monotonic seconds."""
        return [second for second, target in self.seen if where in target]


def sometimes(fault: Fault, share: float, seed: int = 0) -> Fault:
    """Return the fault for only a share of the requests.

    Which ones depends on the seed, the target, and how often it was requested, not on the order of other requests.
    """
    return replace(fault, share=share, seed=seed, _matched=Counter())


def unavailable(where: str, times: int | None = None, retry_after: str | None = None) -> Fault:
    """Answer 503, with a Retry-After header if one is given."""
    return Fault(where, times, status=503, headers={} if retry_after is None else {"Retry-After": retry_after})


def reset(where: str, times: int | None = None) -> Fault:
    """Reset the connection instead of answering."""
    return Fault(where, times, reset=True)


def stall(where: str, seconds: float, times: int | None = None) -> Fault:
    """Send the right response after ``seconds``."""
    return Fault(where, times, seconds=seconds)


def broken_off(where: str, sent: float = 0.5, times: int | None = None) -> Fault:
    """Close the connection after a part of the body, although Content-Length announces all of it."""
    return Fault(where, times, sent=sent)


def truncated(where: str, keep: float = 0.5) -> Fault:
    """Send only the first part of the body, with a matching Content-Length."""
    return Fault(where, edit=lambda body: body[: int(len(body) * keep)])


def without(where: str, css: str) -> Fault:
    """Remove the HTML elements that match ``css``."""

    def edit(body: bytes) -> bytes:
        page = Selector(body.decode())
        page.css(css).drop()
        return str(page.get()).encode()

    return Fault(where, edit=edit)


def replaced(where: str, pattern: str, by: str, count: int = 0) -> Fault:
    """Replace the matches of a regular expression in the page: the first ``count``, or all."""
    return Fault(where, edit=lambda body: re.sub(pattern, by, body.decode(), count=count).encode())


def renamed(where: str, name: str) -> Fault:
    """Rename a class, an id or a JSON key, as after a redesign of the site."""
    return replaced(where, rf"(?<![\w-]){re.escape(name)}(?![\w-])", f"{name}_v2")


def empty_day(where: str) -> Fault:
    """Send the page of a day (or of a list) without rows."""
    return _first_rows(where, 0)


def half_day(where: str) -> Fault:
    """Send the page of a day (or of a list) with only the first half of its rows."""
    return _first_rows(where, 0.5)


def hours_missing(where: str, share: float) -> Fault:
    """Send the page of a day (or of a list) with only the first ``share`` of its rows."""
    return _first_rows(where, share)


def miscoded(where: str, encoding: str = "euc-kr") -> Fault:
    """Send the page in another encoding than its header names; characters that it lacks are left out."""
    return Fault(where, edit=lambda body: body.decode().encode(encoding, "ignore"))


def error_page(where: str) -> Fault:
    """Send a page that says that the site is closed, with status 200."""
    return Fault(where, edit=lambda _: _CLOSED.encode())


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
