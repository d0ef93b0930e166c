"""Raw zone: what the sources showed, in files that are never changed.

``raw/<source>/<dataset>/dt=<KST date>/<run_id>.jsonl.gz`` holds the items of a run and ``<run_id>.report.json`` its
report. The report is written last: a run without a report was killed and does not exist.
"""

import gzip
import json
import secrets
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from artifacts.errors import NotFound, StoreError
from artifacts.store import Store
from ukok.errors import PermanentError

SCHEMA_VERSION = 1  # of every report in the store; raise it with a change that older programs would misread
REPORT = ".report.json"
ITEMS = ".jsonl.gz"


class UnreadableReport(PermanentError, StoreError):
    """A report is damaged or has another schema version; the message names the file."""


class UnreadableItems(PermanentError, StoreError):
    """The items of a run are missing, damaged or of another form; the message names the file and what to do."""


DAMAGED_ITEMS = (UnreadableItems, LookupError, TypeError, ValueError)
"""What reading the items of a run raises if their file is missing or cut, or holds something else than items."""


@dataclass(frozen=True, order=True)
class RawRun:
    """A run of one source and dataset; ``day`` is the KST date of the run. Runs sort by time."""

    run_id: str
    source: str
    dataset: str
    day: date

    @property
    def stem(self) -> str:
        """Key without its ending."""
        return f"raw/{self.source}/{self.dataset}/dt={self.day.isoformat()}/{self.run_id}"


class RunReport(BaseModel):
    """Report of any run. A producer of raw files extends it with figures of its own."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    schema_version: int = SCHEMA_VERSION
    run_id: str
    source: str
    dataset: str
    day: date
    items: int = Field(description="Number of items; `write_run` sets it to what it has written")


ReportT = TypeVar("ReportT", bound=BaseModel)
ItemT = TypeVar("ItemT")


def new_run_id(now: datetime) -> str:
    """Return an id for a run that starts at ``now`` (aware); ids sort by time and do not collide."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(3)}"


def instant_of(run: RawRun) -> datetime:
    """Return the instant of a run from its id."""
    return datetime.strptime(run.run_id.partition("-")[0], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)


def write_run(store: Store, run: RawRun, items: Iterable[Mapping[str, Any]], report: RunReport) -> None:
    """Stream the items into the store, then write the report with their number, which makes the run exist."""
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "items"
        # A fixed time in the header: the same items give the same bytes.
        with path.open("wb") as file, gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
            for count, item in enumerate(items, 1):  # noqa: B007 (used below)
                packed.write(json.dumps(item, ensure_ascii=False, default=_plain).encode() + b"\n")
        store.put_file(run.stem + ITEMS, path)
    store.put(run.stem + REPORT, dump_report(report.model_copy(update={"items": count})))


def list_runs(store: Store, source: str, dataset: str, since: date | None = None) -> list[RawRun]:
    """List the finished runs of a dataset, oldest first; ``since`` is the earliest KST date."""
    runs = []
    for key in store.list(f"raw/{source}/{dataset}/"):
        if not key.endswith(REPORT):
            continue
        partition, name = key.split("/")[-2:]
        day = date.fromisoformat(partition.removeprefix("dt="))
        if since is None or day >= since:
            runs.append(RawRun(name.removesuffix(REPORT), source, dataset, day))
    return sorted(runs)


def read_items(store: Store, run: RawRun) -> Iterator[dict[str, Any]]:
    """Yield the items of a run in the order in which they were written. Raise :class:`UnreadableItems` if damaged."""
    for number, line in enumerate(_lines(store, run), 1):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise _damaged(run, f"is damaged in line {number}: {error}") from error


def read_typed_items(store: Store, run: RawRun, kind: TypeAdapter[ItemT]) -> Iterator[ItemT]:
    """Yield the items of a run as objects. Raise :class:`UnreadableItems` if damaged, or not of the ``kind``."""
    for number, line in enumerate(_lines(store, run), 1):
        try:
            yield kind.validate_json(line)
        except ValidationError as error:
            raise UnreadableItems(
                f"line {number} of {run.stem}{ITEMS} is not of the form that this program reads: {_first(error)}; "
                "use the version of the program that wrote it, or remove the file and its report and crawl again"
            ) from error


def _lines(store: Store, run: RawRun) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "items"
        try:
            store.download(run.stem + ITEMS, path)
        except NotFound as error:
            raise _damaged(run, "is missing") from error
        try:
            with gzip.open(path, "rb") as lines:
                yield from lines
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise _damaged(run, f"is damaged: {error}") from error


def _damaged(run: RawRun, how: str) -> UnreadableItems:
    return UnreadableItems(
        f"{run.stem}{ITEMS} {how}; restore it from a copy, or remove it and its report {run.run_id}{REPORT} "
        "and crawl again"
    )


def dump_report(report: BaseModel) -> bytes:
    """Return a report as the JSON that :func:`load_report` reads."""
    return report.model_dump_json(indent=2).encode()


def load_report(store: Store, key: str, model: type[ReportT]) -> ReportT:
    """Read the report at ``key``. Raise :class:`UnreadableReport` if it is damaged or of another schema version."""
    data = store.get(key)
    try:
        version = json.loads(data).get("schema_version")
    except (ValueError, AttributeError) as error:
        raise UnreadableReport(f"the report {key} is not a JSON object: {error}") from error
    if version != SCHEMA_VERSION:
        raise UnreadableReport(
            f"the report {key} has schema version {version}, and this program reads version {SCHEMA_VERSION}: "
            "use the version of the program that wrote it, or remove the file and its items and crawl again"
        )
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise UnreadableReport(f"the report {key} is damaged: {_first(error)}") from error


def read_report(store: Store, run: RawRun, model: type[ReportT]) -> ReportT:
    """Read the report of a run; see :func:`load_report`."""
    return load_report(store, run.stem + REPORT, model)


def _first(error: ValidationError) -> str:
    """Return the first problem in one line, without the value."""
    first = error.errors(include_url=False, include_input=False)[0]
    return ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))


def _plain(value: object) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written to the raw zone")
