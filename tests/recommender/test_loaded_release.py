"""A release in service ranks products that are new since as it ranked its own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipelines.release.build import write_files
from pipelines.train.blend import DEFAULT_WEIGHTS
from recommender.bundle import ReleaseBundle
from recommender.loaded_release import SAYS_NOTHING, LoadedRelease
from recommender.models.encoder import Encoder
from recommender.models.recipe_corpus import corpus_of
from recommender.models.word_vectors import WordVectors
from recommender.product_ref import ProductRef
from recommender.rankers.blend import Blend, fit_rankers
from recommender.rankers.config import BlendConfig
from recommender.rankers.substitute_features import EaseWeights
from recommender.rankers.substitutes import default_weights, fit_substitutes
from recommender.relations.facts import ProductFacts, as_product
from recommender.relations.offered_products import Target
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
    word_vectors = WordVectors(names, vectors, vectors)
    blend = Blend(names, fit_rankers(corpus, names, word_vectors, BlendConfig()), DEFAULT_WEIGHTS, BlendConfig())
    ease = EaseWeights(blend.names, blend.rankers.ease.weights)
    substitutes = fit_substitutes(corpus, word_vectors, ease, default_weights())
    write_files(folder / "release", corpus, items, word_vectors, encoder, blend, substitutes)
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


def test_a_title_that_says_nothing_speaks_for_no_ingredient(loaded: LoadedRelease) -> None:
    assert loaded.title_weights(SAYS_NOTHING) == {}
    spoken_for = loaded.title_weights("감자조림")
    assert spoken_for.keys() <= loaded.completed_ingredients
    assert all(weight > 0 for weight in spoken_for.values())


def test_an_ingredient_that_nobody_uses_is_found_by_title(loaded: LoadedRelease) -> None:
    found = loaded.ingredient_products(as_product("포슬", "포슬", "포슬"), 9)
    assert {each.reason for each in found} <= {"similar"}
    assert loaded.ingredient_products(as_product("xyz", "xyz", "xyz"), 9) == []


# A potato of the mall and one of a broadcaster, neither of which the release knows.
NEWCOMER = product(99, "햇감자 3kg 특가", ingredients=("감자",))
ON_AIR = product(98, "강원도 햇감자 5kg", source="nsmall", ingredients=("감자",))


@pytest.fixture(scope="module")
def extended(loaded: LoadedRelease) -> LoadedRelease:
    return loaded.with_products([*PRODUCTS, NEWCOMER, ON_AIR])


@pytest.mark.parametrize("known", PRODUCTS, ids=lambda each: str(each.ref.product_id))
def test_new_products_are_ranked_among_those_of_the_release(
    loaded: LoadedRelease, extended: LoadedRelease, known: ProductFacts
) -> None:
    targets: tuple[tuple[Target, ProductFacts], ...] = (("kok", NEWCOMER), ("home_shopping", ON_AIR))
    for target, new in targets:
        before, after = (each.similar_products(known.ref, target, 9) for each in (loaded, extended))
        assert [each for each in after if each.product != new.ref] == before
        assert [each.score for each in after] == sorted((each.score for each in after), reverse=True)
        assert (new.ref in [each.product for each in after]) == ("감자" in known.ingredients)


def test_a_new_listing_of_a_known_item_is_no_second_answer(loaded: LoadedRelease) -> None:
    with_listing = loaded.with_products([listing(POTATO)])
    known = ProductRef("kok", 2)
    assert NEW not in [each.product for each in with_listing.similar_products(POTATO.ref, "kok", 9)], "its own item"
    found = ids(with_listing.similar_products(known, "kok", 9))
    assert (1 in found, 99 in found) == (True, False)


def test_new_products_answer_new_ones_ingredients_and_texts(extended: LoadedRelease) -> None:
    assert NEWCOMER.ref in [each.product for each in extended.similar_to_new(ON_AIR, "kok", 9)]
    assert NEWCOMER.ref in [each.product for each in extended.ingredient_products(as_product("감자", "감자", ""), 9)]
    assert NEWCOMER.ref in [each.product for each in extended.products_by_text("햇감자 특가", 3)]


def test_a_new_product_of_just_the_ingredient_is_bought_first(loaded: LoadedRelease) -> None:
    plain = product(97, "감자", ingredients=("감자",))
    before, after = (each.recipe_products(1, 9) for each in (loaded, loaded.with_products([plain])))
    assert (after[0].product, after[0].reason) == (plain.ref, "contains:감자")
    assert ids(after)[1:] == ids(before)[:-1], "the third of the old ones makes room"


def test_products_of_a_recipe_without_new_ones_stay(loaded: LoadedRelease, extended: LoadedRelease) -> None:
    assert extended.recipe_products(4, 9) == loaded.recipe_products(4, 9)


def test_products_that_are_gone_are_no_answers(loaded: LoadedRelease, extended: LoadedRelease) -> None:
    assert extended.with_products([*PRODUCTS, ON_AIR, NEWCOMER]) is extended, "nothing changed"
    assert NEWCOMER.ref not in [each.product for each in loaded.similar_products(POTATO.ref, "kok", 9)]
    gone = extended.with_products(PRODUCTS)
    assert gone.similar_products(POTATO.ref, "kok", 9) == loaded.similar_products(POTATO.ref, "kok", 9)
    assert NEWCOMER.ref not in [each.product for each in gone.products_by_text("햇감자 특가", 9)]
