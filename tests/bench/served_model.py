"""A service in memory that answers from a personal model alone: mall products without titles."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from recommender.bundle import ReleaseBundle
from recommender.loaded_release import LoadedRelease
from recommender.rankers.config import BlendConfig
from recommender.rankers.personal import PersonalModel
from serving.catalog.mall import KokItem
from tests.builders import evaluations
from tests.builders.kok_items import kok_item
from tests.builders.market import market
from tests.builders.market_release import train, write


def kok_items(numbers: Iterable[int]) -> dict[int, KokItem]:
    """Listed mall food by number, of which nothing else is known."""
    return {number: kok_item(number, str(number)) for number in numbers}


def release_with(model: PersonalModel, folder: Path) -> LoadedRelease:
    """The release of the synthetic market, whose products are others, with a personal model."""
    files = write(train(market(), folder / "encoder"), folder / "files")
    bundle = ReleaseBundle.read(files.folder, BlendConfig())
    return LoadedRelease(evaluations.manifest("bench"), replace(bundle, personal=model))
