from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, insert

from artifacts.folder import FolderStore
from pipelines.train import corpora
from pipelines.train.corpora import EmptyCorpus, read_recipes
from recommender.models.recipe_corpus import corpus_of, hash_fraction
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


def test_a_recipe_stays_in_its_part_when_others_are_added() -> None:
    small, large = kitchen(100).test().recipe_ids, kitchen(300).test().recipe_ids
    assert set(small.tolist()) == {number for number in large.tolist() if number <= 100}


def test_hash_fractions_are_fixed_and_differ_by_purpose() -> None:
    assert hash_fraction("recipe", 6800000) == pytest.approx(0.974190, abs=1e-6)
    assert hash_fraction("recipe", 1) != hash_fraction("hide", 1)


def test_frequent_ingredients_are_in_enough_recipes() -> None:
    rows = [(number, "볶음", 0.0) for number in range(300)]
    lines = [(number, "양파") for number in range(300)] + [(number, "감자") for number in range(5)] + [(9, "방아잎")]
    assert corpus_of(rows, lines).frequent_ingredients() == ("양파", "감자")


def test_every_ingredient_of_a_tiny_corpus_is_frequent() -> None:
    assert set(corpus_of([(1, "국", 0.0)], [(1, "무"), (1, "물")]).frequent_ingredients()) == {"무", "물"}


def test_a_snapshot_holds_the_corpus_and_is_named_by_its_content(tmp_path: Path) -> None:
    store, corpus = FolderStore(tmp_path), kitchen(50)
    version = corpora.snapshot(store, corpus)
    tables = tmp_path / "datasets" / "recipes" / version
    recipes, lines = (pd.read_parquet(tables / f"{name}.parquet") for name in ("recipes", "ingredients"))
    assert recipes["recipe_id"].tolist() == corpus.recipe_ids.tolist()
    assert recipes["title"].tolist() == list(corpus.titles)
    assert recipes["popularity"].tolist() == corpus.popularity.tolist()
    baskets = zip(corpus.recipe_ids.tolist(), corpus.baskets, strict=True)
    listed = [(recipe_id, name) for recipe_id, basket in baskets for name in basket]
    assert list(zip(lines["recipe_id"].tolist(), lines["name"].tolist(), strict=True)) == listed
    assert corpora.snapshot(store, kitchen(50)) == version
    assert corpora.snapshot(store, kitchen(51)) != version


def test_a_recipe_without_ingredients_survives_a_snapshot(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    corpus = corpus_of([(1, "물", 0.0)], [])
    version = corpora.snapshot(store, corpus)
    tables = tmp_path / "datasets" / "recipes" / version
    assert pd.read_parquet(tables / "recipes.parquet")["recipe_id"].tolist() == [1]
    assert len(pd.read_parquet(tables / "ingredients.parquet")) == 0


def test_recipes_are_read_in_listed_order_without_duplicates(service: Engine) -> None:
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
