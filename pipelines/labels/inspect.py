"""What the resolver makes of the titles of the catalog: why, which words it lacks, and where a label is worth most."""

from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from pipelines.labels.label import ProductLabel, State
from pipelines.labels.step import UnknownProduct
from pipelines.labels.table import ProductTitle, read_labels, read_titles
from pipelines.load.title_resolver import read_vocabulary, title_resolver
from recommender.product_ref import KOK, ProductRef, item_name
from recommender.relations.facts import SHOW_RECIPES
from recommender.text.resolver import FOOD, INGREDIENT, TitleResolver
from recommender.text.title_explanation import TitleExplanation, explain
from recommender.text.title_model import Answers


@dataclass(frozen=True)
class ShownTitle:
    """A title as the resolver reads it, and its label with the state of that, if a person has given one."""

    explanation: TitleExplanation
    label: ProductLabel | None = None
    state: State | None = None


@dataclass
class UnknownWord:
    """A word that no list knows: the number of titles with it, those of food among them, and one of these."""

    word: str
    titles: int = 0
    edible: int = 0
    example: str = field(default="")


class UncertainTitle(NamedTuple):
    """A title whose ``question`` is answered with a ``probability`` that is close to the threshold."""

    distance: float
    product: ProductRef
    title: str
    question: str
    probability: float


def show_title(service: Engine, name: str | ProductRef) -> ShownTitle:
    """Explain a title, or that of a product; raises :class:`~pipelines.labels.step.UnknownProduct`."""
    with service.connect() as conn:
        resolver = _resolver(conn)
        if isinstance(name, str):
            return ShownTitle(explain(resolver, name, known_food=False))
        product = read_titles(conn, [name]).get(name)
        label = read_labels(conn, [name]).get(name)
    if product is None:
        raise UnknownProduct(f"the service database has no product {item_name(name)}")
    explanation = explain(resolver, product.title, known_food=name.source == KOK)
    return ShownTitle(explanation, label, label.state(product.title) if label else None)


def unknown_words(service: Engine, size: int) -> list[UnknownWord]:
    """The words that no list knows and that most titles of food have, each title counted once."""
    with service.connect() as conn:
        resolver = _resolver(conn)
        titles = {each.title: each for each in read_titles(conn).values()}
    found: dict[str, UnknownWord] = {}
    for product in titles.values():
        for name in resolver.unknown_words([product.title]):
            word = found.setdefault(name, UnknownWord(name))
            word.titles += 1
            word.edible += product.is_edible
            if not word.example or (product.is_edible and word.edible == 1):
                word.example = product.title
    return sorted(found.values(), key=lambda word: (-word.edible, -word.titles, word.word))[:size]


def uncertain_titles(service: Engine, size: int) -> list[UncertainTitle]:
    """The unlabelled titles with a probability nearest to its threshold, each title once."""
    with service.connect() as conn:
        resolver = _resolver(conn)
        labels = read_labels(conn)
        products = [
            each
            for ref, each in read_titles(conn).items()
            if ref not in labels or labels[ref].state(each.title) != "applies"
        ]
    unique = list({each.title: each for each in reversed(products)}.values())
    readings = resolver.read_many([each.title for each in unique])
    rows = [
        _nearest(product, resolver.model.answer(product.title, reading))
        for product, reading in zip(unique, readings, strict=True)
    ]
    return sorted(rows)[:size]


def _nearest(product: ProductTitle, answers: Answers) -> UncertainTitle:
    """The question about a title whose answer is closest to the threshold, of those that decide something."""
    thresholds = {"food": FOOD, "ingredient": INGREDIENT, "recipes": SHOW_RECIPES}
    if product.ref.source == KOK:
        del thresholds["food"]
    elif answers.food < FOOD:
        thresholds = {"food": FOOD}
    question = min(thresholds, key=lambda name: abs(getattr(answers, name) - thresholds[name]))
    probability = float(getattr(answers, question))
    return UncertainTitle(abs(probability - thresholds[question]), product.ref, product.title, question, probability)


def _resolver(conn: Connection) -> TitleResolver:
    return title_resolver(read_vocabulary(conn))
