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
    rows={1: (26, 20, 32, 14, 24, 11, 17), 2: (14, 10, 17, 12), 3: (9, 12), 4: (16, 10, 18, 12), 5: (10, 12)},
    categories=(40, 3, 9, 60, 2, 4, 20, 3, 12, 2, 3, 2, 4),
)


def larger(size: Size, factor: int) -> Size:
    """Return a size with ``factor`` times as many rows a day, and as many products."""
    rows = {channel: tuple(count * factor for count in counts) for channel, counts in size.rows.items()}
    return Size(rows, tuple(count * factor for count in size.categories))
