"""Products to buy for a recipe: the best ones of each of its ingredients."""

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

# Products of an ingredient that a recipe is offered.
PRODUCTS_PER_INGREDIENT: Final = 3

T = TypeVar("T")


def recipe_offers(
    names: NDArray[np.int32], importance: NDArray[np.float32], offers_of: Callable[[int], Sequence[T]]
) -> Iterator[tuple[T, float]]:
    """Yield (offer, importance of its ingredient) for a recipe with the ingredients ``names``.

    The best offer of each ingredient comes first, of the most important ingredient first; then the second best ones.
    """
    order = np.lexsort((names, -importance)).tolist()
    offers = [[(offer, float(importance[place])) for offer in offers_of(int(names[place]))] for place in order]
    return (offer for tier in zip_longest(*offers) for offer in tier if offer is not None)
