"""Checks of the gate on models: completion of recipes, the encoder, ingredient vectors, the personal model."""

from collections.abc import Iterator
from math import sqrt

from pipelines.release.checks import Figure, at_least, at_most, not_behind
from pipelines.release.thresholds import Thresholds
from recommender.evaluation.results import (
    CompletionEvaluation,
    Difference,
    Evaluation,
    PersonalEvaluation,
    ServedCompletion,
    VectorEvaluation,
)
from recommender.manifest import Check


def completion_checks(
    served: ServedCompletion, completion: CompletionEvaluation, limits: Thresholds
) -> Iterator[Check]:
    """Held-out ingredients found through the served route, and compared with other methods and parts."""
    own, few, cases = limits.completion, limits.cases.minimum, served.cases
    what, meaning = f"share of {cases} held-out ingredients among the first ten", "recipes are not completed"
    for name, figures, limit in (
        ("titled", served.titled, own.min_hit_titled),
        ("untitled", served.untitled, own.min_hit_untitled),
    ):
        hit = figures.hit_at_10 if figures else None
        yield at_least(Figure(f"completion.{name}", hit, what, meaning, cases), limit, few)
    if cases < few:
        return
    tolerance = limits.live.tolerance
    for other, difference in served.ahead_of.items():
        what = f"hit@10 minus that of {'the live release' if other == 'live' else other}"
        yield not_behind(f"completion.{other}", difference, what, "recipes are completed worse", tolerance)
    if completion.blend_against and completion.cases >= few:
        best, ahead = min(completion.blend_against.items(), key=lambda pair: pair[1].hit_at_10)
        difference = Difference(cases=completion.cases, mean=ahead.hit_at_10, low=ahead.low, high=ahead.high)
        what, meaning = f"hit@10 of the blend minus that of {best}", "one ranker alone completes recipes better"
        yield not_behind("completion.rankers", difference, what, meaning, tolerance)


def _least_search(untrained: float, gain: float, titles: int) -> float:
    """The mean reciprocal rank that a trained encoder reaches, less half the error of a mean over so few titles.

    Reciprocal ranks are between 0 and 1, so their variance is at most m (1 - m). A few dozen titles that name their
    ingredients are found by an untrained encoder too, and leave nothing to gain.
    """
    error = sqrt(untrained * (1 - untrained) / max(titles, 1))
    return untrained + gain * (1 - untrained) - error / 2


def encoder_checks(evaluation: Evaluation, limits: Thresholds) -> Iterator[Check]:
    """Whether the encoder understands titles better than an untrained one, and the text index holds its vectors."""
    encoder, own, few = evaluation.encoder, limits.encoder, limits.cases.minimum
    titles, untrained = encoder.titles, evaluation.models.bert.untrained.mrr
    yield from _index_checks(evaluation, limits)
    for name, value, limit, what, meaning in (
        (
            "understood",
            encoder.understood,
            own.min_understood,
            f"share of {titles} titles with a vector",
            "the encoder knows hardly any word",
        ),
        (
            "found",
            encoder.found,
            own.min_found,
            f"share of {titles} titles that find their recipe, packaging added",
            "similar texts have no similar vectors",
        ),
        (
            "search",
            encoder.search.mrr if encoder.search.recipes else None,
            _least_search(untrained, own.min_gain, encoder.search.recipes),
            f"mean reciprocal rank of {encoder.search.recipes} titles among ingredient lists",
            f"the encoder is no better than an untrained one ({untrained:.3f})",
        ),
    ):
        yield at_least(Figure(f"encoder.{name}", value, what, meaning, titles), limit, few)
    what, meaning = f"mean cosine of {titles} different titles", "all texts look the same to the encoder"
    yield at_most(Figure("encoder.cosine", encoder.cosine, what, meaning, titles), own.max_cosine, few)


def _index_checks(evaluation: Evaluation, limits: Thresholds) -> Iterator[Check]:
    encoder, own = evaluation.encoder, limits.encoder
    titles = encoder.titles
    for name, value, limit, what, meaning in (
        (
            "index",
            encoder.index_cosine,
            own.min_index_cosine,
            f"mean cosine of {titles} titles to their rows of the text index",
            "the index was made by another encoder, or of other texts",
        ),
        (
            "recall",
            evaluation.index.recall_at_10 if titles else None,
            own.min_recall,
            "share of the ten nearest titles that the text index returns",
            "the text index misses what is nearest",
        ),
    ):
        yield at_least(Figure(f"encoder.{name}", value, what, meaning, titles), limit, limits.cases.minimum)


def vector_checks(vectors: VectorEvaluation, limits: Thresholds) -> Iterator[Check]:
    """What the ingredient vectors know of recipes and sections."""
    own, few, cases = limits.vectors, limits.cases.minimum, vectors.ingredients
    above = "standard deviations above shuffled names of pairs"
    for name, value, limit, what, meaning in (
        (
            "covered",
            vectors.covered,
            own.min_covered,
            "share of the ingredient lines of recipes with a vector",
            "most ingredients have no vector",
        ),
        (
            "together",
            vectors.together,
            own.min_together,
            f"{above} that share a recipe",
            "the vectors do not know what goes together",
        ),
        (
            "recipes",
            vectors.recipes,
            own.min_recipes,
            "share of recipes that their ingredients' vectors find",
            "the recipe index was made of other vectors, or of other recipes",
        ),
        ("alike", vectors.alike, own.min_alike, f"{above} of one section", "the vectors do not know what is alike"),
    ):
        yield at_least(Figure(f"vectors.{name}", value, what, meaning, cases), limit, few)


def personal_checks(
    personal: PersonalEvaluation | None, live: PersonalEvaluation | None, limits: Thresholds
) -> Iterator[Check]:
    """Nothing if neither release has a personal model: the relations that answer in its place have their own checks."""
    if personal is None and live is None:
        return
    own, few = limits.personal, limits.cases.minimum
    people, recall = (personal.people, personal.served.recall_at_20) if personal else (0, None)
    what = f"recall@20 of what {people} people took next"
    if personal is None:
        what += ", by a personal model, which the live release has and this one lacks"
    meaning = "people are not shown what they take"
    yield at_least(Figure("personal.next_items", recall, what, meaning, people), own.min_recall, few)
    if personal is None or people < few:
        return
    best = min(personal.rivals, key=lambda rival: personal.ahead_of[rival].mean)
    what, meaning = f"recall@20 minus that of {best}", "a simple method knows better what people take"
    yield not_behind("personal.rivals", personal.ahead_of[best], what, meaning, own.tolerance)
    what = "recall@20 of the released model minus that of one that has not learnt the answers"
    meaning = "the released model is not the one that was measured"
    yield not_behind("personal.released", personal.ahead_of["held_out"], what, meaning, own.tolerance)
