"""The rows, the types and the rankers of a release survive their files."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from recommender.relations.model import RelationFile, RelationModel
from recommender.relations.space import ProductMatrix, RecipeMatrix
from recommender.relations.storage import load_matrix, save_matrix
from tests.builders.relations import items_of, product, ranker, recipe

ITEMS = items_of(
    [product(1, "햇감자 선물세트", ingredients=("감자",), reviews=12), product(2, "갈비탕", types=("갈비탕",))],
    [recipe(1, "감자국", ("감자", "양파"), named=("감자",), popularity=3.0), recipe(2, "양파전", ("양파",))],
    ranker(0.25, chars=1.5, popularity=-0.125),
)


def assert_equal(after: ProductMatrix | RecipeMatrix, before: ProductMatrix | RecipeMatrix) -> None:
    for field in fields(before):
        left, right = getattr(after, field.name), getattr(before, field.name)
        assert left.dtype == right.dtype, field.name
        assert left.shape == right.shape, field.name
        if isinstance(right, sp.csr_array):
            left, right = left.toarray(), right.toarray()
        assert np.array_equal(left, right), field.name


def test_the_rows_survive_their_files(tmp_path: Path) -> None:
    for name, matrix in (("products.npz", ITEMS.product_rows), ("recipes.npz", ITEMS.recipe_rows)):
        save_matrix(tmp_path / name, matrix)
    assert_equal(load_matrix(tmp_path / "products.npz", ProductMatrix), ITEMS.product_rows)
    assert_equal(load_matrix(tmp_path / "recipes.npz", RecipeMatrix), ITEMS.recipe_rows)


def test_the_model_survives_its_folder(tmp_path: Path) -> None:
    space = ITEMS.space
    model = RelationModel(space.text, space.types, ITEMS.product_rows, ITEMS.recipe_rows, ITEMS.rankers)
    model.write(tmp_path / "relations")
    assert {path.name for path in (tmp_path / "relations").iterdir()} == set(RelationFile)
    read = RelationModel.read(tmp_path / "relations")
    assert (read.types, read.rankers) == (space.types, ITEMS.rankers)
    assert_equal(read.space(space.names, space.encode).products(ITEMS.products), ITEMS.product_rows)


def test_a_model_without_types_survives_its_folder(tmp_path: Path) -> None:
    bare = items_of([], [])
    RelationModel(bare.space.text, bare.space.types, bare.product_rows, bare.recipe_rows, bare.rankers).write(tmp_path)
    assert RelationModel.read(tmp_path).types == bare.space.types


def test_fields_of_different_lengths_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "products.npz"
    save_matrix(path, ITEMS.product_rows)
    with np.load(path) as arrays:
        changed = dict(arrays) | {"mains": np.zeros(3, np.int32)}
    np.savez(path, **changed)
    with pytest.raises(ValueError, match=r"products\.npz: its fields have different numbers of rows.*'mains': 3"):
        load_matrix(path, ProductMatrix)


@pytest.mark.parametrize("name", ["heads", "chars.indptr", "chars.shape"])
def test_a_missing_field_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "products.npz"
    save_matrix(path, ITEMS.product_rows)
    with np.load(path) as arrays:
        rest = {each: array for each, array in arrays.items() if each != name}
    np.savez(path, **rest)
    with pytest.raises(KeyError, match=name):
        load_matrix(path, ProductMatrix)
