"""Small personal models."""

import tempfile
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from artifacts.store import Store
from pipelines.train import models
from pipelines.train.models import HELD_OUT, ModelCard
from recommender.evaluation.results import NextItemFigures, PersonalFigures
from recommender.product_ref import ProductRef
from recommender.rankers.personal import PersonalConfig, PersonalModel

NOTHING = NextItemFigures(recall_at_20=0.0, ndcg_at_20=0.0)


def model(
    products: Sequence[tuple[str, int]],
    weights: Mapping[tuple[int, int], float],
    popular: Collection[int] = (),
    config: PersonalConfig | None = None,
) -> PersonalModel:
    """A model with these weights from one product to another, by row, and some popular products."""
    matrix = np.zeros((len(products), len(products)), np.float32)
    for (taken, suggested), weight in weights.items():
        matrix[taken, suggested] = weight
    popularity = np.array([float(row in popular) for row in range(len(products))], np.float32)
    refs = tuple(ProductRef(*product) for product in products)
    return PersonalModel(config or PersonalConfig(), refs, sp.csr_array(matrix), popularity)


def save_model(store: Store, personal: PersonalModel, now: datetime) -> None:
    """Store a model as if it had been trained; the one that has not learnt everything is the same."""
    figures = PersonalFigures(
        events=0, products=0, chosen_on=0, tested=0, learnt_until=now.timestamp(), repeated=0.0, served=NOTHING
    )
    card = ModelCard[PersonalFigures](datasets={}, code_version="test", parameters={}, seed=0, figures=figures)
    with tempfile.TemporaryDirectory() as scratch:
        personal.write(Path(scratch))
        personal.write(Path(scratch) / HELD_OUT)
        models.save(store, "personal", Path(scratch), card, now)
