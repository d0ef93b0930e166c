"""What lists look like whoever judges them: answered, varied, ordered, of existing items, and near those of another."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Final

import numpy as np

from recommender.evaluation.answers import LISTED, Answer
from recommender.evaluation.catalog import Catalog
from recommender.evaluation.results import AgreementFigures, ListFigures

# The reason of a recipe names ingredients after this.
CONTAINS: Final = "contains:"
# Scores of a list of fewer items may well be equal.
MIN_SCORED: Final = 4

AnswerLists = Mapping[str, Sequence[Answer]]


def list_figures(lists: AnswerLists, catalog: Catalog, candidates: int) -> ListFigures:
    """Figures of the first ten answers to each query, of ``candidates`` items that there are to answer with."""
    heads = {query: list(answers[:LISTED]) for query, answers in lists.items()}
    items = Counter(answer.item for answers in heads.values() for answer in answers)
    scores = [[answer.score for answer in answers if answer.score is not None] for answers in heads.values()]
    scored = [np.array(each) for each in scores if len(each) >= MIN_SCORED]
    shown = items.total()
    reasons = [_is_true(answer, catalog) for answers in heads.values() for answer in answers]
    known = [each for each in reasons if each is not None]
    return ListFigures(
        asked=len(heads),
        answered=_share([bool(answers) for answers in heads.values()]),
        diversity=len(items) / min(shown, candidates) if shown and candidates else None,
        concentration=sum(count for _, count in items.most_common(LISTED)) / shown if shown else None,
        repeated=sum(len(answers) - len({answer.item for answer in answers}) for answers in heads.values()),
        own=sum(answer.item == query for query, answers in heads.items() for answer in answers),
        unknown=sum(not catalog.holds(answer.item) for answers in heads.values() for answer in answers),
        not_finite=sum(not isfinite(score) for each in scores for score in each),
        unsorted=_share([bool((np.diff(scores) > 1e-6).any()) for scores in scored]),
        tied=_share([bool(np.ptp(scores) == 0) for scores in scored]),
        false_reasons=1 - sum(known) / len(known) if known else None,
    )


def agreement(ours: AnswerLists, theirs: AnswerLists) -> AgreementFigures:
    """Jaccard similarity of the first ten items of two lists, over the queries that both answer."""
    values = []
    for query, answers in ours.items():
        one = {answer.item for answer in answers[:LISTED]}
        other = {answer.item for answer in theirs.get(query, ())[:LISTED]}
        if one and other:
            values.append(len(one & other) / len(one | other))
    return AgreementFigures(queries=len(values), jaccard_at_10=sum(values) / len(values) if values else None)


def _is_true(answer: Answer, catalog: Catalog) -> bool | None:
    """Whether the item contains what its reason says; None for a reason that names no ingredient."""
    if not answer.reason.startswith(CONTAINS):
        return None
    entry = catalog.recipe_by_item.get(answer.item) or catalog.product_by_item.get(answer.item)
    names = answer.reason.removeprefix(CONTAINS).split(",")
    return entry is not None and set(names) <= set(entry.ingredients)


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None
