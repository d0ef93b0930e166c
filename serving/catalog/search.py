"""Search of the catalog: what is found, and the documents that it is found in."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from recommender.search.index import SearchIndex
from recommender.search.weights import Kind, load_weights

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What a keyword finds, best first; ``did_you_mean`` is what was searched for instead of it, if anything."""

    items: list[T]
    did_you_mean: str | None = None


def empty_index(kind: Kind) -> SearchIndex:
    """An index without documents."""
    return SearchIndex((), load_weights(kind))
