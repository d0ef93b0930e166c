"""Snapshot of catalog and release that the API answers from, replaced as a whole, and the answers made from it."""

import gc
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple, TypedDict, Unpack

from cachetools import FIFOCache
from prometheus_client import Counter

from artifacts.canary import Canary
from recommender.search.index import SearchIndex
from serving.catalog.broadcasts import Schedule
from serving.catalog.mall import KokCatalog
from serving.catalog.recipes import RecipeBook
from serving.runtime.edible_products import edible_products

if TYPE_CHECKING:
    # Imports faiss and onnxruntime, which a service without a release does not need.
    from recommender.loaded_release import LoadedRelease

ANSWER_BYTES: Final = 64 * 2**20
# Memory of an answer besides its texts: the objects around them.
ANSWER_OVERHEAD: Final = 1024


class RecordedEvent(NamedTuple):
    """What is recorded of somebody who gets an answer: an event type and the encoded payload."""

    event_type: str
    payload: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An encoded answer to a path and query; ``until`` is when it expires even if the data has not changed."""

    path: str
    query: bytes
    body: bytes
    etag: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    until: datetime | None
    needs_login: bool
    route: str
    event: RecordedEvent | None = None
    served: Counter | None = None

    @property
    def size(self) -> int:
        """Approximate bytes of memory; the URL counts too, since anyone may append words to it."""
        payload = self.event.payload if self.event else ""
        # A character of the path takes up to four bytes.
        return 4 * len(self.path) + len(self.query) + len(self.body) + len(payload) + ANSWER_OVERHEAD


class Answers:
    """Encoded answers by path and query; the oldest are dropped when together they exceed ``max_bytes``."""

    def __init__(self, max_bytes: int = ANSWER_BYTES) -> None:
        self._answers: FIFOCache[tuple[str, bytes], Answer] = FIFOCache(max_bytes, getsizeof=lambda answer: answer.size)
        self._lock = Lock()

    def get(self, path: str, query: bytes) -> Answer | None:
        """Return the answer cached for this URL."""
        # Without the lock: a FIFO cache changes nothing when it is read.
        try:
            return self._answers[path, query]
        except KeyError:
            return None

    def put(self, answer: Answer) -> None:
        """Cache an answer, unless it alone exceeds the bound."""
        with self._lock:
            if answer.size <= self._answers.maxsize:
                self._answers[answer.path, answer.query] = answer


class Parts(TypedDict, total=False):
    """Parts of a snapshot that may be replaced."""

    kok: KokCatalog
    schedule: Schedule
    recipes: RecipeBook
    release: "LoadedRelease | None"


@dataclass(frozen=True)
class Snapshot:
    """Catalog and release as of one moment, and the answers made from exactly these.

    ``by_visitor``: others are answered from another release, so no cache that visitors share may store an answer.
    """

    kok: KokCatalog = field(default_factory=KokCatalog)
    schedule: Schedule = field(default_factory=Schedule)
    recipes: RecipeBook = field(default_factory=RecipeBook)
    release: "LoadedRelease | None" = None
    answers: Answers = field(default_factory=Answers)
    by_visitor: bool = False

    def __post_init__(self) -> None:
        """Let the release answer also with products that the catalog has got since it was built."""
        products = list(edible_products(self.kok, self.schedule)) if self.release else []
        if self.release and products:
            object.__setattr__(self, "release", self.release.with_products(products))

    @property
    def release_version(self) -> str | None:
        """Version of the live release, None without one."""
        return self.release.version if self.release else None

    def knows(self, word: str) -> bool:
        """Whether a word is spelled correctly: a recipe, mall product or broadcast uses it."""
        return any(index.knows(word) for index in self.indexes)

    def did_you_mean(self, keyword: str) -> str | None:
        """What recipes, else mall products, else shows are searched for instead of a keyword, if anything."""
        found = (index.did_you_mean(keyword, self.knows) for index in self.indexes)
        return next((meant for meant in found if meant), None)

    def has_ingredient(self, name: str) -> bool:
        """Whether a recipe, mall product or broadcast has the ingredient of a canonical name."""
        return name in self.recipes.postings or name in self.kok.by_ingredient or name in self.schedule.by_ingredient

    @property
    def indexes(self) -> tuple[SearchIndex, ...]:
        """What is searched: recipes, mall products and broadcasts."""
        return self.recipes.index, self.kok.index, self.schedule.index


@dataclass(frozen=True)
class Served:
    """What is served as of one moment: the live snapshot and, while a canary runs, the one of the canary's visitors."""

    live: Snapshot = field(default_factory=Snapshot)
    canary: Snapshot | None = None
    pointer: Canary | None = None

    def to_visitor(self, visitor: str | None) -> Snapshot:
        """Return the snapshot that a visitor is answered from; the live one if nothing is known of who asks."""
        if self.canary is None or self.pointer is None or visitor is None or not self.pointer.includes(visitor):
            return self.live
        return self.canary


class LiveSnapshot:
    """Holds what is served. A request reads it once and sees no change while it is answered."""

    def __init__(self) -> None:
        self.served = Served()
        self._lock = Lock()

    @property
    def current(self) -> Snapshot:
        """The snapshot with the live release."""
        return self.served.live

    def update(self, **parts: Unpack[Parts]) -> None:
        """Replace parts, and drop the answers made from the old ones. A canary keeps its release."""
        with self._lock:
            canary = self.served.canary.release if self.served.canary else None
            self.served = _served(replace(self.served.live, **parts), canary, self.served.pointer)
        # What is served lives until it is replaced: frozen, it is not traversed by each garbage collection.
        gc.freeze()

    def set_canary(self, release: "LoadedRelease", pointer: Canary) -> None:
        """Serve the visitors of a canary from its release."""
        with self._lock:
            self.served = _served(self.served.live, release, pointer)
        gc.freeze()

    def end_canary(self) -> None:
        """Serve everybody from the live release."""
        with self._lock:
            self.served = _served(self.served.live, None, None)


def _served(live: Snapshot, canary: "LoadedRelease | None", pointer: Canary | None) -> Served:
    """Put together what is served, with no answers yet: those of before belong to other data or other visitors."""
    if canary is None or pointer is None:
        return Served(replace(live, answers=Answers(), by_visitor=False))
    fresh = replace(live, answers=Answers(), by_visitor=True)
    return Served(fresh, replace(fresh, release=canary, answers=Answers()), pointer)
