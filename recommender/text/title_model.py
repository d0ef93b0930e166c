"""Probabilities that a title is food, an ingredient, and something that recipes are shown for.

Three logistic regressions over character n-grams of the title and over what the rules read in it. The weights that the
project ships (``lexicon/title_weights.tsv``) are learnt from the titles of ``lexicon/title_examples.tsv`` by
``python -m pipelines.train.titles``.
"""

import csv
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from io import StringIO
from typing import Final, NamedTuple

from recommender.text import lexicon
from recommender.text.title_reading import Hit, RuleReading
from recommender.text.title_words import FINISHED_KINDS, Kind
from recommender.text.titles import plain, without_brackets

WEIGHTS: Final = lexicon.FOLDER / "title_weights.tsv"
QUESTIONS: Final = ("food", "ingredient", "recipes")
BIAS: Final = "bias"
# How goods are packed says what they are: 500mg, 60정, 3개월분, 15포.
_PACKED: Final = {
    "mg": re.compile(r"\d\s*(?:mg|iu)(?![a-z])"),
    "tablets": re.compile(r"\d\s*(?:정|캡슐|꾸미|구미|알|t)(?![a-z가-힣])"),
    "days": re.compile(r"\d\s*(?:개월|주|일)(?:분|치)|\(\d+개월\)"),
    "sticks": re.compile(r"\d\s*(?:포|스틱|티백|t백|필|매)(?![a-z가-힣])"),
    "ml": re.compile(r"\d\s*(?:ml|l|리터)(?![a-z])"),
    "kg": re.compile(r"\d\s*(?:kg|킬로)(?![a-z])"),
    "heads": re.compile(r"\d\s*(?:마리|미|과|구|손|단|송이|망)(?![가-힣])"),
}
LONGEST_GRAM: Final = 4


class Answers(NamedTuple):
    """Probabilities: that a title is food, that food is an ingredient, that recipes are wanted beside it."""

    food: float
    ingredient: float
    recipes: float


@dataclass(frozen=True)
class TitleModel:
    """Weight of each feature for each of :data:`QUESTIONS`."""

    weights: Mapping[str, Answers]

    def answer(self, title: str, reading: RuleReading) -> Answers:
        """The probabilities for a title and what the rules read in it."""
        totals = list(self.weights.get(BIAS, Answers(0.0, 0.0, 0.0)))
        for feature, value in title_features(title, reading).items():
            weights = self.weights.get(feature)
            if weights:
                for question, weight in enumerate(weights):
                    totals[question] += weight * value
        return Answers(*(1 / (1 + math.exp(-max(-30.0, min(30.0, total)))) for total in totals))

    def contributions(self, title: str, reading: RuleReading) -> dict[str, Answers]:
        """What each feature of a title, and the bias, adds to the log odds of the answers."""
        given = {BIAS: 1.0} | title_features(title, reading)
        return {
            name: Answers(*(weight * value for weight in self.weights[name]))
            for name, value in given.items()
            if name in self.weights
        }

    def to_text(self) -> str:
        """The weights as tab-separated lines, for :func:`read_model`."""
        lines = sorted("\t".join((name, *(f"{weight:.4f}" for weight in row))) for name, row in self.weights.items())
        return "\n".join(("\t".join(("feature", *QUESTIONS)), *lines, ""))


def read_model(text: str) -> TitleModel:
    """Read what :meth:`TitleModel.to_text` wrote; raises ValueError with the line that is wrong."""
    rows = csv.reader(StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    if next(rows, None) != ["feature", *QUESTIONS]:
        raise ValueError(f"line 1: expected the columns feature, {', '.join(QUESTIONS)}")
    weights: dict[str, Answers] = {}
    for number, row in enumerate(rows, start=2):
        try:
            weights[row[0]] = Answers(*map(float, row[1:]))
        except (TypeError, ValueError, IndexError):
            raise ValueError(f"line {number}: expected a feature and {len(QUESTIONS)} weights, found {row!r}") from None
    return TitleModel(weights)


@cache
def default_model() -> TitleModel:
    """The model that the project ships."""
    return read_model(WEIGHTS.read_text(encoding="utf-8"))


def title_features(title: str, reading: RuleReading) -> dict[str, float]:
    """Features of a title: its n-grams, each weighted so that they sum to 1 in square, and those of the rules."""
    text = plain(title)
    grams = sorted(set(_grams(without_brackets(text))))
    weight = 1 / math.sqrt(len(grams)) if grams else 0.0
    head = reading.head.word.sort if reading.head else "no head"
    packed = (f"pack:{name} {head}" for name, pattern in _PACKED.items() if pattern.search(text))
    return dict.fromkeys(grams, weight) | dict.fromkeys((*_rule_features(reading), *packed), 1.0)


def _grams(text: str) -> Iterator[str]:
    """N-grams within words, which are framed by blanks."""
    for word in text.split():
        framed = f"_{word}_"
        for size in range(2, LONGEST_GRAM + 1):
            for start in range(len(framed) - size + 1):
                yield framed[start : start + size]


def _named(reading: RuleReading) -> Iterator[Hit]:
    """The hits of the main part; an ingredient that finished goods follow only says what those are made of."""
    follows = False
    for hit in reversed(reading.main):
        follows = follows or hit.word.sort in FINISHED_KINDS
        if not follows or hit.word.sort != Kind.INGREDIENT:
            yield hit


def _rule_features(reading: RuleReading) -> Iterator[str]:
    """Named ``rule:…``; no n-gram of a word contains a colon at that place, since it has at most four letters."""
    head = reading.head
    sorts = {hit.word.sort for hit in _named(reading)}
    if head is None:
        yield "rule:no head"
    else:
        yield f"rule:head {head.word.sort}{' open' if head.is_open else ''}"
        yield f"rule:shelf {head.word.shelf}" if head.word.shelf else "rule:no shelf"
    for sort in sorted(sorts):
        yield f"rule:has {sort}"
    if reading.is_spirit:
        yield "rule:spirit"
    if reading.hits and not {hit.word.sort for hit in reading.hits} & {Kind.NONFOOD, Kind.SUPPLEMENT}:
        yield "rule:all edible"
    if any(hit.word.sort == Kind.INGREDIENT for hit in reading.main) and Kind.INGREDIENT not in sorts:
        yield "rule:of ingredient"
    extras = [hit for hit in reading.hits if hit.part != reading.hits[0].part]
    if extras:
        yield "rule:extras"
    for sort in sorted({hit.word.sort for hit in extras} - sorts):
        yield f"rule:extra {sort}"
