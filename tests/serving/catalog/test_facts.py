"""What the catalogs of the mall and of broadcasters know of a product's title."""

import pytest
from sqlalchemy import Engine, insert, update

from pipelines.release.products import read_products
from recommender.product_ref import ProductRef
from recommender.relations.facts import ProductFacts
from recommender.text.title_words import Kind
from serving.catalog.load_schedule import load_schedule
from serving.catalog.mall import load_kok
from sql.service.catalog import HomeShoppingProduct, KokProduct, ProductItem
from tests.builders import small_catalog
from tests.builders.small_catalog import BIG_ID, KOK

SOUP = {"kind": "ready", "product_types": "갈비탕|밀키트", "recipe_probability": 0.25}
# Its only show is cancelled, so that the API does not know it.
CANCELLED = ProductRef("hmall", 21_000_007)
UNRESOLVED = {"kind": None, "product_types": None, "recipe_probability": None}


@pytest.fixture
def filled(service: Engine) -> Engine:
    small_catalog.fill(service)
    return service


def facts(engine: Engine) -> dict[ProductRef, ProductFacts]:
    """What both catalogs know, by ref."""
    with engine.connect() as conn:
        sold = [item.facts for item in load_kok(conn).items.values()]
        shown = [show.product.facts for show in load_schedule(conn).by_live_id.values()]
    return {found.ref: found for found in (*sold, *shown)}


def change(engine: Engine, **values: object) -> None:
    """Change a product of the mall and one of a broadcaster alike."""
    with engine.begin() as conn:
        conn.execute(update(KokProduct).where(KokProduct.kok_product_id == 101).values(values))
        conn.execute(update(HomeShoppingProduct).where(HomeShoppingProduct.source_product_id == BIG_ID).values(values))


def test_both_catalogs_read_what_titles_were_understood_as(filled: Engine) -> None:
    change(filled, **SOUP)
    known = facts(filled)
    mall, shown = known[ProductRef("kok", 101)], known[ProductRef("hmall", BIG_ID)]
    for found in (mall, shown):
        assert (found.kind, found.types, found.recipes) == (Kind.READY, ("갈비탕", "밀키트"), 0.25)
        assert found.ingredients == ("감자",)
        assert "감자" in found.tokens
    assert (mall.title, mall.reviews, mall.item_id) == ("햇감자 3kg", 120, None)
    assert (shown.title, shown.reviews, shown.item_id) == ("강원도 햇감자 10kg", 0, None)


@pytest.mark.parametrize(
    ("flags", "kind", "recipes"),
    [
        ({"is_food": True, "is_ingredient": True}, Kind.INGREDIENT, 1.0),
        ({"is_food": True, "is_ingredient": False}, Kind.READY, 0.0),
        ({"is_food": False, "is_ingredient": False}, Kind.NONFOOD, 0.0),
    ],
)
def test_a_title_that_is_not_resolved_yet_is_guessed(
    filled: Engine, flags: dict[str, bool], kind: Kind, recipes: float
) -> None:
    change(filled, **UNRESOLVED, **flags)
    for ref in (ProductRef("kok", 101), ProductRef("hmall", BIG_ID)):
        found = facts(filled)[ref]
        assert (found.kind, found.types, found.recipes) == (kind, (), recipes)


def test_linked_listings_share_their_item(filled: Engine) -> None:
    with filled.begin() as conn:
        for source, number in (("kok", 101), ("hmall", BIG_ID)):
            row = {"source": source, "source_product_id": number, "item_id": "kok:101", "score": 1.0}
            conn.execute(insert(ProductItem), {**row, "method": "first" if source == "kok" else "title"})
    known = facts(filled)
    assert {known[ref].item_id for ref in (ProductRef("kok", 101), ProductRef("hmall", BIG_ID))} == {"kok:101"}


def test_a_release_is_built_from_what_the_api_reads(filled: Engine) -> None:
    change(filled, **SOUP)
    known = facts(filled)
    built = [each for each in read_products(filled) if each.ref != CANCELLED]
    assert len(built) > len(KOK)
    assert built == [known[each.ref] for each in built]


def test_a_release_holds_food_and_supplements_on_sale(filled: Engine) -> None:
    change(filled, is_food=False, kind="supplement")
    refs = {each.ref for each in read_products(filled)}
    assert {ProductRef("kok", 101), ProductRef("hmall", BIG_ID)} <= refs
    assert ProductRef("nsmall", 21_000_004) not in refs, "no food"
    assert ProductRef("kok", 106) not in refs, "no longer listed"
    change(filled, is_food=False, kind="nonfood")
    assert not {ProductRef("kok", 101), ProductRef("hmall", BIG_ID)} & {each.ref for each in read_products(filled)}
