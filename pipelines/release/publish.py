"""Verification, promotion, rollback and listing of built releases."""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, update

from artifacts import release as releases
from artifacts.release import CorruptRelease
from artifacts.store import Store
from pipelines.errors import PipelineError
from pipelines.release.gate import failed_checks
from pipelines.report import record
from pipelines.step_locks import ARTIFACTS, shared_lock
from recommender.loaded_release import LoadedRelease
from recommender.manifest import Manifest
from sql.warehouse.steps import ReleaseRecord

# Ingredients whose names are searched to verify a release; the encoder may not understand each of them.
QUERIES: Final = 20


class ReleaseRefused(PipelineError):
    """A release may not go live; the message names the failed checks."""


@dataclass(frozen=True)
class ListedRelease:
    """An uploaded release; without a manifest, ``problem`` says why it cannot be read."""

    version: str
    is_live: bool
    manifest: Manifest | None
    problem: str | None = None


def verify(warehouse: Engine, store: Store, version: str) -> Manifest:
    """Download a release, check every hash, open it as serving does and run queries; returns its manifest.

    Raises :class:`~artifacts.release.CorruptRelease` with the file that is wrong.
    """
    with record(warehouse, store, "verify_release") as report:
        report.details["version"] = version
        with tempfile.TemporaryDirectory(prefix="ukok-verify-") as scratch:
            loaded = LoadedRelease.open(releases.fetch(store, version, Path(scratch)))
            asked = loaded.names[:QUERIES]
            if asked and not any(loaded.recipes_by_text(name, 1) for name in asked):
                raise CorruptRelease(f"release {version}: the text index returns no recipe for {asked[0]}")
        report.read = len(loaded.manifest.files)
    return loaded.manifest


def promote(warehouse: Engine, store: Store, version: str, now: datetime) -> None:
    """Make a release live if its gate passed; raises :class:`ReleaseRefused`, or Conflict if another one went live."""
    with record(warehouse, store, "promote_release") as report, shared_lock(warehouse, ARTIFACTS):
        report.details["version"] = version
        gate = releases.read_manifest(store, version, Manifest).gate
        if not gate.passed:
            raise ReleaseRefused(f"release {version} was not promoted: {failed_checks(gate)}")
        releases.promote(store, version, expected=releases.current(store))
        _register_live(warehouse, version, now)


def rollback(warehouse: Engine, store: Store, now: datetime) -> str:
    """Make the previous release live again and return its version."""
    with record(warehouse, store, "rollback_release") as report, shared_lock(warehouse, ARTIFACTS):
        report.details["version"] = version = releases.rollback(store)
        _register_live(warehouse, version, now)
    return version


def list_releases(store: Store) -> list[ListedRelease]:
    """Every uploaded release, oldest first."""
    live = releases.current(store)
    return [_listed(store, version, is_live=version == live) for version in releases.list_releases(store)]


def _listed(store: Store, version: str, *, is_live: bool) -> ListedRelease:
    try:
        return ListedRelease(version, is_live, releases.read_manifest(store, version, Manifest))
    except CorruptRelease as error:
        return ListedRelease(version, is_live, None, str(error))


def _register_live(warehouse: Engine, version: str, now: datetime) -> None:
    with warehouse.begin() as conn:
        conn.execute(update(ReleaseRecord).where(ReleaseRecord.version == version).values(promoted_at=now))
