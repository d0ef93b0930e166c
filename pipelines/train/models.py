"""Trained models in the artifact store: ``models/<kind>/<version>/``, ``model.json`` written last."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from artifacts.errors import StoreError
from artifacts.store import Store
from pipelines.train.curves import LearningCurve
from recommender.evaluation.results import Result

Kind = Literal["word2vec", "bert", "ranker", "item2vec", "personal"]
Figures = TypeVar("Figures", bound=Result)
CARD: Final = "model.json"
# Folder in that of a model: the model that its figures are of, which has not learnt the test part.
HELD_OUT: Final = "held_out"


class ModelCard(BaseModel, Generic[Figures]):
    """What a model was trained from, how it learnt, and how it was evaluated.

    ``datasets`` are snapshot versions by name, ``curves`` the trainings by what they learnt from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    datasets: dict[str, str]
    code_version: str
    parameters: dict[str, JsonValue]
    seed: int
    curves: dict[str, LearningCurve] = {}
    figures: Figures


@dataclass(frozen=True)
class TrainedModel(Generic[Figures]):
    """A model in a local folder."""

    version: str
    folder: Path
    card: ModelCard[Figures]


@dataclass(frozen=True)
class SavedModel(Generic[Figures]):
    """A model in the store."""

    version: str
    figures: Figures

    @property
    def outcome(self) -> str:
        """Its version, as a training prints it."""
        return self.version


def save(store: Store, kind: Kind, folder: Path, card: ModelCard[Figures], now: datetime) -> SavedModel[Figures]:
    """Store the files of ``folder`` with their ``card``."""
    (folder / CARD).write_text(card.model_dump_json(indent=2), encoding="utf-8")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != CARD)
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + path.read_bytes())
    version = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest.hexdigest()[:10]}"
    for path in [*files, folder / CARD]:
        store.put_file(f"models/{kind}/{version}/{path.relative_to(folder).as_posix()}", path)
    return SavedModel(version, card.figures)


def newest(store: Store, kind: Kind) -> str | None:
    """Version of the model that was trained last."""
    complete = [key.split("/")[2] for key in store.list(f"models/{kind}/") if key.endswith(f"/{CARD}")]
    return max(complete, default=None)


def fetch_newest(store: Store, kind: Kind, folder: Path, card: type[ModelCard[Figures]]) -> TrainedModel[Figures]:
    """Download the model that was trained last into ``folder``; raises :class:`StoreError` if there is none."""
    version = newest(store, kind)
    if version is None:
        raise StoreError(f"no {kind} model is trained yet: run `ukok train {kind}` first")
    prefix = f"models/{kind}/{version}/"
    for key in store.list(prefix):
        path = folder / key.removeprefix(prefix)
        path.parent.mkdir(parents=True, exist_ok=True)
        store.download(key, path)
    return TrainedModel(version, folder, _parse_card((folder / CARD).read_bytes(), prefix + CARD, kind, card))


def _parse_card(data: bytes, key: str, kind: Kind, card: type[ModelCard[Figures]]) -> ModelCard[Figures]:
    try:
        return card.model_validate_json(data)
    except ValidationError as error:
        raise StoreError(f"{key} is not valid ({error.error_count()} errors): run `ukok train {kind}` again") from None
