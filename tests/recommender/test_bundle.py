"""A bundle survives its files, and parts that do not fit together are refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from artifacts.release import CorruptRelease
from recommender.bundle import OF_PERSONAL, ReleaseBundle, ReleaseFile
from recommender.models.baskets import Baskets
from recommender.models.encoder import Encoder
from recommender.models.neighbours import NeighbourTable
from recommender.models.recipe_corpus import corpus_of
from recommender.models.vector_index import VectorIndex
from recommender.models.word_vectors import WordVectors
from recommender.product_ref import ProductRef
from recommender.rankers.blend import Blend, fit_rankers
from recommender.rankers.config import BlendConfig, BlendWeights, NearestConfig, RankerWeight, RankerWeights
from recommender.rankers.substitutes import Substitutes
from recommender.relations.model import RelationModel
from tests.builders import relations, tiny_release

NAMES = ("감자", "두부", "양파")
CONFIG = BlendConfig(nearest=NearestConfig(title_weight=0.3, neighbours=2))


def index(rows: int, width: int = 2) -> VectorIndex:
    return VectorIndex.build(np.arange(rows * width, dtype=np.float32).reshape(rows, width))


def blend() -> Blend:
    corpus = corpus_of(
        [(1, "감자국", 0.0), (2, "두부국", 0.0)], [(1, "감자"), (1, "양파"), (2, "두부"), (2, "양파"), (2, "감자")]
    )
    vectors = np.array([[1, 0], [0, 1], [1, 1]], dtype=np.float32)
    weights = BlendWeights(
        titled=RankerWeights(nearest=RankerWeight(standardised=1.0)),
        untitled=RankerWeights(ease=RankerWeight(logarithm=1.0), item_knn=RankerWeight(standardised=0.5)),
    )
    return Blend(NAMES, fit_rankers(corpus, NAMES, WordVectors(NAMES, vectors, -vectors), CONFIG), weights, CONFIG)


def relation_model() -> RelationModel:
    """Of the products and recipes of :func:`bundle`."""
    items = relations.items_of(
        [
            relations.product(1, "햇감자", ingredients=("감자",)),
            relations.product(2, "두부 찌개용", ingredients=("두부",)),
            relations.product(2_200_000_001, "양파 5kg", source="hmall", ingredients=("양파",)),
        ],
        [relations.recipe(1, "감자국", ("감자", "양파")), relations.recipe(2**40, "두부국", ("두부", "양파", "감자"))],
        relations.ranker(threshold=0.25, chars=1.5),
    )
    return RelationModel(items.space.text, items.space.types, items.product_rows, items.recipe_rows, items.rankers)


@pytest.fixture
def bundle(tmp_path: Path) -> ReleaseBundle:
    tiny_release.encoder(tmp_path / "model", ["감자국", "두부국"])
    three = NeighbourTable.of([[(1, 0.5, 0)], [], [(0, 0.25, -1)]], 2)
    return ReleaseBundle(
        names=NAMES,
        recipe_ids=np.array([1, 2**40], dtype=np.int64),
        recipe_prior=np.array([0.5, 1.0], dtype=np.float32),
        baskets=Baskets.of([[0, 2], [1, 2, 0]]),
        ingredient_vectors=np.eye(3, 2, dtype=np.float32),
        products=(ProductRef("kok", 1), ProductRef("kok", 2), ProductRef("hmall", 2_200_000_001)),
        recipe_index=index(2),
        recipe_texts=index(2, 8),
        product_texts=index(3, 8),
        product_recipes=three,
        recipe_products=NeighbourTable.of([[(2, 1.0, 1)], []], 2),
        similar_products={"kok": three, "home_shopping": NeighbourTable.of([[], [], []], 2)},
        relations=relation_model(),
        blend=blend(),
        substitutes=Substitutes(("감자", "고구마"), NeighbourTable.of([[(1, 0.9, 2)], []], 2)),
        encoder=Encoder(tmp_path / "model"),
    )


def test_a_bundle_survives_its_files(bundle: ReleaseBundle, tmp_path: Path) -> None:
    bundle.write(tmp_path / "release")
    read = ReleaseBundle.read(tmp_path / "release", CONFIG)
    assert (read.names, read.products) == (bundle.names, bundle.products)
    arrays: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {
        "recipe_ids": (read.recipe_ids, bundle.recipe_ids),
        "recipe_prior": (read.recipe_prior, bundle.recipe_prior),
        "ingredient_vectors": (read.ingredient_vectors, bundle.ingredient_vectors),
        "starts": (read.baskets.starts, bundle.baskets.starts),
        "ingredients": (read.baskets.ingredients, bundle.baskets.ingredients),
    }
    for name, (after, before) in arrays.items():
        assert after.dtype == before.dtype, name
        assert np.array_equal(after, before), name
    tables = ("product_recipes", "recipe_products")
    pairs = [(getattr(read, name), getattr(bundle, name)) for name in tables]
    pairs += [(read.similar_products[target], bundle.similar_products[target]) for target in bundle.similar_products]
    for after, before in pairs:
        assert [after.of_row(row, 2) for row in range(len(after.rows))] == [
            before.of_row(row, 2) for row in range(len(before.rows))
        ]
    query = np.ones((1, 2), np.float32)
    assert np.array_equal(read.recipe_index.search(query, 2), bundle.recipe_index.search(query, 2))
    for basket, title in (([], ""), (["두부"], ""), (["감자"], "감자국")):
        assert np.array_equal(read.blend.scores(basket, title), bundle.blend.scores(basket, title))
    assert read.substitutes.of("감자", 5) == bundle.substitutes.of("감자", 5) != []
    assert np.array_equal(read.encoder.encode(["감자국"]), bundle.encoder.encode(["감자국"]))
    assert (read.relations.types, read.relations.rankers) == (bundle.relations.types, bundle.relations.rankers)


def test_the_files_are_those_that_the_bundle_names(bundle: ReleaseBundle, tmp_path: Path) -> None:
    bundle.write(tmp_path / "release")
    files = (path for path in (tmp_path / "release").rglob("*") if path.is_file())
    assert {path.relative_to(tmp_path / "release").as_posix() for path in files} == set(ReleaseFile) - OF_PERSONAL


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"recipe_prior": np.zeros(3, np.float32)}, "recipe_prior.npy has 3 rows, expected 2"),
        ({"ingredient_vectors": np.zeros((2, 2), np.float32)}, "ingredient_vectors.npy has 2 rows, expected 3"),
        ({"recipe_texts": index(4, 8)}, "recipe_texts.faiss has 4 rows, expected 2"),
        ({"product_texts": index(3, 7)}, "product_texts.faiss has vectors of 7 dimensions, expected 8"),
        ({"recipe_index": index(2, 3)}, "recipes.faiss has vectors of 3 dimensions, expected 2"),
        ({"products": (("kok", 1),)}, "relations/products.npz has 3 rows, expected 1"),
        ({"baskets": Baskets.of([[0], [3]])}, "baskets.npz points at row 3 of 3"),
        (
            {"recipe_products": NeighbourTable.of([[(3, 1.0, 1)], []], 2)},
            "neighbours/recipe_products.npz points at row 3 of 3",
        ),
        (
            {"substitutes": Substitutes(("감자",), NeighbourTable.of([[(1, 1.0, 0)]], 2))},
            "substitutes/table.npz points at row 1 of 1",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(bundle: ReleaseBundle, part: dict[str, Any], message: str) -> None:
    with pytest.raises(CorruptRelease, match=message):
        replace(bundle, **part)


@pytest.mark.parametrize(
    "name", [ReleaseFile.BASKETS, ReleaseFile.BLEND, ReleaseFile.RECIPE_INDEX, ReleaseFile.PRODUCT_TEXTS_DESCRIPTION]
)
def test_an_unreadable_file_is_refused(bundle: ReleaseBundle, tmp_path: Path, name: ReleaseFile) -> None:
    bundle.write(tmp_path / "release")
    (tmp_path / "release" / name).write_bytes(b"not what it was")
    with pytest.raises(CorruptRelease, match="cannot be read"):
        ReleaseBundle.read(tmp_path / "release", CONFIG)
