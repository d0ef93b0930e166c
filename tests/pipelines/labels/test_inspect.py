"""Why titles are read as they are, unknown words, and titles that are worth a label."""

import pytest
from sqlalchemy import Engine

from artifacts.store import Store
from pipelines.labels.inspect import show_title, uncertain_titles, unknown_words
from pipelines.labels.step import UnknownProduct, label_title
from recommender.product_ref import ProductRef
from recommender.relations.facts import SHOW_RECIPES
from recommender.text.title_words import Kind
from tests.builders.raw_runs import kst, product
from tests.conftest import embedded_only
from tests.pipelines.labels.conftest import SHOWN, Reload

POTATO = ProductRef("kok", 1)
READY = {"kind": "ready", "labelled_by": "김", "labelled_at": kst("12:00")}


@embedded_only
@pytest.mark.usefixtures("catalog")
def test_a_title_is_explained_by_its_words_and_features(service: Engine) -> None:
    found = show_title(service, "[무료배송] 햇감자 3kg").explanation
    assert found.words == "햇감자"
    assert found.reading.head is not None
    assert found.reading.head.word.type == "감자"
    strongest = [name for name, _ in found.reasons["ingredient"]]
    assert "rule:head ingredient" in strongest
    assert found.resolved.kind is Kind.INGREDIENT


@embedded_only
@pytest.mark.usefixtures("catalog")
def test_a_product_is_shown_with_its_label(service: Engine, warehouse: Engine, store: Store, reload: Reload) -> None:
    assert show_title(service, POTATO).label is None
    label_title(service, warehouse, store, POTATO, READY)
    shown = show_title(service, POTATO)
    assert shown.explanation.resolved.kind is Kind.INGREDIENT, "the explanation is of what is read"
    assert shown.label is not None
    assert (shown.label.kind, shown.state) == (Kind.READY, "applies")
    reload(kst("05:00"), [product(1, "햇감자 5kg")])
    assert show_title(service, POTATO).state == "stale"
    with pytest.raises(UnknownProduct):
        show_title(service, ProductRef("hnsmall", 1))


@embedded_only
@pytest.mark.usefixtures("catalog")
def test_unknown_words_come_with_their_number_and_an_example(service: Engine, reload: Reload) -> None:
    reload(kst("05:00"), [product(3, "뭉게구름 감자"), product(4, "뭉게구름 감자"), product(5, "무지개 당근")])
    first = unknown_words(service, size=1)
    assert [(word.word, word.edible, word.titles, word.example) for word in first] == [
        ("뭉게구름", 2, 2, "뭉게구름 햇감자 3kg")
    ]


@embedded_only
@pytest.mark.usefixtures("catalog")
def test_narrow_decisions_come_first_until_they_are_labelled(
    service: Engine, warehouse: Engine, store: Store, reload: Reload
) -> None:
    reload(kst("05:00"), [product(3, "국내산 감자 1kg"), product(4, "나눔세트 4호")])
    found = uncertain_titles(service, size=10)
    assert [each.distance for each in found] == sorted(each.distance for each in found)
    assert {each.product for each in found} == {
        POTATO,
        *(ProductRef("kok", n) for n in (2, 4)),
        ProductRef("hnsmall", SHOWN),
    }
    assert all(each.question != "food" for each in found if each.product.source == "kok")
    recipes = [each for each in found if each.question == "recipes"]
    assert all(each.distance == abs(each.probability - SHOW_RECIPES) for each in recipes)
    label_title(service, warehouse, store, found[0].product, READY)
    assert found[0].product not in {each.product for each in uncertain_titles(service, size=10)}
