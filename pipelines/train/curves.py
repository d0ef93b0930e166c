"""Learning curves: the loss of a training as it went on, in few enough points to be kept in the card of the model."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

# Points of a curve; each is the mean of the losses since the one before, which single batches would hide in noise.
POINTS: Final = 16


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CurvePoint(_Part):
    """After so many steps or epochs: the mean loss since the point before, and that on data that is not learnt from."""

    at: int
    loss: float
    held_out: float | None = None


class LearningCurve(_Part):
    """The loss of one training by the number of steps or epochs."""

    unit: Literal["step", "epoch"]
    points: tuple[CurvePoint, ...]


def curve_ends(total: int) -> list[int]:
    """After which steps of ``total`` a curve has a point: at most :data:`POINTS`, evenly spaced, the last one too."""
    count = min(POINTS, total)
    return [total * number // count for number in range(1, count + 1)]


def curve_of(unit: Literal["step", "epoch"], losses: Sequence[float]) -> LearningCurve:
    """The curve of the losses of every step or epoch."""
    spans = pairwise([0, *curve_ends(len(losses))])
    means = ((end, sum(losses[start:end]) / (end - start)) for start, end in spans)
    return LearningCurve(unit=unit, points=tuple(CurvePoint(at=end, loss=round(mean, 4)) for end, mean in means))
