"""The datasets of each source that loads apply."""

from pipelines.load import kok, schedules
from recommender.product_ref import KOK


def datasets_of(source: str) -> tuple[str, str]:
    """Return the datasets of the mall or of a broadcaster."""
    return kok.DATASETS if source == KOK else schedules.DATASETS
