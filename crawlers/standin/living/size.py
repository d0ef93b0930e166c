"""How large a living world is."""

from dataclasses import dataclass

# Rows a day of channel 1, as seen on eleven days that followed each other.
_UNEVEN = (104, 83, 130, 56, 95, 46, 70, 30, 77, 34, 50)


@dataclass(frozen=True)
class Size:
    """Rows a day of each channel, which repeat in this order, and products of each category of the mall."""

    rows: dict[int, tuple[int, ...]]
    categories: tuple[int, ...]


MONTH = Size(
    rows={
        1: _UNEVEN,
        2: (48, 36, 52, 40, 61, 33, 45),
        3: (30, 44, 28, 39, 35),
        4: (60, 38, 72, 44, 51, 66, 29),
        5: (34, 26, 41, 30),
    },
    categories=(40, 61, 27, 120, 45, 33, 80, 18, 52, 100, 24, 75, 60),
)
SHORT = Size(
    rows={1: (20, 12, 26, 10, 16, 14), 2: (12, 10, 15), 3: (6, 9), 4: (13, 9, 15, 11), 5: (8, 10)},
    categories=(40, 3, 12, 45, 2, 3, 20, 2, 13, 2, 3, 2, 2),
)


def larger(size: Size, factor: int) -> Size:
    """Return a size with ``factor`` times as many rows a day, and as many products."""
    rows = {channel: tuple(count * factor for count in counts) for channel, counts in size.rows.items()}
    return Size(rows, tuple(count * factor for count in size.categories))
