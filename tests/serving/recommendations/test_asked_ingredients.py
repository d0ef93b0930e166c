"""What is understood by the name of an ingredient, and that every route understands the same."""

from unittest.mock import Mock
from urllib.parse import quote

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from recommender.loaded_release import LoadedRelease
from recommender.rankers.substitute import Relation, Substitute
from serving.catalog.mall import load_kok
from serving.catalog.recipes import load_recipes
from serving.recommendations.asked_ingredients import (
    AskedIngredient,
    read_dish,
    read_ingredient,
    read_ingredients,
)
from serving.recommendations.ingredient_candidates import MOST_SAME, substitutes
from serving.recommendations.requests import IngredientRequest
from serving.runtime.snapshot import Snapshot
from tests.conftest import embedded_only
from tests.serving.conftest import Person

# As written, the canonical name, and what was read instead of it.
READ = (
    ("감자", "감자", None),
    ("햇감자", "감자", None),
    ("돈 육", "돼지고기", None),
    ("돼지\u200b고기", "돼지고기", None),
    ("유기농 양파 5kg", "양파", None),
    ("kimchi", "김치", "김치"),
    ("rlacl", "김치", "김치"),
    ("potatoes", "감자", "감자"),
    ("감쟈", "감자", "감자"),
    ("ㄷㅈㄱㄱ", "돼지고기", "돼지고기"),
)


@pytest.fixture
def snapshot(filled: Engine) -> Snapshot:
    """The small catalog as it is served."""
    with filled.connect() as conn:
        return Snapshot(kok=load_kok(conn), recipes=load_recipes(conn))


@embedded_only
def test_an_ingredient_is_read_as_search_reads_words(snapshot: Snapshot) -> None:
    read = [read_ingredient(snapshot, written) for written, _, _ in READ]
    assert [(each.written, each.name, each.did_you_mean) for each in read] == list(READ)
    assert all(each.is_known for each in read)


@embedded_only
def test_what_is_not_understood_stays_as_it_is(snapshot: Snapshot) -> None:
    for written in ("없는재료", "뷁뷁", "onion sauerkraut"):
        assert read_ingredient(snapshot, written) == (written, written, written, False)
    assert read_dish(snapshot, "kimchi stew") == "김치찌개"
    assert read_dish(snapshot, "감자조림 asdf") == "감자조림"
    assert read_dish(snapshot, "asdf") == read_dish(snapshot, "") == ""


@embedded_only
def test_ingredients_keep_the_names_they_were_asked_for_by(snapshot: Snapshot) -> None:
    asked = read_ingredients(snapshot, ["햇감자", "kimchi", "뷁뷁", "돈육", "감자"])
    assert asked.given == {"감자": "감자", "김치": "김치", "돼지고기": "돈육"}
    assert asked.unknown == ("뷁뷁",)
    assert asked.did_you_mean == "햇감자,김치,뷁뷁,돈육,감자"
    assert read_ingredients(snapshot, ["감자", "뷁뷁"]).did_you_mean is None


@pytest.mark.parametrize(
    ("written", "meant"), [("kimchi", "김치"), ("rlacl", "김치"), ("감쟈", "감자"), ("감자", None)]
)
def test_every_route_of_an_ingredient_reads_it_alike(
    client: TestClient, person: Person, written: str, meant: str | None
) -> None:
    name = meant or written
    complements = client.get("/api/recommend/complete", params={"ingredient": written}).json()
    assert (complements["ingredients"], complements["unknown"]) == ([name], [])
    substitutes = client.get(f"/api/recommend/ingredient/{quote(written)}/substitutes").json()
    assert substitutes["ingredient"] == name
    products = client.get(f"/api/recipes/{quote(written)}/product-recommend", headers=person.headers).json()
    assert products["recommendations"][0]["reason"] == f"contains:{name}"
    suggestions = client.get("/api/recommend/ingredients", params={"prefix": written}).json()
    assert suggestions["suggestions"][0]["ingredient"] == name
    stock = {"ingredient": [written, "양파", "없는재료"], "unit": ["개", "개", "개"]}
    recipes = client.get("/api/recipes/by-ingredients", params=stock, headers=person.headers).json()
    assert recipes["unknown"] == ["없는재료"]
    assert recipes["did_you_mean"] == (f"{meant},양파,없는재료" if meant else None)
    search = {"recipe": f"{written},양파", "method": "ingredient"}
    found = client.get("/api/recipes/search", params=search, headers=person.headers).json()
    for body in (complements, substitutes, products, suggestions):
        assert body["did_you_mean"] == meant
    assert found["did_you_mean"] == (f"{meant},양파" if meant else None)


def test_a_value_may_list_several_ingredients(client: TestClient, person: Person) -> None:
    for separator in (",", "，", "、", "·", " / ", "\n", ";"):
        listed = separator.join(["감자", "양파"])
        body = client.get("/api/recommend/complete", params={"ingredient": [listed, "돼지고기"]}).json()
        assert body["ingredients"] == ["감자", "양파", "돼지고기"], repr(separator)
    stock: dict[str, list[str]] = {"ingredient": ["감자, 양파", "돼지고기"], "amount": ["1", "2", "300"]}
    stock |= {"unit": ["개", "개", "g"]}
    one = client.get("/api/recipes/by-ingredients", params=stock, headers=person.headers).json()
    apart = stock | {"ingredient": ["감자", "양파", "돼지고기"]}
    assert one == client.get("/api/recipes/by-ingredients", params=apart, headers=person.headers).json()
    short = client.get("/api/recipes/by-ingredients", params=stock | {"unit": ["개", "g"]}, headers=person.headers)
    assert (short.status_code, short.json()) == (400, {"detail": "3 ingredients but 2 values of unit"})
    blank = client.get("/api/recommend/complete", params={"ingredient": " "})
    assert blank.status_code == 422


def test_substitutes_hold_few_other_names_of_the_ingredient() -> None:
    same = [Substitute(f"소고기 {number}", 0.9, Relation.VARIETY) for number in range(9)]
    others = [Substitute("돼지고기", 0.8, Relation.SUBSTITUTE), Substitute("쇠고기", 0.7, Relation.OTHER_NAME)]
    release = Mock(spec=LoadedRelease)
    release.substitutes.return_value = [*same, *others]
    request = IngredientRequest(AskedIngredient("소고기", "소고기", "소고기", is_known=True), 10)
    found = [each.item for each in substitutes(Snapshot(release=release), request)]
    assert found == [*same[:MOST_SAME], others[0]]
