"""Training of the personal model: EASE on everybody's interactions, with weights chosen on a slice of the time."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Engine

from artifacts.store import Store
from pipelines.code_version import code_version
from pipelines.train import models
from pipelines.train.interactions import Interaction, NotEnoughEvents, read_interactions
from pipelines.train.item2vec import BEFORE, EASE, MIN_EVENTS, Limits, by_person, frequent_items
from pipelines.train.models import HELD_OUT, ModelCard, SavedModel
from recommender.evaluation.next_items import Person, PersonalCases, suggested_hits
from recommender.evaluation.results import PersonalFigures
from recommender.product_ref import product_of
from recommender.rankers.cases import named_basket_matrix
from recommender.rankers.ease import fit_ease
from recommender.rankers.personal import DAY, PersonalConfig, PersonalModel, largest_weights, recent_popularity
from recommender.rankers.taken import Taken

log = structlog.get_logger(__name__)

# Weights are chosen on what happened between this share of the interactions and BEFORE.
LEARNT: Final = 0.8
# People who came back in a slice; with fewer its mean says nothing.
MIN_PEOPLE: Final = 20
HALF_LIVES: Final = (1000.0, 180.0, 90.0, 30.0, 10.0, 3.0)
POPULARITY_HALF_LIVES: Final = (1000.0, 90.0, 30.0, 14.0, 7.0, 4.0, 2.0, 1.0)
POPULARITY_WEIGHTS: Final = (0.0, 0.1, 0.3, 0.7, 1.0, 1.5, 3.0)


def train(
    warehouse: Engine, store: Store, now: datetime, purchases: Path | None = None, limits: Limits | None = None
) -> SavedModel[PersonalFigures] | NotEnoughEvents:
    """Learn from all interactions and store the model, with one that has not learnt what came after the cut."""
    interactions = read_interactions(warehouse, purchases)
    learnt = learn(interactions, limits or Limits())
    if isinstance(learnt, NotEnoughEvents):
        return learnt
    model, held_out, figures = learnt
    card = ModelCard[PersonalFigures](
        datasets={},
        code_version=code_version(),
        parameters={**model.config.model_dump(), "ease_penalty": EASE.penalty},
        seed=0,
        figures=figures,
    )
    with tempfile.TemporaryDirectory(prefix="ukok-personal-") as scratch:
        model.write(Path(scratch))
        held_out.write(Path(scratch) / HELD_OUT)
        saved = models.save(store, "personal", Path(scratch), card, now)
    log.info("personal_trained", version=saved.version, **saved.figures.model_dump())
    return saved


@dataclass(frozen=True)
class TrainedPersonal:
    """The newest model, and one of the same kind that has learnt what was before the cut (Unix time)."""

    version: str
    model: PersonalModel
    held_out: PersonalModel
    cut: float


def newest_personal(store: Store, scratch: Path) -> TrainedPersonal | None:
    """The model that was trained last; None if there has been too little to learn from."""
    if models.newest(store, "personal") is None:
        return None
    found = models.fetch_newest(store, "personal", scratch, ModelCard[PersonalFigures])
    model, held_out = (PersonalModel.read(folder) for folder in (found.folder, found.folder / HELD_OUT))
    return TrainedPersonal(found.version, model, held_out, found.card.figures.learnt_until)


def personal_cases(trained: TrainedPersonal, warehouse: Engine, purchases: Path | None) -> PersonalCases:
    """What the model is measured on: those who came back after its cut."""
    interactions = read_interactions(warehouse, purchases)
    counts = Counter(product_of(each.item) for each in interactions if each.time < trained.cut)
    return PersonalCases(trained.held_out, people_after(interactions, trained.cut), trained.cut, counts)


def learn(
    interactions: Sequence[Interaction], limits: Limits
) -> tuple[PersonalModel, PersonalModel, PersonalFigures] | NotEnoughEvents:
    """The model of all interactions, the one of those before the cut with the same weights, and its figures."""
    if len(interactions) < MIN_EVENTS:
        return NotEnoughEvents(len(interactions), MIN_EVENTS)
    chosen_from, cut = instant(interactions, LEARNT), instant(interactions, BEFORE)
    validation = people_after(_before(interactions, cut), chosen_from)
    tested = people_after(interactions, cut)
    if (fewest := min(len(validation), len(tested))) < MIN_PEOPLE:
        return NotEnoughEvents(fewest, MIN_PEOPLE, "of people who came back later")
    if not all(frequent_items(_before(interactions, until), limits) for until in (chosen_from, cut)):
        return NotEnoughEvents(0, 1, f"of products that {limits.min_people} people took")
    config = choose(interactions, chosen_from, validation, limits)
    held_out = fit(interactions, cut, config, limits)
    model = fit(interactions, max(each.time for each in interactions) + 1, config, limits)
    figures = PersonalFigures(
        events=len(interactions),
        products=len(model.products),
        chosen_on=len(validation),
        tested=len(tested),
        learnt_until=cut,
        repeated=_repeated(interactions, cut),
        served=suggested_hits(held_out, tested, cut).figures(),
    )
    return model, held_out, figures


def fit(interactions: Sequence[Interaction], until: float, config: PersonalConfig, limits: Limits) -> PersonalModel:
    """The model of what happened before ``until`` (Unix time)."""
    before = _before(interactions, until)
    names = frequent_items(before, limits)
    baskets = named_basket_matrix([sorted(items) for items in by_person(before).values()], names)
    weights = largest_weights(fit_ease(baskets, EASE).weights)
    return with_popularity(
        PersonalModel(config, tuple(map(product_of, names)), weights, _nothing(names)), before, until
    )


def with_popularity(model: PersonalModel, before: Iterable[Interaction], until: float) -> PersonalModel:
    """The model with the popularity at ``until`` by the half-life of its configuration.

    Of what a person did with a product the newest counts: a page that one reloads is not everybody's favourite.
    """
    rows = {product: row for row, product in enumerate(model.products)}
    newest: dict[tuple[int, str], float] = {}
    for each in before:
        if (row := rows.get(product_of(each.item))) is not None:
            newest[row, each.person] = max(each.time, newest.get((row, each.person), each.time))
    numbers = [row for row, _ in newest]
    seconds = [until - time for time in newest.values()]
    popularity = recent_popularity(
        np.array(numbers, np.intp), np.array(seconds) / DAY, model.config.popularity_half_life_days, len(rows)
    )
    return PersonalModel(model.config, model.products, model.weights, popularity)


def choose(
    interactions: Sequence[Interaction], until: float, validation: Sequence[Person], limits: Limits
) -> PersonalConfig:
    """Choose the half-lives and the weight of popularity, one after the other, by recall@20 on ``validation``."""
    before = _before(interactions, until)
    known = {product_of(each.item) for each in before}
    new = [product not in known for person in validation for product in person.wanted]
    model = fit(before, until, PersonalConfig(popularity_weight=0.0, new_share=sum(new) / len(new)), limits)
    stages: tuple[tuple[str, Sequence[float], Mapping[str, float]], ...] = (
        ("half_life_days", HALF_LIVES, {}),
        ("popularity_half_life_days", POPULARITY_HALF_LIVES, {"popularity_weight": 1.0}),
        ("popularity_weight", POPULARITY_WEIGHTS, {}),
    )
    for name, values, beside in stages:
        models = {value: with_popularity(_changed(model, {**beside, name: value}), before, until) for value in values}
        recalls = {value: suggested_hits(each, validation, until).recalls for value, each in models.items()}
        best = steadiest(recalls)
        means = {value: round(float(each.mean()), 4) for value, each in recalls.items()}
        log.info("personal_chosen", parameter=name, value=best, recall=means)
        model = models[best]
    return model.config


def steadiest(recalls: Mapping[float, NDArray[np.float64]]) -> float:
    """The value (half-lives are ordered from the longest, weights from the least) that is no worse than the best.

    That is the first one that is behind the best by less than a standard error of their paired difference: the best of
    many is partly luck, and what follows the last days or everybody's taste least is the steadiest.
    """
    best = max(recalls.values(), key=lambda each: float(each.mean()))
    behind = {value: best - each for value, each in recalls.items()}
    return next(value for value, by in behind.items() if by.mean() <= by.std() / np.sqrt(len(by)))


def instant(interactions: Sequence[Interaction], share: float) -> float:
    """The instant (Unix time) before which ``share`` of the interactions happened."""
    times = sorted(each.time for each in interactions)
    return times[int(share * len(times))]


def people_after(interactions: Iterable[Interaction], cut: float) -> list[Person]:
    """Those who had taken something before the cut and took something new after it, in a fixed order."""
    histories: dict[str, dict[str, float]] = {}
    later: dict[str, set[str]] = {}
    for each in sorted(interactions, key=lambda each: each.time):
        if each.time < cut:
            histories.setdefault(each.person, {}).pop(each.item, None)
            histories[each.person][each.item] = each.time
        else:
            later.setdefault(each.person, set()).add(each.item)
    new = {person: later[person] - histories[person].keys() for person in sorted(later) if person in histories}
    return [
        Person(_newest_first(histories[person]), frozenset(map(product_of, items)))
        for person, items in new.items()
        if items
    ]


def _before(interactions: Iterable[Interaction], until: float) -> list[Interaction]:
    return [each for each in interactions if each.time < until]


def _newest_first(history: Mapping[str, float]) -> tuple[Taken, ...]:
    return tuple(Taken(product_of(item), at) for item, at in reversed(list(history.items())))


def _repeated(interactions: Iterable[Interaction], cut: float) -> float:
    """Share of what people who were there before took after the cut that they had taken before."""
    before = by_person(_before(interactions, cut))
    after = by_person(each for each in interactions if each.time >= cut)
    again = [item in before[person] for person, items in after.items() if person in before for item in items]
    return sum(again) / len(again) if again else 0.0


def _changed(model: PersonalModel, change: Mapping[str, float]) -> PersonalModel:
    config = model.config.model_copy(update=change)
    return PersonalModel(config, model.products, model.weights, model.popularity)


def _nothing(names: Sequence[str]) -> NDArray[np.float32]:
    return np.zeros(len(names), np.float32)
