"""Products of the catalog that a release may answer with, whether or not it knows them."""

from collections.abc import Iterator

from recommender.relations.facts import ProductFacts
from recommender.text.title_words import Kind
from serving.catalog.broadcasts import Schedule
from serving.catalog.mall import KokCatalog


def edible_products(kok: KokCatalog, schedule: Schedule) -> Iterator[ProductFacts]:
    """Yield the food and supplements that are listed by the mall or shown by a broadcaster."""
    shown = (shows[-1].product.facts for shows in schedule.by_product.values())
    for facts in (*(item.facts for item in kok.items.values() if item.listed), *shown):
        if facts.kind is not Kind.NONFOOD:
            yield facts
