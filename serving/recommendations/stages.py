"""Recommendations by named stages: candidate generators that run in order until one of them yields something."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice, zip_longest
from typing import Generic, NamedTuple, Protocol, TypeVar

from serving.runtime.snapshot import Snapshot

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R", bound="Request")
R_contra = TypeVar("R_contra", bound="Request", contravariant=True)

# Reasons of what is only popular, and before the ingredient of what is in season.
POPULAR = "popular"
SEASON = "season:"
# Neighbours of a product or recipe that a release is asked for.
NEIGHBOURS = 20


class Stage(StrEnum):
    """What produced a recommendation."""

    RELEASE = "release"  # neighbour tables, models and encoder of the release in service
    TEXT = "text"  # words in a title
    RESOLVED = "resolved"  # ingredients that titles were resolved to when they were loaded
    POPULAR = "popular"  # what most people liked; of shows, what is on air or next


class Candidate(NamedTuple, Generic[T_co]):
    """An item that a generator proposes, and why; ``score`` only where a response shows it."""

    item: T_co
    reason: str
    score: float | None = None


class RecommendedItem(NamedTuple, Generic[T_co]):
    """A recommended item, why it is recommended and by which stage."""

    item: T_co
    reason: str
    stage: Stage
    score: float | None = None

    @property
    def fallback(self) -> bool:
        """Whether something simpler than the release produced it."""
        return is_fallback(self.stage)


@dataclass(frozen=True)
class Recommendation(Generic[T_co]):
    """Recommended items, best first; ``stage`` is None when there are none."""

    items: tuple[RecommendedItem[T_co], ...]
    stage: Stage | None
    release_version: str | None

    @property
    def fallback(self) -> bool:
        """Whether something simpler than the release answered."""
        return is_fallback(self.stage)


class Request(Protocol):
    """What is asked of generators: at most ``k`` items."""

    @property
    def k(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Generator(Generic[R_contra, T_co]):
    """A function that yields the candidates of a stage lazily, best first.

    ``decides``: with a release in service no generator after it runs, even if it yields nothing. An empty answer of a
    ranker with a threshold says that nothing fits.
    """

    stage: Stage
    candidates: Callable[[Snapshot, R_contra], Iterator[Candidate[T_co]]]
    decides: bool = False


# What a kind of request is answered from: generators in the order in which they are tried.
Relation = tuple[Generator[R, T], ...]


def recommend(snapshot: Snapshot, relation: Relation[R, T], request: R) -> Recommendation[T]:
    """The first ``request.k`` candidates of the first generator that yields any; the generators after it do not run."""
    for generator in relation:
        items = tuple(
            RecommendedItem(candidate.item, candidate.reason, generator.stage, candidate.score)
            for candidate in islice(generator.candidates(snapshot, request), request.k)
        )
        if items:
            return Recommendation(items, generator.stage, snapshot.release_version)
        if generator.decides and snapshot.release:
            break
    return Recommendation((), None, snapshot.release_version)


def is_fallback(stage: Stage | None) -> bool:
    """Whether ``stage`` is simpler than the release and the search for words."""
    return stage not in {Stage.RELEASE, Stage.TEXT}


def alternating(
    first: Iterable[Candidate[T]], second: Iterable[Candidate[T]], key_of: Callable[[T], Hashable]
) -> Iterator[Candidate[T]]:
    """The candidates of both in turn, each item once; those of the longer one follow."""
    seen: set[Hashable] = set()
    for candidate in chain.from_iterable(zip_longest(first, second)):
        if candidate is not None and (key := key_of(candidate.item)) not in seen:
            seen.add(key)
            yield candidate
