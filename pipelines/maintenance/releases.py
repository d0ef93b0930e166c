"""Releases, the models that they came from, and the datasets that those were trained on."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from artifacts.canary import named_versions
from artifacts.release import MANIFEST
from artifacts.store import Store
from pipelines.maintenance.garbage import UNFINISHED, Findings, Garbage, is_before, objects
from pipelines.train.models import CARD

Sizes = dict[str, int]


def find_releases(store: Store, keep: int, now: datetime) -> Findings:
    """All but the newest ``keep`` and those that ``CURRENT`` and ``CANARY`` name; and uploads that did not finish."""
    folders = _folders(store, "releases", 1)
    kept = _kept_releases(store, folders, keep)
    return _old(store, folders, MANIFEST, kept, now)


def find_models(store: Store, keep: int, now: datetime) -> Findings:
    """All but the newest ``keep`` of each kind and those that a kept release was built with."""
    folders = _folders(store, "models", 2)
    return _old(store, folders, CARD, _kept_models(store, folders, keep), now)


def find_datasets(store: Store, keep: int) -> Findings:
    """All that no kept release and no kept model names."""
    folders = _folders(store, "datasets", 2)
    used = set()
    for manifest in _manifests(store, keep):
        used |= {f"datasets/{name}/{version}" for name, version in _part(manifest, "datasets").items()}
    for model in _kept_models(store, _folders(store, "models", 2), keep):
        card = _json(store.get(f"{model}/{CARD}"))
        used |= {f"datasets/{name}/{version}" for name, version in _part(card, "datasets").items()}
    old = [objects(store, name, sizes, [f"{name}/TABLES"]) for name, sizes in folders.items() if name not in used]
    return Findings(len(folders), old)


def _folders(store: Store, root: str, depth: int) -> dict[str, Sizes]:
    """Sizes of the objects in each folder that is ``depth`` below ``root``."""
    folders: dict[str, Sizes] = defaultdict(dict)
    for key, size in store.sizes(f"{root}/").items():
        parts = key.split("/")
        if len(parts) > depth + 1:
            folders["/".join(parts[: depth + 1])][key] = size
    return dict(folders)


def _old(store: Store, folders: Mapping[str, Sizes], mark: str, kept: set[str], now: datetime) -> Findings:
    """Complete folders that are not kept, and incomplete ones of another day; ``mark`` is what completes a folder."""
    old: list[Garbage] = []
    for name, sizes in folders.items():
        complete = f"{name}/{mark}" in sizes
        if name not in kept and (complete or is_before(name.split("/")[-1], now - UNFINISHED)):
            old.append(objects(store, name if complete else f"{name} (unfinished)", sizes, [f"{name}/{mark}"]))
    return Findings(len(folders), old)


def _kept_releases(store: Store, folders: Mapping[str, Sizes], keep: int) -> set[str]:
    return {
        *sorted(_complete(folders, MANIFEST))[-keep:],
        *(f"releases/{version}" for version in named_versions(store)),
    }


def _kept_models(store: Store, folders: Mapping[str, Sizes], keep: int) -> set[str]:
    by_kind: dict[str, list[str]] = defaultdict(list)
    complete = _complete(folders, CARD)
    for name in sorted(complete):
        by_kind[name.split("/")[1]].append(name)
    used = {
        f"models/{kind}/{_part(manifest, 'parameters').get(kind)}"
        for manifest in _manifests(store, keep)
        for kind in by_kind
    }
    return {name for names in by_kind.values() for name in names[-keep:]} | (used & complete)


def _manifests(store: Store, keep: int) -> Iterator[Mapping[str, Any]]:
    """Manifests of the kept releases, of any schema version."""
    folders = _folders(store, "releases", 1)
    for name in sorted(_kept_releases(store, folders, keep) & _complete(folders, MANIFEST)):
        yield _json(store.get(f"{name}/{MANIFEST}"))


def _complete(folders: Mapping[str, Sizes], mark: str) -> set[str]:
    """Folders with the file that is written last."""
    return {name for name, sizes in folders.items() if f"{name}/{mark}" in sizes}


def _json(data: bytes) -> Mapping[str, Any]:
    """A JSON object; an empty one if the data are something else, which then names nothing to keep."""
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}
