"""Measurement of a release as it is served: opened from its files as the API does, and asked like it."""

from pathlib import Path
from typing import NamedTuple

from pipelines.release.arrays import array_problems
from pipelines.release.asks import AskedRelease
from pipelines.release.measure_models import encoder_evaluation, served_completion, text_recall, vector_evaluation
from pipelines.release.measure_personal import personal_evaluation
from pipelines.release.questions import Questions, evaluate_relation
from pipelines.release.steps import step
from recommender.evaluation.answers import product_item, recipe_item
from recommender.evaluation.catalog import Catalog
from recommender.evaluation.completion import evaluate_completion
from recommender.evaluation.naming import naming_figures
from recommender.evaluation.next_items import PersonalCases
from recommender.evaluation.results import ContentEvaluation, Evaluation, RelationEvaluation, unmeasured
from recommender.loaded_release import LoadedRelease
from recommender.rankers.bert import Encode
from recommender.rankers.blend import Blend


class HeldOutModels(NamedTuple):
    """A blend and an encoder like the released ones that have not learnt from the test part of the recipes.

    ``personal``: the same of the personal model, with those who came back later; None for a release without one.
    """

    blend: Blend
    encode: Encode
    personal: PersonalCases | None = None


def measure(
    folder: Path, asked: AskedRelease, questions: Questions, live: AskedRelease | None, held_out: HeldOutModels
) -> Evaluation:
    """Measure the release in ``folder``, which is open.

    Completion is measured with ``held_out`` models; the released ones have learnt from every recipe, and are asked
    too. Arrays that cannot be computed with are reported, and nothing else is measured then.
    """
    with step("check the files"):
        release, catalog = asked.release, questions.catalog
        content = _content_evaluation(folder, release, catalog)
    nothing = unmeasured(release.manifest.evaluation.models)
    if content.problems:
        return nothing.model_copy(update={"content": content})
    with step("measure completion"):
        completion = evaluate_completion(held_out.blend, catalog.corpus.fit(), catalog.corpus, held_out.encode)
        served = served_completion(release, catalog, live.release if live else None)
    with step("measure the relations"):
        relations = _relations(asked, questions, live)
    with step("measure the models"):
        models = {
            "encoder": encoder_evaluation(release, folder, catalog),
            "vectors": vector_evaluation(folder, catalog),
            "personal": personal_evaluation(release, held_out.personal),
            "index": text_recall(folder),
        }
    return nothing.model_copy(
        update={
            "content": content,
            "completion": completion,
            "served_completion": served,
            "relations": relations,
            **models,
            "live": live.release.version if live else None,
        }
    )


def _content_evaluation(folder: Path, release: LoadedRelease, catalog: Catalog) -> ContentEvaluation:
    """Compare the content of the files with the catalog."""
    here = release_items(release)
    there = {*catalog.product_by_item, *catalog.recipe_by_item}
    return ContentEvaluation(
        files=len(release.manifest.files),
        problems=tuple(array_problems(folder)),
        stale=len(here - there),
        missing=len(there - here),
        products=naming_figures(catalog.products),
        recipes=naming_figures(catalog.recipes),
    )


def release_items(release: LoadedRelease) -> frozenset[str]:
    """Ids of the products and recipes of a release."""
    recipes = (recipe_item(recipe_id) for recipe_id in release.recipe_ids.tolist())
    return frozenset([*map(product_item, release.bundle.products), *recipes])


def _relations(release: AskedRelease, questions: Questions, live: AskedRelease | None) -> dict[str, RelationEvaluation]:
    live_asks = live.asks if live else {}
    answered = {
        name: evaluate_relation(question, questions.catalog, release.asks[name], live_asks.get(name))
        for name, question in questions.of_release.items()
    }
    return {**answered, **questions.of_catalog}
