"""Rules that judge relations, rivals, typing mistakes, and what lists look like."""

import random

import numpy as np
import pytest

from recommender.evaluation import proxies
from recommender.evaluation.answers import Answer, product_of
from recommender.evaluation.catalog import Catalog, CatalogProduct
from recommender.evaluation.lists import agreement, list_figures
from recommender.evaluation.naming import naming_figures
from recommender.evaluation.rivals import Text, by_letters, by_popularity, by_words
from recommender.evaluation.typos import misspell
from recommender.evaluation.vectors import same_kind, shuffle_deviations
from recommender.models.recipe_corpus import corpus_of
from recommender.product_ref import KOK, ProductRef
from recommender.search.jamo import sounds

RECIPES = [
    (1, "감자조림", ("감자", "간장", "설탕")),
    (2, "카레라이스", ("양파", "당근", "감자")),
    (3, "당근볶음", ("당근", "간장", "양파")),
]


def product(source: str, number: int, title: str, *ingredients: str, raw: bool = True) -> CatalogProduct:
    return CatalogProduct(ProductRef(source, number), title, ingredients, raw, float(number))


PRODUCTS = (
    product("hmall", 7, "햇감자 5kg", "감자"),
    product(KOK, 1, "수미감자 3kg", "감자"),
    product(KOK, 2, "감자칩", "감자", raw=False),
    product(KOK, 3, "양조간장 1L", "간장"),
    product(KOK, 4, "카레 세트", "당근", "감자"),
    product(KOK, 5, "선물 세트"),
)


@pytest.fixture
def catalog() -> Catalog:
    corpus = corpus_of(
        [(number, title, 0.0) for number, title, _ in RECIPES],
        [(number, name) for number, _, names in RECIPES for name in names],
    )
    return Catalog(PRODUCTS, corpus, ((),) * len(RECIPES))


def test_similar_products_share_the_main_ingredient(catalog: Catalog) -> None:
    found = proxies.similar_products(catalog.broadcast, catalog.mall_by_ingredient)
    assert found.grades == {"hmall:7": {"kok:1": 2, "kok:2": 1, "kok:4": 1}}
    mall = proxies.similar_products(catalog.mall, catalog.mall_by_ingredient).grades
    assert "kok:1" not in mall["kok:1"]
    assert mall.keys() == {"kok:1", "kok:2"}  # nothing else is made of soy sauce or carrots, or of nothing known
    assert found.grade("hmall:7", "kok:3") == 0


def test_recipes_of_a_product_contain_it(catalog: Catalog) -> None:
    found = proxies.product_recipes(catalog).grades
    assert found["kok:1"] == {"recipe:1": 2, "recipe:2": 1}
    assert "kok:2" not in found  # nobody cooks with crisps


def test_products_of_a_recipe_are_its_ingredients(catalog: Catalog) -> None:
    found = proxies.recipe_products(catalog).grades["recipe:1"]
    assert found == {"hmall:7": 2, "kok:1": 2, "kok:2": 2, "kok:3": 2}
    assert proxies.recipe_products(catalog).grades["recipe:2"] == {"kok:4": 2, "hmall:7": 1, "kok:1": 1, "kok:2": 1}


def test_products_to_buy_as_an_ingredient_are_it(catalog: Catalog) -> None:
    assert proxies.ingredient_products(catalog).grades["감자"] == {"kok:1": 2, "kok:2": 1}


def test_substitutes_are_of_the_same_section(catalog: Catalog) -> None:
    found = proxies.substitutes(catalog).grades
    assert set(found["감자"]) == {"ingredient:양파", "ingredient:당근"}
    assert set(found["간장"]) == {"ingredient:설탕"}


def test_recipes_by_ingredients_contain_all_or_all_but_one(catalog: Catalog) -> None:
    assert proxies.recipes_by_ingredients(catalog).grades["양파,당근,감자"] == {"recipe:2": 2, "recipe:3": 1}


def test_titles_with_a_mistake_find_every_item_of_that_title() -> None:
    twice = [product(KOK, n, "매콤한 해물파전") for n in (1, 2)]
    (query,) = proxies.misspelt_titles(twice).grades.items()
    assert query[0] != "매콤한 해물파전"
    assert query[1] == {"kok:1": 2, "kok:2": 2}


@pytest.mark.parametrize("text", ["김치찌개", "제육볶음 덮밥", "해물 된장찌개"])
def test_a_mistake_changes_one_letter_or_one_space(text: str) -> None:
    seen = {misspell(text, random.Random(seed)) for seed in range(30)}
    assert text not in seen
    for each in seen:
        lost = len(sounds(text.replace(" ", ""))) - len(sounds(each.replace(" ", "")))
        assert 0 <= lost <= 2
        assert abs(len(each) - len(text)) <= 1


