"""Measurement of the models of a release: completion, the sentence encoder, its index, the ingredient vectors."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.bundle import ReleaseFile
from recommender.evaluation.catalog import Catalog
from recommender.evaluation.metrics import ranking_figures
from recommender.evaluation.proxies import evenly_spaced
from recommender.evaluation.relevance import paired_difference
from recommender.evaluation.results import EncoderEvaluation, IndexEvaluation, ServedCompletion, VectorEvaluation
from recommender.evaluation.served import evaluate_indexes
from recommender.evaluation.title_search import evaluate_title_search
from recommender.evaluation.vectors import frequent, same_kind, shuffle_deviations, together
from recommender.loaded_release import LoadedRelease
from recommender.models.baskets import Baskets
from recommender.models.recipe_corpus import hash_fraction
from recommender.models.vector_index import VectorIndex
from recommender.rankers.word2vec import unit
from recommender.text import lexicon
from recommender.text.titles import normalise_title

# A recipe with fewer known ingredients is no case: too little is given.
MIN_INGREDIENTS: Final = 4
# Length of the list in which a held-out ingredient is looked for; further down its rank counts as none.
RANKED: Final = 50

Complete = Callable[[Sequence[str], str], Sequence[str]]


class HeldOut(NamedTuple):
    """A recipe's ingredients without one of them, and that one."""

    title: str
    given: tuple[str, ...]
    name: str


def served_completion(release: LoadedRelease, catalog: Catalog, live: LoadedRelease | None) -> ServedCompletion:
    """Complete held-out recipes as the API does, and compare with popularity and with the live release."""
    counts = Counter(name for recipe in catalog.recipes for name in recipe.ingredients)
    cases = _held_out(catalog, counts)
    if not cases:
        return ServedCompletion(cases=0)
    popular = [name for name, _ in counts.most_common()]
    ranks = {
        "titled": _ranks(cases, _complete(release)),
        "untitled": _ranks([case._replace(title="") for case in cases], _complete(release)),
        "popularity": _ranks(cases, lambda given, _: [name for name in popular if name not in given][:RANKED]),
    }
    figures = {name: ranking_figures(each) for name, each in ranks.items()}
    others = {"popularity": ranks["popularity"]}
    if live:
        others["live"] = _ranks(cases, _complete(live))
    ahead = {name: paired_difference(_hits(ranks["titled"]), _hits(each)) for name, each in others.items()}
    return ServedCompletion(cases=len(cases), **figures, ahead_of={name: each for name, each in ahead.items() if each})


def encoder_evaluation(release: LoadedRelease, folder: Path, catalog: Catalog) -> EncoderEvaluation:
    """Measure the encoder on recipe titles, evenly spaced over the catalog."""
    rows = np.array(evenly_spaced(range(len(catalog.corpus))), dtype=np.intp)
    corpus = catalog.corpus.part(rows)
    # The recipes that the card's figures are of: a mean reciprocal rank depends on how many are searched.
    search = evaluate_title_search(catalog.corpus.test(), release.encode)
    if not len(corpus):
        return EncoderEvaluation(titles=0, understood=None, cosine=None, found=None, search=search, index_cosine=None)
    vectors = release.encode(corpus.titles)
    return EncoderEvaluation(
        titles=len(corpus),
        understood=float(vectors.any(axis=1).mean()),
        cosine=_mean_cosine(vectors),
        found=float(np.mean([_finds_itself(release, title, catalog) for title in corpus.titles])),
        search=search,
        index_cosine=_index_cosine(release, folder, dict(zip(corpus.recipe_ids.tolist(), vectors, strict=True))),
    )


def text_recall(folder: Path) -> IndexEvaluation:
    """What the indexes of titles return of the vectors that they hold."""
    indexes = [VectorIndex.read(folder / name) for name in (ReleaseFile.RECIPE_TEXTS, ReleaseFile.PRODUCT_TEXTS)]
    return evaluate_indexes(*((index, index.vectors()) for index in indexes if len(index)))


def vector_evaluation(folder: Path, catalog: Catalog) -> VectorEvaluation:
    """Measure the ingredient vectors against the recipes of the catalog and the sections of the lexicon."""
    names: list[str] = json.loads((folder / ReleaseFile.INGREDIENTS).read_text(encoding="utf-8"))
    vectors = np.load(folder / ReleaseFile.INGREDIENT_VECTORS).astype(np.float32)
    counts = Counter(name for basket in catalog.corpus.baskets for name in basket)
    covered = sum(counts[name] for name, known in zip(names, vectors.any(axis=1).tolist(), strict=True) if known)
    return VectorEvaluation(
        ingredients=len(names),
        covered=covered / counts.total() if counts else None,
        recipes=_recipes_found(folder, names, vectors, catalog),
        together=_complements(folder, catalog),
        alike=_substitutes(names, vectors, catalog),
    )


