"""Verification, canary, promotion, rollback and listing of built releases."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from artifacts import release as releases
from artifacts.canary import CANARY, Canary, end_canary, read_canary, roll_back_canary
from artifacts.canary import start_canary as name_canary
from artifacts.release import CorruptRelease
from artifacts.store import Store
from pipelines.errors import CanaryRunning, PipelineError
from pipelines.release.gate import failed_checks
from pipelines.release.registry import align_registry, register_live, register_rollback
from pipelines.report import record
from pipelines.step_locks import ARTIFACTS, PROMOTION, shared_lock, waiting_lock
from recommender.loaded_release import LoadedRelease
from recommender.manifest import Manifest

# Ingredients whose names are searched to verify a release; the encoder may not understand each of them.
QUERIES: Final = 20
LIVE: Final = "live"


class ReleaseRefused(PipelineError):
    """A release may not go live; the message names the failed checks."""


@dataclass(frozen=True)
class RolledBack:
    """What a rollback left live: the release before, or the same one without its canary."""

    version: str
    ended_canary: bool


@dataclass(frozen=True)
class ListedRelease:
    """An uploaded release; ``served``: `live`, `canary 10%` or nothing. Without a manifest, ``problem`` says why."""

    version: str
    served: str
    manifest: Manifest | None
    problem: str | None = None

    @property
    def is_live(self) -> bool:
        """Whether everybody gets it, except the visitors of a canary."""
        return self.served == LIVE


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
    """Make a release live if its gate passed; a canary of it ends.

    Raises :class:`ReleaseRefused`, :class:`CanaryRunning` or, if another one went live, Conflict.
    """
    with waiting_lock(warehouse, PROMOTION):
        make_live(warehouse, store, version, now)


def make_live(warehouse: Engine, store: Store, version: str, now: datetime) -> None:
    """Do what :func:`promote` does, for a step that holds the lock ``PROMOTION``."""
    with record(warehouse, store, "promote_release") as report, shared_lock(warehouse, ARTIFACTS):
        report.details["version"] = version
        check_gate(store, version)
        live = align_registry(warehouse, store, now)
        canary = _served_canary(store, live)
        if canary and canary.version != version:
            raise CanaryRunning(
                f"release {version} was not promoted: {canary.version} is a canary for {canary.share:.0%} of visitors "
                f"since {canary.since:%Y-%m-%d %H:%M %Z}; `ukok release rollback` ends it"
            )
        if version != live:
            releases.promote(store, version, expected=live)
            register_live(warehouse, version, now, replaced=live)
        # Whatever it names, it was compared with the release that was live before.
        end_canary(store)


def rollback(warehouse: Engine, store: Store, now: datetime) -> RolledBack:
    """End the canary if one runs, else make the previous release live again."""
    with waiting_lock(warehouse, PROMOTION):
        live = releases.current(store)
        if live is not None and stop_canary(warehouse, store, live):
            return RolledBack(live, ended_canary=True)
        return RolledBack(go_back(warehouse, store, now), ended_canary=False)


def go_back(warehouse: Engine, store: Store, now: datetime) -> str:
    """Make the previous release live again and return its version, for a step that holds the lock ``PROMOTION``."""
    with (
        record(warehouse, store, "rollback_release") as report,
        shared_lock(warehouse, ARTIFACTS),
        releases.going_back(store) as version,
    ):
        report.details["version"] = version
        register_rollback(warehouse, version, now)
    return version


def start_canary(warehouse: Engine, store: Store, version: str, share: float, now: datetime) -> Canary:
    """Serve a release to a share of the visitors from ``now`` on, if it is intact and passed its gate.

    For a running canary, change its share, which begins the comparison again.
    """
    verify(warehouse, store, version)
    with (
        waiting_lock(warehouse, PROMOTION),
        record(warehouse, store, "canary_release") as report,
        shared_lock(warehouse, ARTIFACTS),
    ):
        report.details["version"] = version
        check_gate(store, version)
        live = align_registry(warehouse, store, now)
        if live is None or live == version:
            reason = "it is live already" if live else "there is no live release to compare it with: promote it"
            raise ReleaseRefused(f"release {version} is no canary: {reason}")
        return name_canary(store, Canary(version=version, baseline=live, share=share, since=now))


def stop_canary(warehouse: Engine, store: Store, live: str) -> bool:
    """End the canary, so that ``live`` serves everybody; False if there is none. See :func:`go_back`."""
    if not store.exists(CANARY):
        return False
    with record(warehouse, store, "rollback_release") as report:
        report.details["version"] = live
        return roll_back_canary(store)


def check_gate(store: Store, version: str) -> None:
    """Raise :class:`ReleaseRefused` unless a release passed its gate."""
    gate = releases.read_manifest(store, version, Manifest).gate
    if not gate.passed:
        raise ReleaseRefused(f"release {version} was not promoted: {failed_checks(gate)}")


def list_releases(store: Store) -> list[ListedRelease]:
    """Every uploaded release, oldest first; see :func:`pointer_problems`."""
    live = _live(store)
    canary = _served_canary(store, live)
    named = {live: LIVE} | ({canary.version: f"canary {canary.share:.0%}"} if canary else {})
    return [_listed(store, version, named.get(version, "")) for version in releases.list_releases(store)]


def pointer_problems(store: Store) -> Iterator[str]:
    """What keeps the releases that ``CURRENT`` and ``CANARY`` name from being served, and what to do."""
    try:
        live = releases.current(store)
        if live is not None:
            releases.read_manifest(store, live, Manifest)
    except CorruptRelease as error:
        live = _live(store)
        yield f"{releases.CURRENT}: {error}"
    try:
        canary = read_canary(store)
    except CorruptRelease as error:
        yield str(error)
        return
    if canary and canary != _served_canary(store, live):
        yield (
            f"the canary {canary.version} ({canary.share:.0%}) is not served: {live} is live, not its baseline "
            f"{canary.baseline}; `ukok release rollback` removes it"
        )


def _listed(store: Store, version: str, served: str) -> ListedRelease:
    try:
        return ListedRelease(version, served, releases.read_manifest(store, version, Manifest))
    except CorruptRelease as error:
        return ListedRelease(version, served, None, str(error))


def _live(store: Store) -> str | None:
    """Version that ``CURRENT`` names; None also if it cannot be read."""
    try:
        return releases.current(store)
    except CorruptRelease:
        return None


def _served_canary(store: Store, live: str | None) -> Canary | None:
    """The canary that the API serves beside ``live``; None if there is none, or one that it does not serve."""
    try:
        canary = read_canary(store)
    except CorruptRelease:
        return None
    return canary if canary and live in {canary.baseline, canary.version} else None
