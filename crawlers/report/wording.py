"""Format the figures of a report."""

from datetime import datetime

from ukok.korea import KST

NOTHING = "—"


def number(value: float | None) -> str:
    """Format a count with thousands separators."""
    return NOTHING if value is None else f"{value:,.0f}"


def size(count: float) -> str:
    """Format bytes in the largest unit of which there is at least one."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} GiB"


def milliseconds(value: float | None) -> str:
    """Format a latency."""
    return NOTHING if value is None else f"{value:,.0f} ms"


def share(value: float | None) -> str:
    """Format a share of 1 in percent; a share below 1 never shows as 100 %."""
    if value is None:
        return NOTHING
    return "100 %" if value == 1 else f"{min(100 * value, 99.9):.1f} %"


def percent(value: float) -> str:
    """Format a change in percent, with its sign."""
    return f"{value:+,.0f} %".replace("-", "−")


def duration(seconds: float) -> str:
    """Format a duration of up to some hours."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def kst(instant: datetime) -> str:
    """Format an instant in Korean time, to the minute."""
    return f"{instant.astimezone(KST):%Y-%m-%d %H:%M}"
