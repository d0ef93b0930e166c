"""Releases that are spoiled in one way each are refused by a check that says so; a good one is not."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine

from artifacts import release as releases
from artifacts.folder import FolderStore
from pipelines.release import evaluate, publish
from pipelines.release.evaluate import DEFAULT_OPTIONS, ask_about
from pipelines.release.publish import ReleaseRefused
from pipelines.release.report import page
from recommender.manifest import Manifest
from tests.builders import spoiled
from tests.builders.market import NOW
from tests.builders.market_release import LIVE, Good, Inputs, copied, upload, write
from tests.conftest import embedded_only


def refused(store: FolderStore, warehouse: Engine, manifest: Manifest) -> str:
    """Try to promote a release; return why it is refused, and check that the live one still is."""
    with pytest.raises(ReleaseRefused) as error:
        publish.promote(warehouse, store, manifest.version, NOW)
    assert releases.current(store) == LIVE
    return str(error.value)


SPOILED_FILES = [
    (spoiled.other_tokens, "content.files"),
    (spoiled.one_token, "encoder.found"),
    (spoiled.tables_shifted_by_a_row, "product_recipes.relevance"),
    (spoiled.popular_items_for_everybody, "mall_mall.concentration"),
    (spoiled.scores_all_equal, "product_recipes.tied"),
    (spoiled.lists_reversed, "mall_mall.relevance"),
    (spoiled.first_ten_reversed, "mall_mall.order"),
    (spoiled.lists_and_scores_reversed, "product_recipes.sorted"),
    (spoiled.one_recipe_for_all, "product_recipes.concentration"),
    (spoiled.repeated_items, "recipe_products.items"),
    (spoiled.empty_tables, "mall_mall.answered"),
    (spoiled.nan_scores, "content.arrays"),
    (spoiled.rows_as_fractions, "content.arrays"),
    (spoiled.false_reasons, "product_recipes.reasons"),
    (spoiled.ingredient_names_permuted, "mall_mall.reasons"),
    (spoiled.recipe_ids_shuffled, "product_recipes.relevance"),
    (spoiled.product_ids_shuffled, "mall_mall.relevance"),
    (spoiled.baskets_of_other_recipes, "recipes_by_ingredients.relevance"),
    (spoiled.infinite_idf, "content.arrays"),
    (spoiled.weights_of_the_blend_negated, "completion.titled"),
    (spoiled.names_of_the_blend_permuted, "completion.titled"),
    (spoiled.ease_transposed, "completion.live"),
    (spoiled.texts_of_others, "encoder.index"),
    (spoiled.recipes_of_others, "vectors.recipes"),
    (spoiled.long_vectors, "content.arrays"),
    (spoiled.vectors_on_their_side, "content.files"),
    (spoiled.cut_off_file, "content.files"),
    (spoiled.users_of_others, "personal.released"),
    (spoiled.users_all_alike, "personal.released"),
    (spoiled.nan_weights_of_users, "content.files"),
    (spoiled.popularity_of_fewer_products, "content.files"),
]
SPOILED_INPUTS = [
    (spoiled.random_vectors, "vectors.together"),
    (spoiled.shuffled_vectors, "vectors.together"),
    (spoiled.half_empty_vectors, "vectors.covered"),
    (spoiled.random_weights, "encoder.search"),
    (spoiled.stale_catalog, "content.catalog"),
    (spoiled.random_users, "personal.rivals"),
]
SPOILED_CATALOGS = [
    (spoiled.half_of_the_products, "counts.kok_products"),
    (spoiled.five_products, "mall_mall.relevance"),
    (spoiled.no_products, "content.arrays"),
    (spoiled.products_with_shuffled_ingredients, "content.products_named"),
    (spoiled.recipes_with_shuffled_ingredients, "content.recipes_named"),
]


def named(spoils: Sequence[tuple[Callable[..., object], str]]) -> list[object]:
    return [pytest.param(spoil, check, id=spoil.__name__) for spoil, check in spoils]


# The report of a release takes twice as long as its gate: these may be the hardest to draw.
REPORTED = {spoiled.empty_tables, spoiled.nan_scores, spoiled.one_recipe_for_all, spoiled.cut_off_file}


@pytest.fixture
def report_if_hard(spoil: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the reports of REPORTED only."""
    if spoil not in REPORTED:
        monkeypatch.setattr(evaluate, "collect", lambda *_: None)
        monkeypatch.setattr(page, "render", lambda _: "")


@embedded_only
@pytest.mark.usefixtures("report_if_hard")
@pytest.mark.parametrize(("spoil", "check"), named(SPOILED_FILES))
def test_spoiled_files_are_refused(
    good: Good, market_store: FolderStore, warehouse: Engine, tmp_path: Path, spoil: Callable[[Path], None], check: str
) -> None:
    files = copied(good.files, tmp_path / "files")
    spoil(files.folder)
    assert f"{check}: " in refused(market_store, warehouse, upload(market_store, files, good.questions, spoil.__name__))


@embedded_only
@pytest.mark.parametrize(("spoil", "check"), named(SPOILED_INPUTS))
def test_releases_of_spoiled_models_are_refused(
    good: Good,
    market_store: FolderStore,
    warehouse: Engine,
    tmp_path: Path,
    spoil: Callable[[Inputs], Inputs],
    check: str,
) -> None:
    files = write(spoil(good.inputs), tmp_path / "files")
    assert f"{check}: " in refused(market_store, warehouse, upload(market_store, files, good.questions, spoil.__name__))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(spoiled.nan_vectors, r"Word2Vec input vectors of .* ingredients are not finite", id="nan"),
        pytest.param(spoiled.constant_vectors, r"Word2Vec input vectors of all .* are the same", id="constant"),
        pytest.param(spoiled.zero_weights, r"gives other vectors than those in probe.npz", id="zero_weights"),
    ],
)
def test_models_that_know_nothing_build_no_release(
    good: Good, tmp_path: Path, spoil: Callable[[Inputs], Inputs], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        write(spoil(good.inputs), tmp_path / "files")


@embedded_only
@pytest.mark.parametrize(("spoil", "check"), named(SPOILED_CATALOGS))
def test_releases_of_spoiled_catalogs_are_refused(
    good: Good,
    market_store: FolderStore,
    warehouse: Engine,
    tmp_path: Path,
    spoil: Callable[[Inputs], Inputs],
    check: str,
) -> None:
    inputs = spoil(good.inputs)
    questions = ask_about(inputs.catalog(), DEFAULT_OPTIONS)
    manifest = upload(market_store, write(inputs, tmp_path / "files"), questions, spoil.__name__)
    assert f"{check}: " in refused(market_store, warehouse, manifest)


@embedded_only
def test_a_good_release_goes_live_after_refused_ones(
    good: Good, market_store: FolderStore, warehouse: Engine, tmp_path: Path
) -> None:
    files = copied(good.files, tmp_path / "files")
    spoiled.empty_tables(files.folder)
    refused(market_store, warehouse, upload(market_store, files, good.questions, "refused"))
    manifest = upload(market_store, write(good.inputs, tmp_path / "again"), good.questions, "accepted")
    publish.promote(warehouse, market_store, manifest.version, NOW)
    assert releases.current(market_store) == "accepted"
