"""What went wrong in a crawl, read back from the artifacts: faults, broken contracts, lost scopes, kept pages."""

import gzip
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from artifacts.store import Store

REPORT = ".report.json"
NEWEST = 5  # runs that are named when the one asked for is not there


class NoSuchFault(ValueError):
    """There is no such run or kept page; the message names those that there are."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault of a field: how often it occurred, and the first page, which may be kept."""

    dataset: str
    field: str
    reason: str
    page: str
    kept: str | None
    count: int


@dataclass
class RunFaults:
    """All faults of one run. ``failed`` says why a crawl brought nothing; it has no raw run then."""

    source: str
    run_id: str
    failed: str | None = None
    faults: list[Fault] = field(default_factory=list)
    broken: list[dict[str, Any]] = field(default_factory=list)
    incomplete: list[dict[str, Any]] = field(default_factory=list)

    @property
    def kept(self) -> list[str]:
        """Keys of the kept pages, in the order of the faults; a page is known by its place here, from 1 on."""
        entries = [*(fault.kept for fault in self.faults), *(entry["kept"] for entry in self.broken)]
        return list(dict.fromkeys(filter(None, entries)))


def read_faults(store: Store, name: str, sources: Collection[str]) -> RunFaults:
    """The faults of a run by its id, a unique beginning of it, or the name of a source for its newest run.

    Raises :class:`NoSuchFault` when there is none, or more than one.
    """
    runs = _runs(store, [name] if name in sources else sources)
    found = sorted(runs)[-1:] if name in sources else [run for run in runs if run[0].startswith(name)]
    if len(found) != 1:
        raise NoSuchFault(_not_one(name, found, sorted(runs, reverse=True)))
    run_id, source = found[0]
    return _read(store, source, run_id, runs[run_id, source])


def kept_page(store: Store, faults: RunFaults, number: int) -> bytes:
    """The body of a kept page, as the source sent it."""
    if not 1 <= number <= len(faults.kept):
        there = f"pages 1 to {len(faults.kept)}" if faults.kept else "no page"
        raise NoSuchFault(f"run {faults.run_id} keeps {there}, not {number}")
    return gzip.decompress(store.get(faults.kept[number - 1]))


def _runs(store: Store, sources: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    """Keys of the reports of each run, by run id and source."""
    runs: dict[tuple[str, str], list[str]] = {}
    for source in sources:
        for key in store.list(f"raw/{source}/"):
            if key.endswith(REPORT):
                runs.setdefault((key.split("/")[-1].removesuffix(REPORT), source), []).append(key)
        for key in store.list(f"faults/{source}/"):
            if key.endswith("/report.json"):
                runs.setdefault((key.split("/")[-2], source), []).append(key)
    return runs


def _not_one(name: str, found: list[tuple[str, str]], newest_first: list[tuple[str, str]]) -> str:
    if found:
        return f"{len(found)} runs begin with {name!r}: {_listed(sorted(found, reverse=True))}"
    known = f"the newest are {_listed(newest_first)}" if newest_first else "nothing has been crawled yet"
    return f"no run {name!r}; {known}"


def _listed(runs: list[tuple[str, str]]) -> str:
    return ", ".join(f"{run_id} ({source})" for run_id, source in runs[:NEWEST])


def _read(store: Store, source: str, run_id: str, keys: Iterable[str]) -> RunFaults:
    found = RunFaults(source, run_id)
    for key in keys:
        report = json.loads(store.get(key))
        found.failed = report.get("failed")
        parts = report["datasets"] if found.failed else {report["dataset"]: report}
        for dataset, part in parts.items():
            found.faults += _kinds(dataset, part.get("faults", ()))
            found.broken += [{"dataset": dataset, **entry} for entry in part.get("contract", {}).get("broken", ())]
            scopes = part.get("scopes", ())
            found.incomplete += [{"dataset": dataset, **scope} for scope in scopes if not scope["complete"]]
    return found


def _kinds(dataset: str, faults: Iterable[Mapping[str, Any]]) -> list[Fault]:
    """Faults of one field for one reason as one, with the first page that is kept, the most frequent first."""
    kinds: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for fault in faults:
        kinds.setdefault((fault["field"], fault["reason"]), []).append(fault)
    found = []
    for (name, reason), of_kind in kinds.items():
        first = next((fault for fault in of_kind if fault["kept"]), of_kind[0])
        count = sum(fault["count"] for fault in of_kind)
        found.append(Fault(dataset, name, reason, first["page"], first["kept"], count))
    return sorted(found, key=lambda fault: (-fault.count, fault.field, fault.reason))
