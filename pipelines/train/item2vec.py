"""item2vec: Word2Vec on sessions of products, compared with popularity, item-kNN and EASE on what people took next."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Engine

from artifacts.store import Store
from pipelines.code_version import code_version
from pipelines.train import models
from pipelines.train.interactions import (
    Interaction,
    NotEnoughEvents,
    read_interactions,
    sessions,
    time_split,
)
from pipelines.train.models import ModelCard, SavedModel
from pipelines.train.word2vec import Word2VecParameters, fit_lists
from recommender.evaluation.next_items import NextItems, next_item_figures
from recommender.evaluation.results import Item2VecFigures, NextItemFigures
from recommender.models.word_vectors import WordVectors
from recommender.rankers.cases import Ranker, named_basket_matrix
from recommender.rankers.config import EaseConfig
from recommender.rankers.ease import fit_ease
from recommender.rankers.item_knn import fit_item_knn, fit_popularity
from recommender.rankers.word2vec import Word2Vec

log = structlog.get_logger(__name__)

MIN_EVENTS: Final = 1000
# Share of the time that is learnt from when figures are measured.
BEFORE: Final = 0.9
# Frequent items are drawn as negatives less often than rare ones, which finds better neighbours of the rare.
PARAMETERS: Final = replace(
    Word2VecParameters(), dimensions=64, ns_exponent=-0.5, sample=1e-3, epochs=50, words=2_000_000, max_epochs=200
)
EASE: Final = EaseConfig(penalty=100.0)


@dataclass(frozen=True)
class Limits:
    """An item needs so many people who took it; at most so many items are learnt, as EASE inverts a matrix of them."""

    min_people: int = 3
    max_items: int = 6000


def train(
    warehouse: Engine, store: Store, now: datetime, purchases: Path | None = None, limits: Limits | None = None
) -> SavedModel[Item2VecFigures] | NotEnoughEvents:
    """Train on all sessions and store the vectors, with figures of a model of the time before the cut."""
    interactions = read_interactions(warehouse, purchases)
    limits = limits or Limits()
    vectors = fit(interactions, limits) if len(interactions) >= MIN_EVENTS else None
    if vectors is None:
        return NotEnoughEvents(len(interactions), MIN_EVENTS)
    card = ModelCard[Item2VecFigures](
        datasets={},
        code_version=code_version(),
        parameters=asdict(PARAMETERS),
        seed=PARAMETERS.seed,
        figures=evaluate(interactions, limits),
    )
    with tempfile.TemporaryDirectory(prefix="ukok-item2vec-") as scratch:
        vectors.save(Path(scratch))
        saved = models.save(store, "item2vec", Path(scratch), card, now)
    log.info("item2vec_trained", version=saved.version, **saved.figures.model_dump())
    return saved


def fit(interactions: Iterable[Interaction], limits: Limits) -> WordVectors | None:
    """Vectors of the items that are taken up by enough people, or None if no session holds two of them."""
    taken = list(interactions)
    names = frequent_items(taken, limits)
    known = set(names)
    lists = ([item for item in session if item in known] for session in sessions(taken))
    usable = [items for items in lists if len(items) > 1]
    return fit_lists(usable, names, PARAMETERS).vectors if usable else None


def evaluate(interactions: Sequence[Interaction], limits: Limits) -> Item2VecFigures:
    """Figures on the last tenth of the time, of rankers that learnt from what was before."""
    before, after = time_split(interactions, BEFORE)
    names = frequent_items(before, limits)
    people = next_items(before, after, names)
    vectors = fit(before, limits) if len(people) else None
    methods: dict[str, NextItemFigures] = {}
    if vectors is not None:
        rankers = fit_rivals(before, names) | {"item2vec": Word2Vec(*vectors.aligned(names))}
        methods = {name: next_item_figures(ranker, people) for name, ranker in rankers.items()}
    return Item2VecFigures(
        events=len(interactions),
        people=len({each.person for each in interactions}),
        sessions=len(sessions(interactions)),
        items=len(frequent_items(interactions, limits)),
        tested=len(people),
        methods=methods,
    )


def fit_rivals(before: Sequence[Interaction], names: tuple[str, ...]) -> dict[str, Ranker]:
    """Popularity, item-kNN and EASE on what each person took up."""
    baskets = named_basket_matrix([sorted(items) for items in by_person(before).values()], names)
    return {"popularity": fit_popularity(baskets), "item_knn": fit_item_knn(baskets), "ease": fit_ease(baskets, EASE)}


def next_items(before: Sequence[Interaction], after: Sequence[Interaction], names: tuple[str, ...]) -> NextItems:
    """The people who were there before the cut and took up something new after it."""
    numbers = {name: number for number, name in enumerate(names)}
    histories, later = by_person(before), by_person(after)
    new = {person: later[person] - histories[person] for person in sorted(later) if person in histories}
    people = [person for person, items in new.items() if items]
    return NextItems(
        named_basket_matrix([sorted(histories[person]) for person in people], names),
        tuple(frozenset(numbers.get(item, -1 - place) for place, item in enumerate(sorted(new[p]))) for p in people),
    )


def frequent_items(interactions: Iterable[Interaction], limits: Limits) -> tuple[str, ...]:
    """Items by number of people who took them, most first."""
    counts = Counter(item for items in by_person(interactions).values() for item in items)
    often = (name for name, count in counts.items() if count >= limits.min_people)
    return tuple(sorted(often, key=lambda name: (-counts[name], name))[: limits.max_items])


def by_person(interactions: Iterable[Interaction]) -> Mapping[str, set[str]]:
    """What each person took."""
    items: dict[str, set[str]] = {}
    for each in interactions:
        items.setdefault(each.person, set()).add(each.item)
    return items
