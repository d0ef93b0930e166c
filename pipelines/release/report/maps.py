"""Maps of embeddings: vectors in two dimensions, so that what is alike lies together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.catalog import Catalog
from recommender.evaluation.proxies import evenly_spaced
from recommender.relations.space import UNKNOWN, ProductMatrix, Types
from recommender.text import lexicon

# Points of a map, and those of them with a name beside them: more cannot be read.
POINTS: Final = 300
NAMED: Final = 30
# Groups with a colour of their own; the smaller ones share one.
COLOURED: Final = 7
OTHERS: Final = "others"
# Fewer vectors show nothing.
MIN_POINTS: Final = 10
SEED: Final = 20250806
ITERATIONS: Final = 500


@dataclass(frozen=True)
class MapPoint:
    """A vector on the map; ``name`` is empty where none is shown."""

    x: float
    y: float
    group: str
    name: str = ""


@dataclass(frozen=True)
class EmbeddingMap:
    """The points of so many vectors."""

    points: tuple[MapPoint, ...]
    vectors: int

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, the largest first, what is left over last."""
        counts = Counter(point.group for point in self.points)
        return tuple(sorted(counts, key=lambda group: (group == OTHERS, -counts[group], group)))


def ingredient_map(names: Sequence[str], vectors: NDArray[np.float32], catalog: Catalog) -> EmbeddingMap | None:
    """The most used ingredients that have a vector, by section of the lexicon."""
    used, sections = catalog.recipes_by_ingredient, lexicon.ingredients().kind
    known = [row for row in np.flatnonzero(vectors.any(axis=1)).tolist() if names[row] in used]
    rows = sorted(known, key=lambda row: (-len(used[names[row]]), names[row]))[:POINTS]
    groups = [sections.get(names[row], OTHERS) for row in rows]
    shown = [names[row] if place < NAMED else "" for place, row in enumerate(rows)]
    return _map(vectors[rows], groups, shown, len(known))


def product_map(products: ProductMatrix, types: Types) -> EmbeddingMap | None:
    """Products evenly spaced over the catalog whose title has a vector, by the shelf where they stand."""
    shelves = sorted({*types.shelves} - {""})
    known = np.flatnonzero(products.vectors.any(axis=1)).tolist()
    rows = list(evenly_spaced(known, POINTS))
    numbers = products.shelves[rows].tolist()
    groups = [OTHERS if number == UNKNOWN else shelves[number] for number in numbers]
    return _map(products.vectors[rows], groups, [""] * len(rows), len(known))


def _map(vectors: NDArray[np.float32], groups: Sequence[str], names: Sequence[str], total: int) -> EmbeddingMap | None:
    if len(vectors) < MIN_POINTS:
        return None
    largest = {group for group, _ in Counter(group for group in groups if group != OTHERS).most_common(COLOURED)}
    places = _places(vectors)
    return EmbeddingMap(
        tuple(
            MapPoint(x, y, group if group in largest else OTHERS, name)
            for (x, y), group, name in zip(places.tolist(), groups, names, strict=True)
        ),
        total,
    )


def _places(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Places (vectors, 2) by t-SNE of cosine distances, in one thread: sums of several depend on their number."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        places = TSNE(
            metric="cosine",
            init="pca",
            perplexity=min(30.0, (len(vectors) - 1) / 3),
            max_iter=ITERATIONS,
            random_state=SEED,
            n_jobs=1,
        ).fit_transform(vectors)
    return np.asarray(places, np.float64).round(3)
