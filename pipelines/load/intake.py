"""Items of raw files, checked again on their way in."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from artifacts.raw import RawRun, read_items
from artifacts.store import Store
from pipelines.report import Report

ItemT = TypeVar("ItemT", bound=BaseModel)


@dataclass
class Intake:
    """What was read from the files of one moment: what lands, what repeats another item, and what cannot land."""

    read: int = 0
    landed: int = 0
    repeated: int = 0
    rejects: list[tuple[Mapping[str, Any], str, str]] = field(default_factory=list)

    @property
    def rejected(self) -> Counter[str]:
        """Number of rejects by reason."""
        return Counter(reason for _, reason, _ in self.rejects)

    def items(self, store: Store, run: RawRun, model: type[ItemT]) -> list[ItemT]:
        """The valid items of a file; the others become rejects."""
        valid = []
        for item in read_items(store, run):
            self.read += 1
            try:
                valid.append(model.model_validate(_storable(item)))
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                self.reject(item, "invalid item", f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        return valid

    def reject(self, item: Mapping[str, Any] | BaseModel, reason: str, detail: str) -> None:
        """Keep an item that does not land, and why."""
        kept = item.model_dump(mode="json") if isinstance(item, BaseModel) else item
        self.rejects.append((kept, reason, detail))

    def unique(self, items: Iterable[ItemT], key: Sequence[str], content: Sequence[str]) -> list[ItemT]:
        """The first item of each ``key``. One that repeats its ``content`` lands with it, any other is rejected."""
        first: dict[tuple[Any, ...], ItemT] = {}
        for item in items:
            values = attrgetter(*key)(item)
            kept = first.setdefault(values, item)
            if any(getattr(kept, name) != getattr(item, name) for name in content):
                self.reject(item, "contradicts another item", f"{', '.join(key)} {values} is there with other values")
            elif kept is not item:
                self.repeated += 1
        return list(first.values())

    def tell(self, report: Report) -> None:
        """Add the figures to the Report of the step; a RuntimeError when they do not add up to what was read."""
        lost = self.read - self.landed - self.repeated - len(self.rejects)
        if lost:
            raise RuntimeError(f"{lost} of {self.read} items neither land nor are rejected: the load step loses them")
        report.read += self.read
        for name, count in (("landed", self.landed), ("repeated", self.repeated)):
            report.details[name] = report.details.get(name, 0) + count
        for item, reason, detail in self.rejects:
            report.reject(item, reason, detail)


def _storable(value: object) -> object:
    """No database stores a NUL in a text."""
    match value:
        case str():
            return value.replace("\0", "")
        case list():
            return [_storable(part) for part in value]
        case dict():
            return {name: _storable(part) for name, part in value.items()}
        case _:
            return value
