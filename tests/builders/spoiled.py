"""Ways to spoil a release: its inputs, or its files."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from recommender.bundle import ReleaseFile
from recommender.models.encoder import EncoderFile
from recommender.models.vector_index import VectorIndex
from recommender.models.word_vectors import WordVectors
from recommender.product_ref import KOK, ProductRef
from recommender.rankers.personal import PersonalModel
from tests.builders import piece_encoder
from tests.builders.market_release import Inputs

Arrays = dict[str, NDArray[Any]]
TABLES = (
    ReleaseFile.PRODUCT_RECIPES,
    ReleaseFile.RECIPE_PRODUCTS,
    ReleaseFile.PRODUCT_KOK,
    ReleaseFile.PRODUCT_HOME_SHOPPING,
)


def nan_vectors(inputs: Inputs) -> Inputs:
    return _with_vectors(inputs, lambda vectors: np.full_like(vectors, np.nan))


def random_vectors(inputs: Inputs) -> Inputs:
    return _with_vectors(inputs, lambda vectors: _chance().normal(size=vectors.shape).astype(np.float32))


def shuffled_vectors(inputs: Inputs) -> Inputs:
    return _with_vectors(inputs, lambda vectors: _chance().permutation(vectors))


def constant_vectors(inputs: Inputs) -> Inputs:
    return _with_vectors(inputs, np.ones_like)


def half_empty_vectors(inputs: Inputs) -> Inputs:
    names = inputs.vectors.names[1::2]
    halves = (inputs.vectors.inputs[1::2], inputs.vectors.outputs[1::2])
    return replace(inputs, vectors=WordVectors(names, *halves))


def half_of_the_products(inputs: Inputs) -> Inputs:
    return replace(inputs, products=inputs.products[::2])


def five_products(inputs: Inputs) -> Inputs:
    return replace(inputs, products=inputs.products[:: len(inputs.products) // 4])


def no_products(inputs: Inputs) -> Inputs:
    return replace(inputs, products=[])


def mall_only(inputs: Inputs) -> Inputs:
    """No spoiled catalog: that of a shop without broadcasters."""
    return replace(inputs, products=[each for each in inputs.products if each.ref.source == KOK])


def products_with_shuffled_ingredients(inputs: Inputs) -> Inputs:
    order = _chance().permutation(len(inputs.products))
    others = [inputs.products[place].ingredients for place in order]
    return replace(
        inputs,
        products=[each._replace(ingredients=names) for each, names in zip(inputs.products, others, strict=True)],
    )


def recipes_with_shuffled_ingredients(inputs: Inputs) -> Inputs:
    order = _chance().permutation(len(inputs.corpus))
    baskets = tuple(inputs.corpus.baskets[place] for place in order)
    recipes = [each._replace(ingredients=names) for each, names in zip(inputs.recipes, baskets, strict=True)]
    return replace(inputs, corpus=replace(inputs.corpus, baskets=baskets), recipes=recipes)


def stale_catalog(inputs: Inputs) -> Inputs:
    """As of the day before, when a tenth of the products was not there and another one was."""
    gone = [
        each._replace(ref=ProductRef(each.ref.source, each.ref.product_id + 10_000)) for each in inputs.products[::10]
    ]
    kept = [each for place, each in enumerate(inputs.products) if place % 10]
    return replace(inputs, products=sorted([*kept, *gone], key=lambda each: each.ref))


def random_weights(inputs: Inputs) -> Inputs:
    def random(weights: NDArray[np.float32]) -> NDArray[np.float32]:
        return _chance().normal(0, 0.1, weights.shape).astype(np.float32)

    return _with_weights(inputs, "random", random)


def zero_weights(inputs: Inputs) -> Inputs:
    return _with_weights(inputs, "zero", np.zeros_like)


def other_tokens(folder: Path) -> None:
    path = folder / ReleaseFile.ENCODER_TOKENIZER
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    words = list(tokenizer["model"]["vocab"])
    kept, rest = words[:5], words[5:]
    tokenizer["model"]["vocab"] = {word: n for n, word in enumerate([*kept, *_chance().permutation(rest).tolist()])}
    path.write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")


def one_token(folder: Path) -> None:
    path = folder / ReleaseFile.ENCODER_CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | {"max_tokens": 1}))


def tables_shifted_by_a_row(folder: Path) -> None:
    _change_tables(folder, lambda table: {name: np.roll(array, 7, axis=0) for name, array in table.items()})


def popular_items_for_everybody(folder: Path) -> None:
    def popular(table: Arrays) -> Arrays:
        return table | {"rows": np.tile(table["rows"].max(axis=0) % 20, (len(table["rows"]), 1)).astype(np.int32)}

    _change_tables(folder, popular)


def scores_all_equal(folder: Path) -> None:
    _change_tables(folder, lambda table: table | {"scores": np.ones_like(table["scores"])})


def lists_reversed(folder: Path) -> None:
    """Worst first, with the scores of the best first."""
    _change_tables(folder, lambda table: table | {name: _reversed(table, name) for name in ("rows", "reasons")})


def first_ten_reversed(folder: Path) -> None:
    def turned(table: Arrays) -> Arrays:
        heads = {name: array[:, :10] for name, array in table.items()}
        return table | {
            name: np.concatenate([_reversed(heads, name), table[name][:, 10:]], axis=1) for name in ("rows", "reasons")
        }

    _change_tables(folder, turned)


def lists_and_scores_reversed(folder: Path) -> None:
    _change_tables(folder, lambda table: {name: _reversed(table, name) for name in table})


def one_recipe_for_all(folder: Path) -> None:
    _change(folder / ReleaseFile.PRODUCT_RECIPES, lambda table: table | {"rows": np.zeros_like(table["rows"])})


def repeated_items(folder: Path) -> None:
    _change_tables(folder, lambda table: table | {"rows": np.repeat(table["rows"][:, ::2], 2, axis=1)})


def empty_tables(folder: Path) -> None:
    _change_tables(folder, lambda table: table | {"rows": np.full_like(table["rows"], -1)})


def nan_scores(folder: Path) -> None:
    _change_tables(folder, lambda table: table | {"scores": np.full_like(table["scores"], np.nan)})


def users_of_others(folder: Path) -> None:
    """The rows of the personal model belong to other products."""

    def moved(model: Arrays) -> Arrays:
        return model | {name: np.roll(model[name], 7) for name in ("product_sources", "product_ids")}

    _change(folder / ReleaseFile.PERSONAL_MODEL, moved)


def users_all_alike(folder: Path) -> None:
    def blank(model: Arrays) -> Arrays:
        return model | {name: np.zeros_like(model[name]) for name in ("weights.data", "popularity")}

    _change(folder / ReleaseFile.PERSONAL_MODEL, blank)


def nan_weights_of_users(folder: Path) -> None:
    _change(
        folder / ReleaseFile.PERSONAL_MODEL,
        lambda model: model | {"weights.data": np.full_like(model["weights.data"], np.nan)},
    )


def popularity_of_fewer_products(folder: Path) -> None:
    _change(folder / ReleaseFile.PERSONAL_MODEL, lambda model: model | {"popularity": model["popularity"][1:]})


def random_users(inputs: Inputs) -> Inputs:
    """Both personal models were learnt from something else."""

    def other(model: PersonalModel) -> PersonalModel:
        order = _chance().permutation(len(model.products))
        return replace(model, products=tuple(model.products[row] for row in order.tolist()))

    model, held_out, figures = inputs.personal
    return replace(inputs, personal=(other(model), other(held_out), figures))


def rows_as_fractions(folder: Path) -> None:
    _change(folder / ReleaseFile.PRODUCT_RECIPES, lambda table: table | {"rows": table["rows"].astype(np.float32)})


def false_reasons(folder: Path) -> None:
    def others(table: Arrays) -> Arrays:
        return table | {"reasons": np.where(table["reasons"] >= 0, (table["reasons"] + 1) % 40, -1).astype(np.int32)}

    _change_tables(folder, others)


def ingredient_names_permuted(folder: Path) -> None:
    path = folder / ReleaseFile.INGREDIENTS
    names = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(_chance().permutation(names).tolist(), ensure_ascii=False), encoding="utf-8")


def recipe_ids_shuffled(folder: Path) -> None:
    ids = np.load(folder / ReleaseFile.RECIPE_IDS)
    np.save(folder / ReleaseFile.RECIPE_IDS, _chance().permutation(ids))


def product_ids_shuffled(folder: Path) -> None:
    sources, ids = np.load(folder / ReleaseFile.PRODUCT_SOURCES), np.load(folder / ReleaseFile.PRODUCT_IDS)
    order = _chance().permutation(len(ids))
    np.save(folder / ReleaseFile.PRODUCT_SOURCES, sources[order])
    np.save(folder / ReleaseFile.PRODUCT_IDS, ids[order])


def baskets_of_other_recipes(folder: Path) -> None:
    _change(
        folder / ReleaseFile.BASKETS, lambda baskets: baskets | {"ingredients": np.roll(baskets["ingredients"], 50)}
    )


def infinite_idf(folder: Path) -> None:
    _change(
        folder / ReleaseFile.BLEND_RANKERS, lambda a: a | {"ingredient_idf": a["ingredient_idf"] * np.float32(np.inf)}
    )


def weights_of_the_blend_negated(folder: Path) -> None:
    path = folder / ReleaseFile.BLEND
    blend = json.loads(path.read_text(encoding="utf-8"))
    weights = {
        part: {name: {kind: -value for kind, value in each.items()} for name, each in own.items()}
        for part, own in blend["weights"].items()
    }
    path.write_text(json.dumps(blend | {"weights": weights}, ensure_ascii=False), encoding="utf-8")


def names_of_the_blend_permuted(folder: Path) -> None:
    path = folder / ReleaseFile.BLEND
    blend = json.loads(path.read_text(encoding="utf-8"))
    names = _chance().permutation(blend["names"]).tolist()
    path.write_text(json.dumps(blend | {"names": names}, ensure_ascii=False), encoding="utf-8")


def ease_transposed(folder: Path) -> None:
    def turned(arrays: Arrays) -> Arrays:
        items = arrays["ease"].shape[0]
        title = arrays["title_ease"]
        return arrays | {
            "ease": arrays["ease"].T,
            "title_ease": np.concatenate([title[:items].T, title[items:][:, ::-1]]),
        }

    _change(folder / ReleaseFile.BLEND_RANKERS, turned)


def texts_of_others(folder: Path) -> None:
    _change_index(folder / ReleaseFile.RECIPE_TEXTS, _chance().permutation)


def recipes_of_others(folder: Path) -> None:
    _change_index(folder / ReleaseFile.RECIPE_INDEX, _chance().permutation)


def long_vectors(folder: Path) -> None:
    _change_index(folder / ReleaseFile.RECIPE_TEXTS, lambda vectors: vectors * np.float32(3))


def vectors_on_their_side(folder: Path) -> None:
    vectors = np.load(folder / ReleaseFile.INGREDIENT_VECTORS)
    np.save(folder / ReleaseFile.INGREDIENT_VECTORS, vectors.T)


def cut_off_file(folder: Path) -> None:
    path = folder / ReleaseFile.RECIPE_TEXTS
    path.write_bytes(path.read_bytes()[:-100])


def _with_vectors(inputs: Inputs, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Inputs:
    old = inputs.vectors
    return replace(inputs, vectors=WordVectors(old.names, change(old.inputs), change(old.outputs)))


def _reversed(table: Arrays, name: str) -> NDArray[Any]:
    """Each list from its last item to its first; what is not filled stays at the end."""
    turned = table[name].copy()
    for row, length in enumerate((table["rows"] >= 0).sum(axis=1)):
        turned[row, :length] = table[name][row, :length][::-1]
    return turned


def _change(path: Path, change: Callable[[Arrays], Arrays]) -> None:
    with np.load(path) as loaded:
        arrays = {name: loaded[name] for name in loaded.files}
    np.savez(path, allow_pickle=False, **change(arrays))


def _change_tables(folder: Path, change: Callable[[Arrays], Arrays]) -> None:
    for name in TABLES:
        _change(folder / name, change)


def _change_index(path: Path, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> None:
    VectorIndex.build(change(VectorIndex.read(path).vectors())).write(path)


def _with_weights(inputs: Inputs, name: str, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Inputs:
    """Change the weights in a copy of the encoder."""
    folder = Path(shutil.copytree(inputs.encoder, inputs.encoder.with_name(name), dirs_exist_ok=True))
    path = folder / EncoderFile.MODEL
    model = onnx.load(path)
    for weights in model.graph.initializer:
        array = numpy_helper.to_array(weights)
        if array.dtype == np.float32 and array.ndim:
            weights.CopyFrom(numpy_helper.from_array(change(array), weights.name))
    onnx.save(model, path)
    piece_encoder.write_probe(folder)
    return replace(inputs, encoder=folder)


def _chance() -> np.random.Generator:
    return np.random.default_rng(3)
