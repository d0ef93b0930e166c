"""What the API answers from: one immutable view of catalog and release, replaced as a whole."""

import gc
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypedDict, Unpack

from prometheus_client import Counter

from serving.catalog.broadcasts import Schedule
from serving.catalog.mall import KokCatalog
from serving.catalog.recipes import RecipeBook

if TYPE_CHECKING:
    # Brings faiss and onnxruntime, which a service without a release has no use for.
    from recommender.loaded_release import LoadedRelease

ANSWER_BYTES = 64 * 2**20
# What an answer takes besides its texts: the objects around them.
ANSWER_OVERHEAD = 1024


class RecordedEvent(NamedTuple):
    """What is written down about a user who gets an answer: an event type and its encoded payload."""

    event_type: str
    payload: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An encoded answer; ``until`` bounds how long it stays true while the data does not change."""

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
        """Bytes of memory, about."""
        return len(self.body) + len(self.event.payload if self.event else "") + ANSWER_OVERHEAD


class Answers:
    """Encoded answers by path and query, the oldest dropped when they exceed their share of memory.

    Anyone may ask for the same with other words behind it, so the URLs count, too.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, bytes], Answer] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, path: str, query: bytes) -> Answer | None:
        """The answer kept for this URL."""
        return self._answers.get((path, query))

    def put(self, path: str, query: bytes, answer: Answer) -> None:
        """Keep an answer for this URL."""
        with self._lock:
            replaced = self._answers.pop((path, query), None)
            if replaced:
                self._bytes -= _size(path, query, replaced)
            self._answers[(path, query)] = answer
            self._bytes += _size(path, query, answer)
            while self._bytes > ANSWER_BYTES:
                (path, query), dropped = self._answers.popitem(last=False)
                self._bytes -= _size(path, query, dropped)


def _size(path: str, query: bytes, answer: Answer) -> int:
    # Once as the name of the route and once as a key, in up to four bytes a character.
    return 4 * len(path) + len(query) + answer.size


class Parts(TypedDict, total=False):
    """Parts of a view that may be replaced."""

    kok: KokCatalog
    schedule: Schedule
    recipes: RecipeBook
    release: "LoadedRelease | None"


@dataclass(frozen=True)
class Snapshot:
    """Catalog and release as of one moment, and the answers made from exactly these."""

    kok: KokCatalog = field(default_factory=KokCatalog)
    schedule: Schedule = field(default_factory=Schedule)
    recipes: RecipeBook = field(default_factory=RecipeBook)
    release: "LoadedRelease | None" = None
    answers: Answers = field(default_factory=Answers)

    @property
    def release_version(self) -> str | None:
        """Version of the release in service."""
        return self.release.version if self.release else None

    def knows(self, word: str) -> bool:
        """Whether a word is spelled right, since texts of any kind use it."""
        return any(index.knows(word) for index in (self.recipes.index, self.kok.index, self.schedule.index))


class LiveSnapshot:
    """Holds the current view. A reader takes it once and sees no change while it answers."""

    def __init__(self) -> None:
        self.current = Snapshot()
        self._lock = Lock()

    def update(self, **parts: Unpack[Parts]) -> None:
        """Replace parts; answers made from the old ones go with them."""
        with self._lock:
            self.current = replace(self.current, **parts, answers=Answers())
        # What is served lives until it is replaced: the garbage collector need not walk through it again and again.
        gc.freeze()
