"""Trained models in the artifact store: ``models/<kind>/<version>/``, ``model.json`` written last."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from artifacts.store import Store, StoreError

Kind = Literal["word2vec", "bert"]
ABOUT = "model.json"


@dataclass(frozen=True)
class Model:
    """A model in a local folder."""

    version: str
    folder: Path

    @cached_property
    def about(self) -> dict[str, Any]:
        """Data set, code version, parameters, seed and figures."""
        about: dict[str, Any] = json.loads((self.folder / ABOUT).read_text(encoding="utf-8"))
        return about

    @property
    def figures(self) -> dict[str, Any]:
        """How the model was judged when it was trained."""
        return dict(self.about["figures"])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Ingredient names of a Word2Vec model, in the order of its vectors."""
        return tuple(json.loads((self.folder / "names.json").read_text(encoding="utf-8")))

    def array(self, name: str) -> NDArray[np.float32]:
        """A matrix of the model: ``input`` or ``output`` vectors (names, d) of Word2Vec."""
        matrix: NDArray[np.float32] = np.load(self.folder / f"{name}.npy")
        return matrix


def keep(store: Store, kind: Kind, folder: Path, about: Mapping[str, Any], now: datetime) -> str:
    """Store the files of ``folder`` with what there is to say ``about`` them; returns the version."""
    (folder / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=2, sort_keys=True), encoding="utf-8")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ABOUT)
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + path.read_bytes())
    version = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest.hexdigest()[:10]}"
    for path in [*files, folder / ABOUT]:
        store.put_file(f"models/{kind}/{version}/{path.relative_to(folder).as_posix()}", path)
    return version


def newest(store: Store, kind: Kind) -> str | None:
    """Version of the model trained last."""
    finished = [key.split("/")[2] for key in store.list(f"models/{kind}/") if key.endswith(f"/{ABOUT}")]
    return max(finished, default=None)


def read_figures(store: Store, kind: Kind, version: str) -> dict[str, Any]:
    """Read how a model was judged when it was trained."""
    about: dict[str, Any] = json.loads(store.get(f"models/{kind}/{version}/{ABOUT}"))
    return dict(about["figures"])


def fetch_newest(store: Store, kind: Kind, folder: Path) -> Model:
    """Bring the model trained last into ``folder``; raises :class:`StoreError` when there is none."""
    version = newest(store, kind)
    if version is None:
        raise StoreError(f"no {kind} model is trained yet: run `ukok train {kind}` first")
    prefix = f"models/{kind}/{version}/"
    for key in store.list(prefix):
        path = folder / key.removeprefix(prefix)
        path.parent.mkdir(parents=True, exist_ok=True)
        store.download(key, path)
    return Model(version, folder)
