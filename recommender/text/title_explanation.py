"""Why a title is read as it is: its words, the probabilities, and the features that weigh most."""

from dataclasses import dataclass
from typing import Final

from recommender.text.resolver import ResolvedTitle, TitleResolver
from recommender.text.title_model import QUESTIONS, Answers
from recommender.text.title_reading import RuleReading
from recommender.text.titles import normalise_title

# Features shown for each answer.
STRONGEST: Final = 8


@dataclass(frozen=True, slots=True)
class TitleExplanation:
    """How a title is read.

    ``words``: the title without its packaging. ``reasons``: for each question the features that add most to the log
    odds of yes, or take most from them, the strongest first.
    """

    title: str
    words: str
    reading: RuleReading
    answers: Answers
    reasons: dict[str, tuple[tuple[str, float], ...]]
    resolved: ResolvedTitle


def explain(resolver: TitleResolver, title: str, *, known_food: bool) -> TitleExplanation:
    """Resolve a title and say why; `known_food` as in :meth:`TitleResolver.resolve`."""
    (reading,) = resolver.read_many([title])
    parts = resolver.model.contributions(title, reading)
    reasons = {}
    for position, question in enumerate(QUESTIONS):
        weights = [(name, answers[position]) for name, answers in parts.items() if answers[position]]
        reasons[question] = tuple(sorted(weights, key=lambda each: (-abs(each[1]), each[0]))[:STRONGEST])
    return TitleExplanation(
        title=title,
        words=normalise_title(title),
        reading=reading,
        answers=resolver.model.answer(title, reading),
        reasons=reasons,
        resolved=resolver.resolve(title, known_food=known_food),
    )
