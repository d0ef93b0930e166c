"""A release in service ranks products that are new since as it ranked its own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipelines.release.build import write_files
from recommender.bundle import ReleaseBundle, Target
from recommender.loaded_release import LoadedRelease
from recommender.models.encoder import Encoder
from recommender.models.recipe_corpus import corpus_of
from recommender.models.word_vectors import WordVectors
from recommender.product_ref import ProductRef
from recommender.rankers.config import BlendConfig
from recommender.relations.facts import ProductFacts, as_product
from recommender.relations.ranker import Ranker
from recommender.text.title_words import Kind
from tests.builders import tiny_release
from tests.builders.evaluations import manifest
from tests.builders.relations import items_of, product, ranker, recipe

RECIPES = [
    recipe(1, "감자조림", ("감자", "간장", "설탕"), named=("감자",)),
    recipe(2, "감자조림", ("감자", "간장", "물엿"), named=("감자",)),
    recipe(3, "감자 양파 볶음", ("양파", "감자"), named=("감자", "양파")),
    recipe(4, "두부조림", ("두부", "간장"), types=("두부조림",), named=("두부",)),
    recipe(5, "두부 부침", ("두부", "양파"), named=("두부",)),
]
POTATO = product(1, "햇감자 3kg", ingredients=("감자",))._replace(item_id="kok:1")
PRODUCTS = [
    POTATO,
    product(2, "수미 감자 1kg", ingredients=("감자",), reviews=9),
    product(3, "포슬 감자 5kg", ingredients=("감자",))._replace(item_id="kok:3"),
    product(4, "포슬 감자 5kg 특가", ingredients=("감자",))._replace(item_id="kok:3"),
    product(5, "두부 300g", ingredients=("두부",)),
    product(6, "두부조림 반찬", kind=Kind.READY, types=("두부조림",), ingredients=("두부",), recipes=0.3),
    product(21, "강원도 햇감자 10kg", source="hmall", ingredients=("감자",)),
    product(22, "국산콩 두부 10모", source="hmall", ingredients=("두부",)),
]
NEW = ProductRef("kok", 99)
TITLES = ranker(0.6, bias=-3.0, chars=9.0, same_main=3.0, cooked_main=6.0, finished_chars=9.0)


def release(folder: Path, one: Ranker) -> LoadedRelease:
    titles = [*(each.title for each in RECIPES), *(each.title for each in PRODUCTS)]
    words = {word for title in titles for word in title.split()}
    tiny_release.encoder(folder / "encoder", sorted(words))
    encoder = Encoder(folder / "encoder")
    items = items_of(PRODUCTS, RECIPES, one, encoder.encode)
    corpus = corpus_of(
        [(each.recipe_id, each.title, each.popularity) for each in RECIPES],
        [(each.recipe_id, name) for each in RECIPES for name in each.ingredients],
    )
    names = items.space.names
    vectors = np.random.default_rng(1).normal(size=(len(names), 4)).astype(np.float32)
    write_files(folder / "release", corpus, items, WordVectors(names, vectors, vectors), encoder, BlendConfig())
    return LoadedRelease(manifest("v1"), ReleaseBundle.read(folder / "release", BlendConfig()))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedRelease:
    return release(tmp_path_factory.mktemp("loaded"), TITLES)


def listing(known: ProductFacts) -> ProductFacts:
    """Another listing of an item of the release, that is new since."""
    return known._replace(ref=NEW, item_id=known.item_id or f"{known.ref.source}:{known.ref.product_id}")


def ids(found: Sequence[object]) -> list[int]:
    return [each.product.product_id for each in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize("target", ["kok", "home_shopping"])
@pytest.mark.parametrize("known", PRODUCTS, ids=lambda each: str(each.ref.product_id))
def test_a_new_product_gets_the_list_of_its_like(loaded: LoadedRelease, known: ProductFacts, target: Target) -> None:
    expected = loaded.similar_products(known.ref, target, 9)
    found = loaded.similar_to_new(listing(known), target, 9)
    assert [(each.product, each.reason) for each in found] == [(each.product, each.reason) for each in expected]
    assert [each.score for each in found] == pytest.approx([each.score for each in expected], abs=2e-4)


@pytest.mark.parametrize("known", PRODUCTS, ids=lambda each: str(each.ref.product_id))
def test_a_new_product_gets_the_recipes_of_its_like(loaded: LoadedRelease, known: ProductFacts) -> None:
    expected = loaded.product_recipes(known.ref, 9)
    found = loaded.recipes_for_new(listing(known), 9)
    assert expected
    assert [(each.recipe_id, each.reason) for each in found] == [(each.recipe_id, each.reason) for each in expected]


def test_a_release_knows_its_products(loaded: LoadedRelease) -> None:
    assert all(each.ref in loaded for each in PRODUCTS)
    assert NEW not in loaded
    assert loaded.similar_products(NEW, "kok", 9) == []
    assert loaded.product_recipes(NEW, 9) == []


def test_listings_of_one_item_come_once_for_a_new_product(loaded: LoadedRelease) -> None:
    found = ids(loaded.similar_to_new(POTATO._replace(ref=NEW, item_id=None), "kok", 9))
    assert found[0] == 1, "the same title, but another item"
    assert len({3, 4} & set(found)) == 1
    assert 1 not in ids(loaded.similar_to_new(POTATO._replace(ref=NEW), "kok", 9)), "its own item"


def test_recipes_of_one_title_come_once_for_a_new_product(loaded: LoadedRelease) -> None:
    found = [each.recipe_id for each in loaded.recipes_for_new(POTATO._replace(ref=NEW), 9)]
    assert found[:2] in ([1, 3], [3, 1])
    assert 2 not in found


def test_a_new_product_that_is_like_nothing_gets_nothing(loaded: LoadedRelease) -> None:
    odd = product(98, "xyz", kind=Kind.DRINK, types=("모르는 것",), recipes=0.0)
    assert loaded.similar_to_new(odd, "kok", 9) == []
    assert loaded.recipes_for_new(odd, 9) == []


def test_an_ingredient_is_bought_in_the_mall(loaded: LoadedRelease) -> None:
    found = loaded.ingredient_products(as_product("감자", "햇감자", "햇감자"), 9)
    assert found[0].product == POTATO.ref, "the title as it was written decides among potatoes"
    assert set(ids(found)) <= {1, 2, 3, 4}
    assert {each.reason for each in found} == {"contains:감자"}
    assert ids(loaded.ingredient_products(as_product("감자", "햇감자", "햇감자"), 1)) == [1]


def test_an_ingredient_that_nobody_uses_is_found_by_title(loaded: LoadedRelease) -> None:
    found = loaded.ingredient_products(as_product("포슬", "포슬", "포슬"), 9)
    assert {each.reason for each in found} <= {"similar"}
    assert loaded.ingredient_products(as_product("xyz", "xyz", "xyz"), 9) == []
