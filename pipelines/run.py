"""Everything in order, once: from the sources to a release in service."""

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from crawlers.registry import sources
from pipelines import tasks


@dataclass(frozen=True)
class Step:
    """One thing to do; ``do`` returns what to say about it, line by line."""

    title: str
    do: Callable[[], Sequence[str]]


@dataclass(frozen=True)
class Done:
    """What a step said, and how long it took."""

    title: str
    lines: Sequence[str]
    seconds: float


def steps(day: date, days: int, now: datetime, recipes_file: Path | None) -> Iterator[Step]:
    """The steps of one run for the KST days from ``day`` on, counted as happening at ``now``.

    Recipes come first: their ingredients are the words that product titles are resolved with. Without a recipe file
    that step is left out, and learning works on what the database holds.
    """
    yield Step("databases", _upgrade)
    if recipes_file is not None:
        yield Step("recipes", lambda: tasks.recipes(recipes_file, now))
    for source in sources():
        yield Step(f"crawl {source}", lambda source=source: [tasks.crawl(source, day, days, now)])  # type: ignore[misc]
        yield Step(f"load {source}", lambda source=source: tasks.load(source, accept=False))  # type: ignore[misc]
    yield Step("link", lambda: [tasks.link()])
    yield Step("erase", lambda: [tasks.erase(now)])
    yield Step("events", lambda: [tasks.logs(None, None, now)])
    yield Step("train word2vec", lambda: [tasks.train_word2vec(now)])
    yield Step("train bert", lambda: [tasks.train_bert(now)])
    yield Step("release", lambda: _release(now))


def timed(step: Step) -> Done:
    """Do a step; what it raises is the caller's to tell."""
    began = time.monotonic()
    return Done(step.title, step.do(), time.monotonic() - began)


def peak_memory_bytes() -> int:
    """Most memory that this process and its largest child ever held, together: an upper bound."""
    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (own + children) * 1024


def _upgrade() -> list[str]:
    tasks.upgrade()
    return ["both databases are at the newest schema"]


def _release(now: datetime) -> list[str]:
    version = tasks.build(now)
    tasks.verify(version)
    tasks.promote(version, now)
    return [f"{version} is built, verified and live"]
