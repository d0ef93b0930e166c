"""Measurement of a release as it is served: opened from its files as the API does, and asked like it."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipelines.release.arrays import array_problems
from pipelines.release.asks import release_asks
from pipelines.release.measure_models import encoder_evaluation, served_completion, text_recall, vector_evaluation
from pipelines.release.measure_personal import personal_evaluation
from pipelines.release.questions import Questions, evaluate_relation
from recommender.bundle import ReleaseFile
from recommender.evaluation.answers import product_item, recipe_item
from recommender.evaluation.catalog import Catalog
from recommender.evaluation.completion import evaluate_completion
from recommender.evaluation.naming import naming_figures
from recommender.evaluation.next_items import PersonalCases
from recommender.evaluation.results import ContentEvaluation, Evaluation, RelationEvaluation, unmeasured
from recommender.loaded_release import LoadedRelease
from recommender.product_ref import ProductRef
from recommender.rankers.bert import Encode
from recommender.rankers.blend import Blend


class HeldOutModels(NamedTuple):
    """A blend and an encoder like the released ones that have not learnt from the test part of the recipes.

    ``personal``: the same of the personal model, with those who came back later; None for a release without one.
    """

    blend: Blend
    encode: Encode
    personal: PersonalCases | None = None


def measure(folder: Path, questions: Questions, live: LoadedRelease | None, held_out: HeldOutModels) -> Evaluation:
    """Measure the release in ``folder``; raises :class:`~artifacts.release.CorruptRelease` if it cannot be opened.

    Completion is measured with ``held_out`` models; the released ones have learnt from every recipe, and are asked
    too. Arrays that cannot be computed with are reported, and nothing else is measured then.
    """
    release, catalog = LoadedRelease.open(folder), questions.catalog
    content = _content_evaluation(folder, release, catalog)
    nothing = unmeasured(release.manifest.evaluation.models)
    if content.problems:
        return nothing.model_copy(update={"content": content})
    return nothing.model_copy(
        update={
            "content": content,
            "completion": evaluate_completion(held_out.blend, catalog.corpus, held_out.encode),
            "served_completion": served_completion(release, catalog, live),
            "relations": _relations(release, questions, live),
            "encoder": encoder_evaluation(release, folder, catalog),
            "vectors": vector_evaluation(folder, catalog),
            "personal": personal_evaluation(release, held_out.personal),
            "index": text_recall(folder),
            "live": live.version if live else None,
        }
    )


def _content_evaluation(folder: Path, release: LoadedRelease, catalog: Catalog) -> ContentEvaluation:
    """Compare the content of the files with the catalog."""
    here = release_items(folder, release)
    there = {*catalog.product_by_item, *catalog.recipe_by_item}
    return ContentEvaluation(
        files=len(release.manifest.files),
        problems=tuple(array_problems(folder)),
        stale=len(here - there),
        missing=len(there - here),
        products=naming_figures(catalog.products),
        recipes=naming_figures(catalog.recipes),
    )


def release_items(folder: Path, release: LoadedRelease) -> frozenset[str]:
    """Ids of the products and recipes of a release."""
    sources, ids = np.load(folder / ReleaseFile.PRODUCT_SOURCES), np.load(folder / ReleaseFile.PRODUCT_IDS)
    products = (product_item(ProductRef(*pair)) for pair in zip(sources.tolist(), ids.tolist(), strict=True))
    return frozenset(products) | {recipe_item(recipe_id) for recipe_id in release.recipe_ids.tolist()}


def _relations(
    release: LoadedRelease, questions: Questions, live: LoadedRelease | None
) -> dict[str, RelationEvaluation]:
    synonyms = questions.catalog.synonyms
    asks, live_asks = release_asks(release, synonyms), release_asks(live, synonyms) if live else {}
    answered = {
        name: evaluate_relation(question, questions.catalog, asks[name], live_asks.get(name))
        for name, question in questions.of_release.items()
    }
    return {**answered, **questions.of_catalog}
