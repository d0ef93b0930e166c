"""A service in memory that answers from a personal model alone: mall products without titles."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from recommender.bundle import ReleaseBundle
from recommender.loaded_release import LoadedRelease
from recommender.product_ref import KOK, ProductRef
from recommender.rankers.config import BlendConfig
from recommender.rankers.personal import PersonalModel
from recommender.relations.facts import ProductFacts
from recommender.text.title_words import Kind
from serving.catalog.mall import KokItem
from tests.builders import evaluations
from tests.builders.market import market
from tests.builders.market_release import train, write


def kok_items(numbers: Iterable[int]) -> dict[int, KokItem]:
    """Listed mall food by number, of which nothing else is known."""
    return {number: _item(ProductRef(KOK, number)) for number in numbers}


def release_with(model: PersonalModel, folder: Path) -> LoadedRelease:
    """The release of the synthetic market, whose products are others, with a personal model."""
    files = write(train(market(), folder / "encoder"), folder / "files")
    bundle = ReleaseBundle.read(files.folder, BlendConfig())
    return LoadedRelease(evaluations.manifest("bench"), replace(bundle, personal=model))


def _item(ref: ProductRef) -> KokItem:
    return KokItem(
        ref=ref,
        name=str(ref.product_id),
        store="",
        thumbnail=None,
        list_price=None,
        price=None,
        price_kind="unknown",
        discount_rate=0,
        review_count=0,
        review_score=0.0,
        listed=True,
        is_food=True,
        is_ingredient=False,
        ingredients=(),
        item_id=None,
        facts=ProductFacts(ref, str(ref.product_id), "", Kind.READY, (), (), 0.0, 0),
    )
