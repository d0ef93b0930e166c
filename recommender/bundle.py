"""The files of a release and their names (those of the encoder are in :mod:`recommender.models.encoder`)."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from artifacts.release import CorruptRelease
from recommender.models.baskets import Baskets
from recommender.models.encoder import Encoder, EncoderFile
from recommender.models.neighbours import BY_TEXT, NOTHING, NeighbourTable
from recommender.models.vector_index import VectorIndex
from recommender.product_ref import KOK, ProductRef
from recommender.rankers.blend import Blend, Rankers
from recommender.rankers.config import BlendConfig, BlendWeights
from recommender.rankers.ease import TitleEase
from recommender.rankers.item_knn import ItemToItem, Popularity
from recommender.rankers.named import NamedInTitle
from recommender.rankers.nearest import NearestRecipes
from recommender.rankers.ngrams import TitleFeatures
from recommender.rankers.personal import CONFIG, MODEL, PersonalModel
from recommender.rankers.substitutes import Substitutes
from recommender.rankers.word2vec import Word2Vec
from recommender.relations.model import RelationFile, RelationModel
from recommender.relations.offered_products import Target

ENCODER: Final = "encoder"
RELATIONS: Final = "relations"
PERSONAL: Final = "personal"


class ReleaseFile(StrEnum):
    """Files of a release, by their path in its folder."""

    INGREDIENTS = "ingredients.json"
    RECIPE_IDS = "recipe_ids.npy"
    RECIPE_PRIOR = "recipe_prior.npy"
    BASKETS = "baskets.npz"
    INGREDIENT_VECTORS = "ingredient_vectors.npy"
    PRODUCT_SOURCES = "product_sources.npy"
    PRODUCT_IDS = "product_ids.npy"
    RECIPE_INDEX = "recipes.faiss"
    RECIPE_INDEX_DESCRIPTION = "recipes.faiss.json"
    RECIPE_TEXTS = "recipe_texts.faiss"
    RECIPE_TEXTS_DESCRIPTION = "recipe_texts.faiss.json"
    PRODUCT_TEXTS = "product_texts.faiss"
    PRODUCT_TEXTS_DESCRIPTION = "product_texts.faiss.json"
    PRODUCT_RECIPES = "neighbours/product_recipes.npz"
    RECIPE_PRODUCTS = "neighbours/recipe_products.npz"
    PRODUCT_KOK = "neighbours/product_kok.npz"
    PRODUCT_HOME_SHOPPING = "neighbours/product_home_shopping.npz"
    BLEND = "blend/blend.json"
    BLEND_RANKERS = "blend/rankers.npz"
    BLEND_BASKETS = "blend/baskets.npz"
    BLEND_TITLES = "blend/titles.npz"
    IDF = f"{RELATIONS}/{RelationFile.IDF}"
    TYPES = f"{RELATIONS}/{RelationFile.TYPES}"
    PRODUCTS = f"{RELATIONS}/{RelationFile.PRODUCTS}"
    RECIPES = f"{RELATIONS}/{RelationFile.RECIPES}"
    RANKERS = f"{RELATIONS}/{RelationFile.RANKERS}"
    SUBSTITUTE_NAMES = "substitutes/names.json"
    SUBSTITUTES = "substitutes/table.npz"
    ENCODER_MODEL = f"{ENCODER}/{EncoderFile.MODEL}"
    ENCODER_TOKENIZER = f"{ENCODER}/{EncoderFile.TOKENIZER}"
    ENCODER_CONFIG = f"{ENCODER}/{EncoderFile.CONFIG}"
    ENCODER_PROBE = f"{ENCODER}/{EncoderFile.PROBE}"
    PERSONAL_MODEL = f"{PERSONAL}/{MODEL}"
    PERSONAL_CONFIG = f"{PERSONAL}/{CONFIG}"


# Files that only a release with a personal model has: it takes events to learn one.
OF_PERSONAL: Final = frozenset({ReleaseFile.PERSONAL_MODEL, ReleaseFile.PERSONAL_CONFIG})


@dataclass(frozen=True)
class ReleaseBundle:
    """The indexes, tables and models of a release.

    ``names`` (i,) are the ingredients, ``recipe_ids`` and ``recipe_prior`` (r,) the recipes with their popularity in
    0 … 1, ``products`` (p,) the products. Ids in an index are rows: ``recipe_index`` holds recipes by ingredients,
    ``recipe_texts`` and ``product_texts`` hold titles. A table has a row for each product, or for each recipe in
    ``recipe_products``.
    """

    names: tuple[str, ...]
    recipe_ids: NDArray[np.int64]
    recipe_prior: NDArray[np.float32]
    baskets: Baskets
    ingredient_vectors: NDArray[np.float32]
    products: tuple[ProductRef, ...]
    recipe_index: VectorIndex
    recipe_texts: VectorIndex
    product_texts: VectorIndex
    product_recipes: NeighbourTable
    recipe_products: NeighbourTable
    similar_products: dict[Target, NeighbourTable]
    relations: RelationModel
    blend: Blend
    substitutes: Substitutes
    encoder: Encoder
    personal: PersonalModel | None = None

    def __post_init__(self) -> None:
        """Raise :class:`CorruptRelease` if the parts do not fit together."""
        self._check_lengths()
        self._check_bounds()

    def write(self, folder: Path) -> None:
        """Write every file into the empty ``folder``."""
        _make_folders(folder)
        (folder / ReleaseFile.INGREDIENTS).write_text(json.dumps(self.names, ensure_ascii=False), encoding="utf-8")
        np.save(folder / ReleaseFile.RECIPE_IDS, self.recipe_ids)
        np.save(folder / ReleaseFile.RECIPE_PRIOR, self.recipe_prior)
        np.save(folder / ReleaseFile.INGREDIENT_VECTORS, self.ingredient_vectors)
        np.save(folder / ReleaseFile.PRODUCT_SOURCES, np.array([product.source for product in self.products], np.str_))
        np.save(folder / ReleaseFile.PRODUCT_IDS, np.array([product.product_id for product in self.products], np.int64))
        self.baskets.save(folder / ReleaseFile.BASKETS)
        for name, table in self._tables():
            table.save(folder / name)
        for name, index in self._indexes():
            index.write(folder / name)
        self.relations.write(folder / RELATIONS)
        write_blend(folder, self.blend)
        write_substitutes(folder, self.substitutes)
        for file in EncoderFile:
            shutil.copyfile(self.encoder.folder / file, folder / ENCODER / file)
        if self.personal:
            self.personal.write(folder / PERSONAL)

    @classmethod
    def read(cls, folder: Path, config: BlendConfig) -> "ReleaseBundle":
        """Read the files that :meth:`write` wrote; raises :class:`CorruptRelease` with the file that is wrong.

        ``config`` is that of the blend, from the manifest.
        """
        personal = (folder / PERSONAL).is_dir()
        for name in ReleaseFile:
            if not (folder / name).is_file() and (personal or name not in OF_PERSONAL):
                raise CorruptRelease(f"{name} is missing")
        try:
            return cls._read(folder, config)
        except (KeyError, ValueError, RuntimeError, OSError, BadZipFile) as error:
            if isinstance(error, CorruptRelease):
                raise
            raise CorruptRelease(f"files cannot be read: {error}") from error

    @classmethod
    def _read(cls, folder: Path, config: BlendConfig) -> "ReleaseBundle":
        sources, ids = np.load(folder / ReleaseFile.PRODUCT_SOURCES), np.load(folder / ReleaseFile.PRODUCT_IDS)
        return cls(
            names=tuple(json.loads((folder / ReleaseFile.INGREDIENTS).read_text(encoding="utf-8"))),
            recipe_ids=np.load(folder / ReleaseFile.RECIPE_IDS),
            recipe_prior=np.load(folder / ReleaseFile.RECIPE_PRIOR),
            baskets=Baskets.load(folder / ReleaseFile.BASKETS),
            ingredient_vectors=np.load(folder / ReleaseFile.INGREDIENT_VECTORS),
            products=tuple(ProductRef(*pair) for pair in zip(sources.tolist(), ids.tolist(), strict=True)),
            recipe_index=VectorIndex.read(folder / ReleaseFile.RECIPE_INDEX),
            recipe_texts=VectorIndex.read(folder / ReleaseFile.RECIPE_TEXTS),
            product_texts=VectorIndex.read(folder / ReleaseFile.PRODUCT_TEXTS),
            product_recipes=NeighbourTable.load(folder / ReleaseFile.PRODUCT_RECIPES),
            recipe_products=NeighbourTable.load(folder / ReleaseFile.RECIPE_PRODUCTS),
            similar_products={
                KOK: NeighbourTable.load(folder / ReleaseFile.PRODUCT_KOK),
                "home_shopping": NeighbourTable.load(folder / ReleaseFile.PRODUCT_HOME_SHOPPING),
            },
            relations=RelationModel.read(folder / RELATIONS),
            blend=read_blend(folder, config),
            substitutes=read_substitutes(folder),
            encoder=Encoder(folder / ENCODER),
            personal=PersonalModel.read(folder / PERSONAL) if (folder / PERSONAL).is_dir() else None,
        )

    def _tables(self) -> Iterator[tuple[ReleaseFile, NeighbourTable]]:
        yield ReleaseFile.PRODUCT_RECIPES, self.product_recipes
        yield ReleaseFile.RECIPE_PRODUCTS, self.recipe_products
        yield ReleaseFile.PRODUCT_KOK, self.similar_products[KOK]
        yield ReleaseFile.PRODUCT_HOME_SHOPPING, self.similar_products["home_shopping"]

    def _indexes(self) -> Iterator[tuple[ReleaseFile, VectorIndex]]:
        yield ReleaseFile.RECIPE_INDEX, self.recipe_index
        yield ReleaseFile.RECIPE_TEXTS, self.recipe_texts
        yield ReleaseFile.PRODUCT_TEXTS, self.product_texts

    def _check_lengths(self) -> None:
        recipes, products, names = len(self.recipe_ids), len(self.products), len(self.names)
        lengths = {
            ReleaseFile.BASKETS: (len(self.baskets), recipes),
            ReleaseFile.RECIPE_PRIOR: (len(self.recipe_prior), recipes),
            ReleaseFile.INGREDIENT_VECTORS: (len(self.ingredient_vectors), names),
            ReleaseFile.PRODUCTS: (len(self.relations.products), products),
            ReleaseFile.RECIPES: (len(self.relations.recipes), recipes),
            ReleaseFile.SUBSTITUTES: (len(self.substitutes.table.rows), len(self.substitutes.names)),
        }
        for name, index in self._indexes():
            lengths[name] = len(index), products if name == ReleaseFile.PRODUCT_TEXTS else recipes
        for name, table in self._tables():
            lengths[name] = len(table.rows), recipes if name == ReleaseFile.RECIPE_PRODUCTS else products
        for name, (length, expected) in lengths.items():
            if length != expected:
                raise CorruptRelease(f"{name} has {length} rows, expected {expected}")
        for name, index in self._indexes():
            by_ingredients = name == ReleaseFile.RECIPE_INDEX
            width = self.ingredient_vectors.shape[1] if by_ingredients else self.encoder.dimensions
            if index.dimensions != width:
                raise CorruptRelease(f"{name} has vectors of {index.dimensions} dimensions, expected {width}")

    def _check_bounds(self) -> None:
        """Every row and ingredient number must exist."""
        recipes, products, names = len(self.recipe_ids), len(self.products), len(self.names)
        _check_numbers(ReleaseFile.BASKETS, self.baskets.ingredients, 0, names)
        for name, table in self._tables():
            _check_numbers(name, table.rows, NOTHING, recipes if name == ReleaseFile.PRODUCT_RECIPES else products)
            _check_numbers(f"{name}, reasons,", table.reasons, BY_TEXT, names)
        _check_numbers(ReleaseFile.SUBSTITUTES, self.substitutes.table.rows, NOTHING, len(self.substitutes.names))


def write_blend(folder: Path, blend: Blend) -> None:
    """Write the files of a blend into the folder of a release; its parameters belong in the manifest."""
    _make_folders(folder)
    rankers = blend.rankers
    description = {
        "names": blend.names,
        "grams": rankers.nearest.features.grams,
        "weights": blend.weights.model_dump(),
    }
    (folder / ReleaseFile.BLEND).write_text(json.dumps(description, ensure_ascii=False), encoding="utf-8")
    sp.save_npz(folder / ReleaseFile.BLEND_BASKETS, rankers.nearest.baskets)
    sp.save_npz(folder / ReleaseFile.BLEND_TITLES, rankers.nearest.titles)
    np.savez(
        folder / ReleaseFile.BLEND_RANKERS,
        item_knn=rankers.item_knn.weights,
        ease=rankers.ease.weights,
        word2vec_input=rankers.word2vec.inputs,
        word2vec_output=rankers.word2vec.outputs,
        ingredient_idf=rankers.nearest.idf,
        gram_idf=rankers.nearest.features.idf,
        title_ease=rankers.title_ease.weights,
        popularity=rankers.popularity.counts,
    )


def read_blend(folder: Path, config: BlendConfig) -> Blend:
    """Read the files that :func:`write_blend` wrote."""
    description = json.loads((folder / ReleaseFile.BLEND).read_text(encoding="utf-8"))
    names = tuple(description["names"])
    baskets, titles = (
        sp.csr_array(sp.load_npz(folder / name)) for name in (ReleaseFile.BLEND_BASKETS, ReleaseFile.BLEND_TITLES)
    )
    with np.load(folder / ReleaseFile.BLEND_RANKERS) as arrays:
        features = TitleFeatures(config.title_features, tuple(description["grams"]), arrays["gram_idf"])
        rankers = Rankers(
            ItemToItem(arrays["item_knn"]),
            ItemToItem(arrays["ease"]),
            Word2Vec(arrays["word2vec_input"], arrays["word2vec_output"]),
            NearestRecipes(config.nearest, baskets, arrays["ingredient_idf"], features, titles),
            TitleEase(config.title_ease, features, arrays["title_ease"]),
            Popularity(arrays["popularity"]),
            NamedInTitle(names),
        )
    return Blend(names, rankers, BlendWeights.model_validate(description["weights"]), config)


def write_substitutes(folder: Path, substitutes: Substitutes) -> None:
    """Write the files of substitutes into the folder of a release."""
    _make_folders(folder)
    names = json.dumps(substitutes.names, ensure_ascii=False)
    (folder / ReleaseFile.SUBSTITUTE_NAMES).write_text(names, encoding="utf-8")
    substitutes.table.save(folder / ReleaseFile.SUBSTITUTES)


def read_substitutes(folder: Path) -> Substitutes:
    """Read the files that :func:`write_substitutes` wrote."""
    names = json.loads((folder / ReleaseFile.SUBSTITUTE_NAMES).read_text(encoding="utf-8"))
    return Substitutes(tuple(names), NeighbourTable.load(folder / ReleaseFile.SUBSTITUTES))


def _make_folders(folder: Path) -> None:
    names = (ReleaseFile.BLEND, ReleaseFile.PRODUCT_RECIPES, ReleaseFile.SUBSTITUTES, ReleaseFile.ENCODER_MODEL)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)


def _check_numbers(name: str, numbers: NDArray[np.int32], first: int, limit: int) -> None:
    wrong = numbers[(numbers < first) | (numbers >= limit)]
    if wrong.size:
        raise CorruptRelease(f"{name} points at row {int(wrong[0])} of {limit}")
