"""Rules that make the stand-in answer wrongly, for tests of how a crawl takes it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from parsel import Selector

Edit = Callable[[bytes], bytes]


@dataclass(slots=True)
class Fault:
    """Requests whose path and query contain ``where`` are answered wrongly: the first ``times`` of them, or all.

    With ``reset`` the connection is torn down without an answer; with ``status`` that code and ``headers`` come back
    instead of the page; else the page's body goes through ``edit``.
    """

    where: str
    times: int | None = None
    reset: bool = False
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    edit: Edit | None = None


@dataclass(slots=True)
class Faults:
    """The rules in force, and the requests that came: when (monotonic seconds) and for what."""

    rules: list[Fault] = field(default_factory=list)
    seen: list[tuple[float, str]] = field(default_factory=list)

    def due(self, target: str) -> Fault | None:
        """The first rule that applies to a request; its count goes down."""
        self.seen.append((monotonic(), target))
        for rule in self.rules:
            if rule.where in target and rule.times != 0:
                if rule.times is not None:
                    rule.times -= 1
                return rule
        return None

    def asked(self, where: str) -> list[float]:
        """When the requests whose path and query contain ``where`` came, in monotonic seconds."""
        return [moment for moment, target in self.seen if where in target]


def unavailable(where: str, times: int | None = None, retry_after: str | None = None) -> Fault:
    """503, with a Retry-After header if one is given."""
    return Fault(where, times, status=503, headers={} if retry_after is None else {"Retry-After": retry_after})


def reset(where: str, times: int | None = None) -> Fault:
    """The connection is reset instead of an answer."""
    return Fault(where, times, reset=True)


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
    """Text of the page changed by a regular expression, in the first ``count`` places or all: renamed classes, say."""
    return Fault(where, edit=lambda body: re.sub(pattern, by, body.decode(), count=count).encode())
