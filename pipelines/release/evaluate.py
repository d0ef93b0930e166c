"""Completing a recipe: hide one ingredient of recipes that no model has seen and see which rank it gets among all.

The weights of the blend are fitted on a part of the recipes that its rankers did not learn from; figures come from a
third part. Full ranking, never sampled; every method answers the same cases.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipelines.train.corpora import RecipeCorpus, share
from pipelines.train.models import Model
from recommender.rankers.bert import NearestByText, recipe_vectors
from recommender.rankers.blend import Blend, Parts, Weights, standardised
from recommender.rankers.cases import Baskets, Cases, Ranker, Scores, baskets_of
from recommender.rankers.ease import ease, title_ease
from recommender.rankers.item_knn import cooccurrence, item_knn, popularity
from recommender.rankers.nearest import NearestRecipes, information
from recommender.rankers.ngrams import title_features
from recommender.rankers.word2vec import Word2Vec

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
Ranks = NDArray[np.float64]

LEAST_INGREDIENTS: Final = 4
GRAMS: Final = 4000
PENALTY: Final = 20.0
TITLE_PENALTY: Final = 10.0
TITLE_SCALE: Final = 2.0
WEIGHED_CASES: Final = 6000
RESAMPLES: Final = 1000
EVEN: Final = Weights(
    titled={"item_knn": 0.0, "ease": 0.0, "word2vec": 0.5, "nearest": 0.0, "title_ease": 1.0},
    untitled={"item_knn": 0.0, "ease": 1.0, "word2vec": 0.5, "nearest": 0.5, "title_ease": 0.0},
)


@dataclass(frozen=True)
class Hidden:
    """Cases and the item (cases,) hidden in each."""

    cases: Cases
    items: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.items)


def weigh(corpus: RecipeCorpus, word2vec: Model, encode: Encode) -> tuple[Blend, dict[str, Any]]:
    """The blend that serves, and how it and its rivals complete the recipes of the test part.

    `word2vec` learnt from the fitting part; `encode` gives unit vectors of texts. With too few recipes for a case the
    blend has fixed weights and there are no figures.
    """
    vectors = dict(
        zip(word2vec.names, zip(word2vec.array("input"), word2vec.array("output"), strict=True), strict=True)
    )
    fitting, training = corpus.fit(), corpus.train()
    draft = Blend(names := fitting.usual_names(), parts_of(fitting, names, vectors), EVEN)
    weights = weights_for(draft, hide(corpus.validation(), names, every=True))
    blend = Blend(names := training.usual_names(), parts_of(training, names, vectors), weights)
    hidden = hide(corpus.test(), names)
    if not len(hidden):
        return blend, {"cases": 0, "methods": {}, "weights": _plain(weights)}
    ranks = {name: ranks_of(scores, hidden) for name, scores in _all_scores(blend, training, encode, hidden)}
    return blend, {
        "cases": len(hidden),
        "candidates": len(names),
        "methods": {name: figures(found) for name, found in ranks.items()},
        "blend_against": {name: compare(ranks["blend"], found) for name, found in ranks.items() if name != "blend"},
        "weights": _plain(weights),
    }


def hide(corpus: RecipeCorpus, names: Sequence[str], *, every: bool = False) -> Hidden:
    """Hide one ingredient of each recipe with at least four known ones, by a fixed hash; with `every`, each in turn."""
    numbers = {name: number for number, name in enumerate(names)}
    rows: list[list[int]] = []
    titles: list[str] = []
    items: list[int] = []
    for recipe_id, title, basket in zip(corpus.recipe_ids.tolist(), corpus.titles, corpus.baskets, strict=True):
        known = [numbers[name] for name in basket if name in numbers]
        if len(known) < LEAST_INGREDIENTS:
            continue
        for position in range(len(known)) if every else [int(share("hide", recipe_id) * len(known))]:
            rows.append(sorted(known[:position] + known[position + 1 :]))
            titles.append(title)
            items.append(known[position])
    return Hidden(Cases(baskets_of(rows, len(names)), tuple(titles)), np.array(items, dtype=np.intp))


def parts_of(
    corpus: RecipeCorpus, names: Sequence[str], vectors: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
) -> Parts:
    """The rankers of the blend, learnt from `corpus` over the items `names`."""
    baskets = _baskets(corpus, names)
    features = title_features(corpus.titles, at_most=GRAMS)
    width = len(next(iter(vectors.values()))[0])
    unknown = (np.zeros(width, dtype=np.float32), np.zeros(width, dtype=np.float32))
    inputs, outputs = (np.array([vectors.get(name, unknown)[side] for name in names]) for side in (0, 1))
    return Parts(
        item_knn(baskets),
        ease(baskets, PENALTY),
        Word2Vec(inputs.reshape(len(names), width), outputs.reshape(len(names), width)),
        NearestRecipes(baskets, information(baskets), features, features.transform(corpus.titles)),
        title_ease(baskets, corpus.titles, features, scale=TITLE_SCALE, penalty=TITLE_PENALTY),
    )


def weights_for(draft: Blend, hidden: Hidden) -> Weights:
    """Weights that rank the hidden items best, starting from the best single ranker; fixed ones without cases."""
    if not len(hidden):
        return draft.weights
    step = -(-len(hidden) // WEIGHED_CASES)
    rows = np.arange(0, len(hidden), step)
    titled = Cases(hidden.cases.given[rows], tuple(hidden.cases.titles[row] for row in rows))
    found = [_ascend(draft.parts.named(), Hidden(cases, hidden.items[rows])) for cases in (titled, titled.untitled())]
    return Weights(titled=found[0], untitled=found[1])


def ranks_of(scores: Scores, hidden: Hidden) -> Ranks:
    """Rank (cases,) of each hidden item among the items that are not given, from 1; ties share their mean rank."""
    open_scores = np.where(hidden.cases.given.toarray() > 0, -np.inf, scores)
    own = scores[np.arange(len(hidden)), hidden.items][:, None]
    better, equal = (open_scores > own).sum(axis=1), (open_scores == own).sum(axis=1)
    ranks: Ranks = better + (equal + 1) / 2
    return ranks


def figures(ranks: Ranks) -> dict[str, float]:
    """hit@10, hit@50 and mean reciprocal rank."""
    return {
        "hit@10": float((ranks <= 10).mean()),
        "hit@50": float((ranks <= 50).mean()),
        "mrr": float((1 / ranks).mean()),
    }


def compare(ours: Ranks, theirs: Ranks) -> dict[str, float]:
    """Difference in hit@10 with its 95 % interval, by paired bootstrap over the cases."""
    difference = (ours <= 10).astype(np.float64) - (theirs <= 10)
    random = np.random.default_rng(len(difference))
    means = difference[random.integers(0, len(difference), (RESAMPLES, len(difference)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975]).tolist()
    return {"hit@10": float(difference.mean()), "low": low, "high": high}


def _all_scores(blend: Blend, corpus: RecipeCorpus, encode: Encode, hidden: Hidden) -> list[tuple[str, Scores]]:
    """Scores (cases, items) of the blend, its parts and its rivals, by name."""
    nearest, untitled = blend.parts.nearest, hidden.cases.untitled()
    texts = recipe_vectors(encode, corpus.titles, corpus.baskets)
    rivals: dict[str, Ranker] = {
        "popularity": popularity(nearest.baskets),
        "cooccurrence": cooccurrence(nearest.baskets),
        "nearest_title": replace(nearest, by_title=1.0),
        "bert": NearestByText(encode, blend.names, texts, nearest.baskets),
        **blend.parts.named(),
    }
    return [
        *((name, ranker.scores(hidden.cases)) for name, ranker in rivals.items()),
        ("nearest_ingredients", nearest.scores(untitled)),
        ("blend_untitled", blend.batch(untitled)),
        ("blend", blend.batch(hidden.cases)),
    ]


def _ascend(rankers: Mapping[str, Ranker], hidden: Hidden) -> dict[str, float]:
    """Coordinate ascent from the best single ranker, with steps halved until nothing improves."""
    scores = {name: standardised(ranker.scores(hidden.cases), hidden.cases) for name, ranker in rankers.items()}
    quality = {name: _quality(found, hidden) for name, found in scores.items()}
    first = max(quality, key=lambda name: quality[name])
    weights = {name: float(name == first) for name in scores}
    total, best, step = scores[first].copy(), quality[first], 0.5
    while step >= 0.1:
        moved = False
        for name, change in ((name, change) for name in scores for change in (step, -step)):
            if weights[name] + change < 0:
                continue
            tried = total + np.float32(change) * scores[name]
            if (reached := _quality(tried, hidden)) > best:
                total, best, moved = tried, reached, True
                weights[name] += change
        if not moved:
            step /= 2
    return weights


def _quality(scores: Scores, hidden: Hidden) -> float:
    """The sum of the figures that are reported."""
    return sum(figures(ranks_of(scores, hidden)).values())


def _baskets(corpus: RecipeCorpus, names: Sequence[str]) -> Baskets:
    numbers = {name: number for number, name in enumerate(names)}
    lists = [sorted(numbers[name] for name in basket if name in numbers) for basket in corpus.baskets]
    return baskets_of(lists, len(names))


def _plain(weights: Weights) -> dict[str, dict[str, float]]:
    return {"titled": dict(weights.titled), "untitled": dict(weights.untitled)}
