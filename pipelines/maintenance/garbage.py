"""What maintenance deletes: groups of objects or rows that go together."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, Literal

from artifacts.store import Store

Kind = Literal[
    "releases",
    "models",
    "datasets",
    "raw",
    "images",
    "reports",
    "uploads",
    "events",
    "step_runs",
    "log_files",
    "folders",
    "partitions",
]

# After that time, what looks unfinished belongs to a program that is gone.
UNFINISHED: Final = timedelta(days=1)


@dataclass(frozen=True)
class Garbage:
    """Objects or rows that are deleted together; ``size`` in bytes, 0 for rows. Deleting them twice is harmless."""

    name: str
    objects: int
    size: int
    remove: Callable[[], None]


@dataclass(frozen=True)
class Findings:
    """How many things of a kind there are, and which of them are kept no longer; ``notes`` by name for a person."""

    examined: int
    garbage: list[Garbage]
    notes: Mapping[str, object] = field(default_factory=dict)


def objects(store: Store, name: str, sizes: Mapping[str, int], first: Iterable[str] = ()) -> Garbage:
    """Objects of the store, by key. Those whose presence says that the rest is complete are deleted ``first``."""
    keys = list(dict.fromkeys([*first, *sizes]))
    return Garbage(name, len(sizes), sum(sizes.values()), partial(_delete, store, keys))


def started_at(name: str) -> datetime | None:
    """The instant at the head of a run id or version; None if it has none."""
    stamp = name.partition("-")[0].removesuffix("Z")
    for form in ("%Y%m%dT%H%M%S%f", "%Y%m%dT%H%M%S"):
        try:
            return datetime.strptime(stamp, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def is_before(name: str, before: datetime) -> bool:
    """Whether a run id or version is from before an instant; False if it has none."""
    started = started_at(name)
    return started is not None and started < before


def _delete(store: Store, keys: Iterable[str]) -> None:
    for key in keys:
        store.delete(key)
