"""How the report words its figures."""

from datetime import datetime

from crawlers.parsing import KST

NOTHING = "—"


def number(value: float | None) -> str:
    """A count with its thousands set apart."""
    return NOTHING if value is None else f"{value:,.0f}"


def size(count: float) -> str:
    """Bytes in the largest unit that leaves a whole number before the point."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} GiB"


def milliseconds(value: float | None) -> str:
    """A latency."""
    return NOTHING if value is None else f"{value:,.0f} ms"


def share(value: float | None) -> str:
    """A share of 1 in percent; what is not all never shows as 100 %."""
    if value is None:
        return NOTHING
    return "100 %" if value == 1 else f"{min(100 * value, 99.9):.1f} %"


def percent(value: float) -> str:
    """A change in percent, with its sign."""
    return f"{value:+,.0f} %".replace("-", "−")


def duration(seconds: float) -> str:
    """A time of up to some hours."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def kst(instant: datetime) -> str:
    """An instant in Korea, to the minute."""
    return f"{instant.astimezone(KST):%Y-%m-%d %H:%M}"
