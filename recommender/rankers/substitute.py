"""A substitute of an ingredient, as it is answered; it needs no library."""

from enum import StrEnum
from typing import NamedTuple


class Relation(StrEnum):
    """What a substitute is to the ingredient."""

    OTHER_NAME = "other_name"  # the same thing, called otherwise: 숙주 and 숙주나물
    VARIETY = "variety"  # another kind of the same ingredient: 국간장 and 진간장
    SUBSTITUTE = "substitute"  # another ingredient


class Substitute(NamedTuple):
    """A substitute, the probability that a cook would accept it, and what it is to the ingredient."""

    name: str
    score: float
    relation: Relation