def _recipes_found(folder: Path, names: Sequence[str], vectors: NDArray[np.float32], catalog: Catalog) -> float | None:
    """Search the recipe index as the API does, by the sum of the ingredients' vectors."""
    index = VectorIndex.read(folder / ReleaseFile.RECIPE_INDEX)
    ids = np.load(folder / ReleaseFile.RECIPE_IDS).tolist()
    numbers = {name: number for number, name in enumerate(names)}
    baskets = {recipe.recipe_id: frozenset(recipe.ingredients) for recipe in catalog.recipes}
    found = []
    for recipe in evenly_spaced(catalog.recipes):
        query = vectors[[numbers[name] for name in recipe.ingredients if name in numbers]].sum(axis=0, keepdims=True)
        if query.any():
            _, rows = index.search(unit(query), 10)
            nearest = (baskets.get(ids[row]) for row in rows[0].tolist() if row >= 0)
            found.append(frozenset(recipe.ingredients) in nearest)
    return float(np.mean(found)) if found else None


def _complements(folder: Path, catalog: Catalog) -> float | None:
    names: list[str] = json.loads((folder / ReleaseFile.BLEND).read_text(encoding="utf-8"))["names"]
    with np.load(folder / ReleaseFile.BLEND_RANKERS) as arrays:
        inputs, outputs = (arrays[f"word2vec_{part}"].astype(np.float32) for part in ("input", "output"))
    baskets = _baskets(catalog, names)
    rows = _known(frequent(baskets, len(names)), inputs)
    scores = inputs[rows] @ outputs[rows].T
    return shuffle_deviations(scores + scores.T, together(baskets, rows, len(names)))


def _substitutes(names: Sequence[str], vectors: NDArray[np.float32], catalog: Catalog) -> float | None:
    rows = _known(frequent(_baskets(catalog, names), len(names)), vectors)
    kinds = lexicon.ingredients().kind
    units = unit(vectors[rows])
    return shuffle_deviations(units @ units.T, same_kind([kinds.get(names[row]) for row in rows.tolist()]))


def _known(rows: NDArray[np.intp], vectors: NDArray[np.float32]) -> NDArray[np.intp]:
    return rows[vectors[rows].any(axis=1)]


def _baskets(catalog: Catalog, names: Sequence[str]) -> Baskets:
    numbers = {name: number for number, name in enumerate(names)}
    return Baskets.of([[numbers[name] for name in basket if name in numbers] for basket in catalog.corpus.baskets])


def _held_out(catalog: Catalog, counts: Counter[str]) -> Sequence[HeldOut]:
    """One ingredient of each recipe of the test part, chosen by a fixed hash among those that are frequent enough."""
    enough = max(1, min(5, len(catalog.corpus) // 50))
    corpus, cases = catalog.corpus.test(), []
    for recipe_id, title, basket in zip(corpus.recipe_ids.tolist(), corpus.titles, corpus.baskets, strict=True):
        known = [name for name in basket if counts[name] >= enough]
        if len(known) >= MIN_INGREDIENTS:
            chosen = known[int(hash_fraction("hide", recipe_id) * len(known))]
            cases.append(HeldOut(title, tuple(name for name in known if name != chosen), chosen))
    return evenly_spaced(cases)


def _complete(release: LoadedRelease) -> Complete:
    return lambda given, title: [name for name, _ in release.complete(given, RANKED, title)]


def _ranks(cases: Sequence[HeldOut], complete: Complete) -> NDArray[np.float64]:
    """Rank of each held-out ingredient, from 1; infinite below the end of the list."""
    ranks = []
    for case in cases:
        names = complete(case.given, case.title)
        ranks.append(names.index(case.name) + 1 if case.name in names else np.inf)
    return np.array(ranks, dtype=np.float64)


def _hits(ranks: NDArray[np.float64]) -> list[float]:
    return [float(hit) for hit in ranks <= 10]


def _mean_cosine(vectors: NDArray[np.float32]) -> float | None:
    known = vectors[vectors.any(axis=1)]
    if len(known) < 2:
        return None
    total = float(np.square(known.sum(axis=0, dtype=np.float64)).sum())
    return (total - len(known)) / (len(known) * (len(known) - 1))


def _finds_itself(release: LoadedRelease, title: str, catalog: Catalog) -> bool:
    """Whether a title that is written like a product's finds its recipe, or one of the same title, first."""
    found = release.recipes_by_text(normalise_title(f"[특가] {title} 500g x 2개"), 1)
    return any(catalog.recipe_by_item[f"recipe:{each.recipe_id}"].title == title for each in found)


def _index_cosine(release: LoadedRelease, folder: Path, vectors: dict[int, NDArray[np.float32]]) -> float | None:
    """Mean cosine of recipes' titles, those with a vector, to their rows in the index of titles."""
    held = VectorIndex.read(folder / ReleaseFile.RECIPE_TEXTS).vectors()
    rows = {recipe_id: row for row, recipe_id in enumerate(release.recipe_ids.tolist())}
    cosines = [
        float(held[rows[recipe_id]] @ vector)
        for recipe_id, vector in vectors.items()
        if recipe_id in rows and vector.any()
    ]
    return float(np.mean(cosines)) if cosines else None
