from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, insert

from artifacts.folder import FolderStore
from pipelines.train import corpora
from pipelines.train.corpora import EmptyCorpus, corpus_of, read_recipes, share
from sql.service.recipes import Ingredient, Recipe, RecipeIngredient
from tests.builders.recipe_corpus import kitchen

NOW = datetime(2025, 8, 6, tzinfo=UTC)


def test_parts_do_not_overlap_and_leave_nothing_out() -> None:
    corpus = kitchen(400)
    fit, validation, test = (
        set(part.recipe_ids.tolist()) for part in (corpus.fit(), corpus.validation(), corpus.test())
    )
    assert not fit & validation
    assert not (fit | validation) & test
    assert fit | validation | test == set(corpus.recipe_ids.tolist())
    assert set(corpus.train().recipe_ids.tolist()) == fit | validation
    assert 0.15 < len(test) / len(corpus) < 0.25


def test_a_recipe_stays_in_its_part_when_others_come() -> None:
    small, large = kitchen(100).test().recipe_ids, kitchen(300).test().recipe_ids
    assert set(small.tolist()) == {number for number in large.tolist() if number <= 100}


def test_shares_are_fixed_and_differ_by_purpose() -> None:
    assert share("recipe", 6800000) == pytest.approx(0.974190, abs=1e-6)
    assert share("recipe", 1) != share("hide", 1)


def test_usual_names_are_those_that_enough_recipes_use() -> None:
    rows = [(number, "볶음", 0.0) for number in range(300)]
    lines = [(number, "양파") for number in range(300)] + [(number, "감자") for number in range(5)] + [(9, "방아잎")]
    assert corpus_of(rows, lines).usual_names() == ("양파", "감자")


def test_every_name_of_a_tiny_corpus_is_usual() -> None:
    assert set(corpus_of([(1, "국", 0.0)], [(1, "무"), (1, "물")]).usual_names()) == {"무", "물"}


def test_a_snapshot_gives_the_corpus_back_and_is_named_by_it(tmp_path: Path) -> None:
    store, corpus = FolderStore(tmp_path), kitchen(50)
    version = corpora.snapshot(store, corpus)
    again = corpora.load_snapshot(store, version)
    assert again.titles == corpus.titles
    assert again.baskets == corpus.baskets
    assert np.array_equal(again.recipe_ids, corpus.recipe_ids)
    assert np.array_equal(again.popularity, corpus.popularity)
    assert corpora.snapshot(store, kitchen(50)) == version
    assert corpora.snapshot(store, kitchen(51)) != version


def test_a_recipe_without_ingredients_survives_a_snapshot(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    corpus = corpus_of([(1, "물", 0.0)], [])
    assert corpora.load_snapshot(store, corpora.snapshot(store, corpus)).baskets == ((),)


def test_the_service_database_is_read_in_listed_order_without_doubles(service: Engine) -> None:
    recipe = {"title": "무국", "view_count": 6, "recommend_count": 1, "scrap_count": 0, "registered_at": NOW}
    line = {"section": None, "amount": None, "unit": None, "note": None}
    with service.begin() as conn:
        conn.execute(insert(Recipe), [recipe | {"recipe_id": 2**40}, recipe | {"recipe_id": 5, "title": "빈 레시피"}])
        conn.execute(insert(Ingredient), [{"ingredient_id": 1, "name": "무"}, {"ingredient_id": 2, "name": "소고기"}])
        conn.execute(
            insert(RecipeIngredient),
            [
                line | {"recipe_id": 2**40, "position": position, "name": "as written", "ingredient_id": ingredient_id}
                for position, ingredient_id in enumerate([2, 1, 2, None])
            ],
        )
    corpus = read_recipes(service)
    assert corpus.recipe_ids.tolist() == [5, 2**40]
    assert corpus.baskets == ((), ("소고기", "무"))
    assert corpus.popularity.tolist() == pytest.approx([np.log(8)] * 2)


def test_an_empty_database_says_what_to_load(service: Engine) -> None:
    with pytest.raises(EmptyCorpus, match="ukok recipes import"):
        read_recipes(service)
