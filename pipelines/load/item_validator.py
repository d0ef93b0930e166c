"""Validation of raw items before they are loaded."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from artifacts.raw import RawRun, read_items
from artifacts.store import Store
from crawlers.items import Item
from pipelines.report import Report

ItemT = TypeVar("ItemT", bound=Item)


class RejectedItem(NamedTuple):
    """An item that is not loaded; ``reason`` is countable, ``detail`` says what is wrong with this item."""

    item: Mapping[str, Any]
    reason: str
    detail: str


@dataclass
class ItemValidator:
    """Validates the items of one crawl batch and counts those read, landed, held back, repeated and rejected."""

    read: int = 0
    landed: int = 0
    held: int = 0
    repeated: int = 0
    rejects: list[RejectedItem] = field(default_factory=list)

    @property
    def rejected(self) -> Counter[str]:
        """Number of rejects by reason."""
        return Counter(rejected.reason for rejected in self.rejects)

    def items(self, store: Store, run: RawRun, model: type[ItemT]) -> list[ItemT]:
        """Return the valid items of a file; the others become rejects."""
        valid = []
        for item in read_items(store, run):
            self.read += 1
            try:
                valid.append(model.model_validate(_without_nul(item)))
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                self.reject(item, "invalid item", f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        return valid

    def reject(self, item: Mapping[str, Any] | BaseModel, reason: str, detail: str) -> None:
        """Add an item to the rejects."""
        values = item.model_dump(mode="json") if isinstance(item, BaseModel) else item
        self.rejects.append(RejectedItem(values, reason, detail))

    def unique(self, items: Iterable[ItemT], key: Sequence[str], content: Sequence[str]) -> list[ItemT]:
        """Keep the first item of each ``key``; reject later ones that differ in ``content``.

        What could not be read of one item differs from nothing; the first item gets it from a later one.
        """
        first: dict[tuple[Any, ...], ItemT] = {}
        for item in items:
            values = attrgetter(*key)(item)
            kept = first.setdefault(values, item)
            read = [name for name in content if name not in (*kept.unread, *item.unread)]
            differing = [name for name in read if getattr(kept, name) != getattr(item, name)]
            if differing:
                both = ", ".join(f"{name} {getattr(kept, name)} and {getattr(item, name)}" for name in differing[:3])
                self.reject(item, "contradicts another item", f"{', '.join(key)} {values} is listed with {both}")
            elif kept is not item:
                self.repeated += 1
                first[values] = _completed(kept, item)
        return list(first.values())

    def add_to(self, report: Report) -> None:
        """Add the counts and rejects to the report of the step; raise ``RuntimeError`` if they do not add up."""
        lost = self.read - self.landed - self.held - self.repeated - len(self.rejects)
        if lost:
            raise RuntimeError(f"{lost} of {self.read} items neither land nor are rejected: the load step loses them")
        report.read += self.read
        for name, count in (("landed", self.landed), ("held back", self.held), ("repeated", self.repeated)):
            report.details[name] = report.details.get(name, 0) + count
        for item, reason, detail in self.rejects:
            report.reject(item, reason, detail)


def _completed(kept: ItemT, other: ItemT) -> ItemT:
    """Return an item with the fields that could be read only of another one."""
    found = {name: getattr(other, name) for name in kept.unread if name not in other.unread and hasattr(other, name)}
    if not found:
        return kept
    return kept.model_copy(update={**found, "unread": tuple(name for name in kept.unread if name not in found)})


def _without_nul(value: object) -> object:
    """Remove NUL characters, which no database stores."""
    match value:
        case str():
            return value.replace("\0", "")
        case list():
            return [_without_nul(part) for part in value]
        case dict():
            return {name: _without_nul(part) for name, part in value.items()}
        case _:
            return value
