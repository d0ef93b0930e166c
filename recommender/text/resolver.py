"""Understand a product title: what kind of goods it is, of which types, and which cooking ingredients it names.

The rules of :mod:`~recommender.text.title_rules` read the words; the model of :mod:`~recommender.text.title_model`
decides from them and from the letters whether the title is food, an ingredient, and worth recipes.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recommender.text import amounts, lexicon, title_model, title_reading, title_rules, title_words, titles, units
from recommender.text.title_model import Answers, TitleModel, default_model
from recommender.text.title_reading import RuleReading
from recommender.text.title_rules import TitleRules
from recommender.text.title_words import FINISHED_KINDS, Kind

# Probabilities from which a title is food, and from which food is an ingredient.
FOOD: Final = 0.5
INGREDIENT: Final = 0.5
SPIRITS: Final = "전통주"
# Shelves of goods that are eaten as they are, and the probability that somebody cooks with those.
EATEN: Final = lexicon.words("titles")["eaten"]
NEVER: Final = 0.0
_CODE: Final = (amounts, title_model, title_reading, title_rules, title_words, titles, units)


@dataclass(frozen=True, slots=True)
class ResolvedTitle:
    """What a title says.

    ``types`` are what the product is, its head first; ``ingredients`` canonical names, the product's own first;
    ``recipes`` is the probability that somebody cooks with it.
    """

    kind: Kind
    types: tuple[str, ...]
    ingredients: tuple[str, ...]
    is_food: bool
    recipes: float

    @property
    def is_ingredient(self) -> bool:
        """Whether it is raw or basic rather than a finished dish."""
        return self.kind is Kind.INGREDIENT


class TitleResolver:
    """Resolves titles with a vocabulary of `variant -> canonical ingredient name` (the ingredient tables).

    An instance holds a morphological analyser (300 MB, 2 s to create) and is immutable.
    ``model`` gives the probabilities.
    """

    def __init__(self, vocabulary: Mapping[str, str], model: TitleModel | None = None) -> None:
        self._rules = TitleRules(title_words.title_words(vocabulary))
        self.model = model or default_model()
        self.version: str = resolver_version(vocabulary, self.model)

    def resolve(self, title: str, *, known_food: bool = False) -> ResolvedTitle:
        """Resolve one title. `known_food`: the shop sells only food, so this is not decided from the title."""
        return self.resolve_many([title], known_food=known_food)[0]

    def resolve_many(self, titles: Iterable[str], *, known_food: bool = False) -> list[ResolvedTitle]:
        """Resolve titles in order, several thousand a second."""
        given = list(titles)
        readings = self._rules.read_many(given)
        return [
            _decide(reading, self.model.answer(title, reading), known_food=known_food)
            for title, reading in zip(given, readings, strict=True)
        ]

    def read_many(self, titles: Sequence[str]) -> list[RuleReading]:
        """What the rules alone read in titles, for training and for titles of recipes."""
        return self._rules.read_many(titles)

    def unknown_words(self, titles: Sequence[str]) -> Iterable[str]:
        """Nouns of titles that no word list knows, once for each title that has them."""
        return self._rules.unknown_words(titles)


def _decide(reading: RuleReading, answers: Answers, *, known_food: bool) -> ResolvedTitle:
    is_food = known_food or answers.food >= FOOD
    if not is_food:
        head = reading.head
        kind = Kind.SUPPLEMENT if head and head.word.sort == Kind.SUPPLEMENT else Kind.NONFOOD
        return ResolvedTitle(kind, reading.types_of(kind), (), False, 0.0)
    if reading.is_spirit:
        return ResolvedTitle(Kind.DRINK, (SPIRITS, *reading.types_of(Kind.DRINK)), (), True, NEVER)
    kind = _kind_of_food(reading, answers)
    types = reading.types_of(kind)
    is_eaten = kind in FINISHED_KINDS and bool(types) and lexicon.shelves().get(types[0]) in EATEN
    return ResolvedTitle(kind, types, reading.ingredients_of(kind), True, NEVER if is_eaten else answers.recipes)


def _kind_of_food(reading: RuleReading, answers: Answers) -> Kind:
    """The kind of what a shop of food sells. What is no food there is taken for one's health."""
    if answers.ingredient >= INGREDIENT:
        return Kind.INGREDIENT
    for_health = any(hit.word.sort == Kind.SUPPLEMENT for hit in reading.main)
    if answers.food < FOOD and (for_health or reading.finished_kind is None):
        return Kind.SUPPLEMENT
    return reading.finished_kind or Kind.READY


def resolver_version(vocabulary: Mapping[str, str], model: TitleModel | None = None) -> str:
    """The `version` of a :class:`TitleResolver`, without creating one.

    Twelve hex digits over the rules (the code, the numbers, the units, the lists), the model and the vocabulary.
    """
    digest = hashlib.sha256(lexicon.fingerprint_source())
    for path in (Path(__file__), *(Path(str(module.__file__)) for module in _CODE), units.TABLE):
        digest.update(path.read_bytes())
    digest.update((model or default_model()).to_text().encode())
    for pair in sorted(vocabulary.items()):
        digest.update("\t".join(pair).encode())
    return digest.hexdigest()[:12]
