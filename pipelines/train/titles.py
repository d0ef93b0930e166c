"""Training of the model that understands product titles.

``python -m pipelines.train.titles`` learns the weights of the project from its examples, after either has changed; with
``--labels FILE`` also from labels that ``ukok titles export`` wrote.
"""

import argparse
import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from pipelines.labels.label_file import RejectedLine, read_labels_file
from recommender.text import lexicon
from recommender.text.resolver import TitleResolver
from recommender.text.title_model import BIAS, QUESTIONS, WEIGHTS, Answers, TitleModel, title_features
from recommender.text.title_reading import RuleReading
from recommender.text.title_words import FOOD_KINDS, Kind

EXAMPLES: Final = lexicon.FOLDER / "title_examples.tsv"
# Inverse strength of the L1 penalty, which keeps the weights few.
REGULARISATION: Final = 6.0
SEED: Final = 20250806


@dataclass(frozen=True, slots=True)
class LabelledTitle:
    """A title with what people said of it; None where nobody said so.

    ``is_ingredient`` and ``has_recipes`` are about all that is swallowed, supplements too: a shop of food sells them.
    """

    title: str
    is_food: bool | None = None
    is_ingredient: bool | None = None
    has_recipes: bool | None = None

    @classmethod
    def of_kind(cls, title: str, kind: Kind, *, has_recipes: bool | None) -> "LabelledTitle":
        """A title whose kind is known."""
        if kind is Kind.NONFOOD:
            return cls(title, False)
        return cls(title, kind in FOOD_KINDS, kind is Kind.INGREDIENT, has_recipes)


def read_examples(path: Path = EXAMPLES) -> Iterator[LabelledTitle]:
    """Read title, kind and recipes of a tab-separated file; raises ValueError with the line that is wrong."""
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE), start=2):
            try:
                yield LabelledTitle.of_kind(row["title"], Kind(row["kind"]), has_recipes=row["recipes"] == "1")
            except (KeyError, ValueError) as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from None


def fit(resolver: TitleResolver, examples: Iterable[LabelledTitle]) -> TitleModel:
    """Fit the model on labelled titles; the same titles give the same weights."""
    rows = list(examples)
    readings = resolver.read_many([row.title for row in rows])
    return fit_readings(rows, readings)


def fit_readings(rows: Sequence[LabelledTitle], readings: Sequence[RuleReading]) -> TitleModel:
    """Fit the model on labelled titles that the rules have read."""
    vectorizer = DictVectorizer(dtype=np.float32)
    features = vectorizer.fit_transform(
        title_features(row.title, reading) for row, reading in zip(rows, readings, strict=True)
    )
    answers = {
        "food": [row.is_food for row in rows],
        "ingredient": [row.is_ingredient for row in rows],
        "recipes": [row.has_recipes for row in rows],
    }
    columns, biases = [], []
    for question in QUESTIONS:
        labelled = np.array([answer is not None for answer in answers[question]])
        model = LogisticRegression(
            C=REGULARISATION, l1_ratio=1.0, solver="liblinear", class_weight="balanced", random_state=SEED
        )
        model.fit(features[labelled], [answer for answer in answers[question] if answer is not None])
        columns.append(model.coef_[0])
        biases.append(float(model.intercept_[0]))
    weights = {BIAS: Answers(*biases)}
    for name, *values in zip(vectorizer.get_feature_names_out(), *columns, strict=True):
        if any(values):
            weights[name] = Answers(*map(float, values))
    return TitleModel(weights)


def read_labels(path: Path, now: datetime) -> Iterator[LabelledTitle]:
    """Read exported labels as examples; raises ValueError with the line that is wrong."""
    for row in read_labels_file(path, "unknown", now):
        if isinstance(row, RejectedLine):
            raise ValueError(f"{path.name}, {row.detail}")  # noqa: TRY004 - what is wrong is the file
        yield LabelledTitle.of_kind(row.title, row.kind, has_recipes=row.shows_recipes)


def main() -> None:
    """Write the weights that the project ships."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--labels", type=Path, help="CSV of `ukok titles export` to learn from besides the examples")
    labels: Path | None = parser.parse_args().labels
    resolver = TitleResolver(lexicon.ingredients().canonical, TitleModel({}))
    examples = [*read_examples(), *(read_labels(labels, datetime.now(UTC)) if labels else ())]
    WEIGHTS.write_text(fit(resolver, examples).to_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