def test_texts_without_a_longer_word_stay_as_they_are() -> None:
    assert misspell("감자 abc 2kg", random.Random(1)) == "감자 abc 2kg"


DOCUMENTS = [
    Text("kok:1", "수미감자 3kg", ("감자",), 5),
    Text("kok:2", "국산 당근", ("국산", "당근"), 9),
    Text("kok:3", "감자칩", ("감자", "칩"), 1),
]


def test_rivals_rank_by_popularity_letters_and_words() -> None:
    queries = [Text("hmall:1", "햇감자", ("감자",)), Text("kok:2", "국산 당근", ("국산", "당근")), Text("x", "뷁", ())]
    assert by_popularity(DOCUMENTS)(queries)["hmall:1"] == ["kok:2", "kok:1", "kok:3"]
    assert by_letters(DOCUMENTS)(queries)["hmall:1"] == ["kok:1", "kok:3"]
    assert by_words(DOCUMENTS)(queries)["hmall:1"] == ["kok:1", "kok:3"]  # the shorter one says more of potatoes
    for rival in (by_letters, by_words):
        assert rival(DOCUMENTS)(queries)["kok:2"] == []  # never itself
        assert rival(DOCUMENTS)(queries)["x"] == []


def test_rivals_answer_nothing_where_there_is_nothing() -> None:
    for rival in (by_popularity, by_letters, by_words):
        assert rival([])(DOCUMENTS) == {text.item: [] for text in DOCUMENTS}
        assert rival(DOCUMENTS)([]) == {}


def test_faults_of_lists_are_counted(catalog: Catalog) -> None:
    good = [Answer(f"kok:{n}", 1 - n / 10, "contains:감자") for n in (1, 2, 4)]
    lists = {
        "hmall:7": good,
        "kok:1": [Answer("kok:1", 0.9), Answer("kok:2", 0.8), Answer("kok:2", 0.7), Answer("kok:99", 0.6)],
        "kok:3": [],
        "kok:5": [Answer(f"kok:{n}", 0.5) for n in (1, 2, 3, 4)],
        "kok:4": [Answer(f"kok:{n}", n / 10) for n in (1, 2, 3, 5)],
    }
    found = list_figures(lists, catalog, candidates=5)
    assert (found.asked, found.answered) == (5, 0.8)
    assert (found.repeated, found.own, found.unknown) == (1, 1, 1)
    assert found.tied == pytest.approx(1 / 3)
    assert found.unsorted == pytest.approx(1 / 3)
    assert (found.false_reasons, found.not_finite) == (0.0, 0)
    damaged = list_figures({"kok:1": [Answer("kok:2", float("nan")), Answer("kok:3", 0.5)]}, catalog, candidates=5)
    assert damaged.not_finite == 1
    lied = list_figures({"kok:1": [Answer("kok:3", 0.5, "contains:감자")]}, catalog, candidates=5)
    assert lied.false_reasons == 1.0


def test_the_same_items_everywhere_are_no_diversity(catalog: Catalog) -> None:
    same = {f"hmall:{n}": [Answer(f"kok:{item}") for item in range(10)] for n in range(50)}
    figures = list_figures(same, catalog, candidates=400)
    assert figures.concentration == 1.0
    assert figures.diversity == pytest.approx(10 / 400)
    assert (figures.tied, figures.unsorted, figures.false_reasons) == (None, None, None)


def test_agreement_is_that_of_queries_both_answer() -> None:
    ours = {"a": [Answer("x"), Answer("y")], "b": [Answer("x")], "c": [Answer("x")]}
    found = agreement(ours, {"a": [Answer("y"), Answer("z")], "b": []})
    assert found.queries == 1
    assert found.jaccard_at_10 == pytest.approx(1 / 3)


def test_titles_name_their_ingredients_in_any_spelling(catalog: Catalog) -> None:
    found = naming_figures(catalog.products)
    assert found.titles == 5
    assert found.named == pytest.approx(4 / 5)  # "카레 세트" does not say what is in it


def test_vectors_are_held_against_shuffled_names() -> None:
    kinds = ["a"] * 10 + ["b"] * 10
    vectors = np.repeat(np.eye(2, dtype=np.float32), 10, axis=0)
    pairs = same_kind([*kinds[:-1], None])
    assert not pairs[-1].any()
    true = shuffle_deviations(vectors @ vectors.T, pairs)
    assert true is not None
    assert true > 5
    shuffled = vectors[np.random.default_rng(1).permutation(20)]
    false = shuffle_deviations(shuffled @ shuffled.T, pairs)
    assert false is not None
    assert abs(false) < 3
    assert shuffle_deviations(np.ones((20, 20), np.float32), pairs) == 0.0
    assert shuffle_deviations(vectors @ vectors.T, np.zeros((20, 20), np.bool_)) is None


def test_ids_of_products_survive_judgements() -> None:
    for each in PRODUCTS:
        assert product_of(each.item) == each.ref
