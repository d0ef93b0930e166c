"""The report of a release: what it shows is what the manifest says, and what is missing is said in words."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from artifacts.errors import StoreError
from artifacts.folder import FolderStore
from artifacts.release import fetch, read_manifest
from pipelines.release.asks import AskedRelease
from pipelines.release.questions import Questions
from pipelines.release.report.ablation import THRESHOLD, group_of
from pipelines.release.report.content import Inspection, ReleaseReport, collect
from pipelines.release.report.maps import MapPoint
from pipelines.release.report.page import render
from pipelines.release.report.storage import read_report, report_key
from pipelines.train.curves import curve_of
from recommender.evaluation.catalog import CatalogProduct
from recommender.loaded_release import LoadedRelease
from recommender.manifest import CheckStatus, Manifest
from recommender.relations.product_recipes import ProductRecipes
from recommender.relations.similar_products import SimilarProducts
from tests.builders import spoiled
from tests.builders.command_line import run_ukok
from tests.builders.market_release import LIVE, Good, copied, upload
from tests.builders.pages import self_contained

SCRIPT = "<script>alert(1)</script>"
TRAINING = {"word2vec": {"all recipes": curve_of("epoch", [3.0, 2.0, 1.0])}, "bert": {}}


def page_of(store: FolderStore, version: str) -> str:
    return read_report(store, version).decode()


def words(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def table(document: ET.Element, *columns: str) -> list[list[str]]:
    """The rows of the last table whose first columns have these names."""
    heads = [(each, [words(column) for column in each.iter("th")]) for each in document.iter("table")]
    found = [each for each, names in heads if names[: len(columns)] == list(columns)]
    return [[words(cell) for cell in row.iter("td")] for row in found[-1].iter("tr")][1:]


def opened(good: Good, folder: Path) -> AskedRelease:
    return AskedRelease.of(LoadedRelease.open(fetch(good.store, LIVE, folder)), {})


def collected(good: Good, folder: Path, questions: Questions, live: AskedRelease | None = None) -> ReleaseReport:
    release = opened(good, folder)
    return collect(release.release.manifest, release, questions, live, good.files.held_out, TRAINING)


@pytest.fixture(scope="module")
def report(good: Good, tmp_path_factory: pytest.TempPathFactory) -> ReleaseReport:
    """The report of the good release, which was the first one."""
    return collected(good, tmp_path_factory.mktemp("release"), good.questions)


@pytest.fixture(scope="module")
def inside(report: ReleaseReport) -> Inspection:
    assert report.inspection
    return report.inspection


def test_every_check_is_shown_in_the_words_of_the_manifest(good: Good) -> None:
    manifest = read_manifest(good.store, LIVE, Manifest)
    rows = table(self_contained(page_of(good.store, LIVE)), "Check")
    assert [(name, judged.split(" ", 1)[1], reason) for name, judged, _, _, reason in rows] == [
        (check.name, check.status.value, " ".join(check.reason.split())) for check in manifest.gate.checks
    ]
    shown = {row[0]: float(row[2].replace(",", "")) for row in rows if row[2] != "—"}
    expected = {check.name: check.value for check in manifest.gate.checks if check.value is not None}
    assert shown == pytest.approx(expected, abs=6e-4)


def test_figures_of_relations_are_those_of_the_manifest(good: Good) -> None:
    manifest = read_manifest(good.store, LIVE, Manifest)
    page = page_of(good.store, LIVE)
    rows = {row[0]: row for row in table(self_contained(page), "Relation", "Judged by")}
    assert rows.keys() == manifest.evaluation.relations.keys()
    for name, relation in manifest.evaluation.relations.items():
        assert relation.served.ndcg_at_5 is not None
        assert rows[name][1:4] == ["rule", f"{relation.served.answerable:,}", f"{relation.served.ndcg_at_5:.3f}"]
        assert f"{name}: {relation.served.ndcg_at_5:.3f} (" in page  # what the plot is described by
        for rival, ahead in relation.ahead_of.items():
            if rival in relation.rivals:
                interval = f"{ahead.mean:+.3f} ({ahead.low:+.3f} to {ahead.high:+.3f})"
                assert f"{name} − {rival}: {interval}" in page


def test_what_is_missing_is_said(good: Good) -> None:
    page = page_of(good.store, LIVE)
    assert "There are no judgements of people: every relation is judged by its rule" in page
    assert "No release was live, or it could not be read: nothing is compared with one." in page
    assert "There is no live release to lay beside" in page
    assert "The training of this Word2Vec model left no learning curve." in page
    assert "The training of this BERT model left no learning curve." in page
    assert "The encoder was not compared with letters." in page
    assert 'id="learning-' not in page


def test_a_release_beside_the_live_one(good: Good, market_store: FolderStore, tmp_path: Path) -> None:
    files = copied(good.files, tmp_path / "files")
    spoiled.lists_reversed(files.folder)
    manifest = upload(market_store, files, good.questions, "changed", inputs=good.inputs)
    page = page_of(market_store, "changed")
    assert not manifest.gate.passed
    assert f"It is compared with <code>{LIVE}</code>, which was live." in page
    header = page.partition("</header>")[0]
    assert all(check.name in header for check in manifest.gate.checks if check.status is CheckStatus.FAILED)
    before, after = (page.index(f"<small>{name}</small>") for name in ("live", "this release"))
    assert before < after
    live = manifest.evaluation.relations["mall_mall"].ahead_of["live"]
    assert f"mall_mall − live: {live.mean:+.3f}" in page
    assert "All lists are the same." in page  # those of substitutes, which nobody spoiled


def test_a_release_that_cannot_be_opened_has_a_report(report: ReleaseReport) -> None:
    page = render(ReleaseReport(report.manifest, {}, None))
    self_contained(page)
    assert "Its files cannot be opened or computed with" in page


def test_figures_of_the_personal_model_are_those_of_the_manifest(good: Good, report: ReleaseReport) -> None:
    evaluation = report.manifest.evaluation
    personal = evaluation.personal
    assert personal
    served, *rivals = table(self_contained(page_of(good.store, LIVE)), "Method", "recall@20")
    assert served[1:3] == [f"{value:.3f}" for value in (personal.served.recall_at_20, personal.served.ndcg_at_20)]
    assert [(row[0], row[1]) for row in rivals] == [
        (name, f"{each.recall_at_20:.3f}") for name, each in personal.rivals.items()
    ]
    without = report.manifest.model_copy(update={"evaluation": evaluation.model_copy(update={"personal": None})})
    page = render(replace(report, manifest=without, inspection=None))
    assert "There is no personal model: too few events were there to learn from." in page


def test_learning_curves_are_drawn_where_there_are_any(report: ReleaseReport) -> None:
    page = render(report)
    self_contained(page)
    assert "all recipes: 3.000 to 1.000" in page
    assert "The training of this BERT model left no learning curve." in page


def test_hostile_names_are_escaped(good: Good, report: ReleaseReport, inside: Inspection, tmp_path: Path) -> None:
    catalog = good.questions.catalog
    hostile = tuple(_renamed(product) for product in catalog.products)
    questions = replace(good.questions, catalog=replace(catalog, products=hostile))
    found = collected(good, tmp_path, questions).inspection
    assert found
    assert inside.ingredients
    point = MapPoint(0.0, 0.0, f"{SCRIPT} & $a_$", f"{SCRIPT} & $b_$")
    places = replace(inside.ingredients, points=(*inside.ingredients.points, point))
    page = render(replace(report, inspection=replace(found, ingredients=places)))
    self_contained(page)
    assert SCRIPT not in page
    assert f"&lt;script&gt;alert(1)&lt;/script&gt; {hostile[0].title.split(' ', 1)[1]}" in page
    assert "$b_$" in page


def _renamed(product: CatalogProduct) -> CatalogProduct:
    return replace(product, title=f"{SCRIPT} {product.title}")


def test_korean_stays_text(good: Good, inside: Inspection) -> None:
    page = page_of(good.store, LIVE)
    assert inside.ingredients
    names = [point.name for point in inside.ingredients.points if point.name]
    assert len(names) > 10
    assert all(f">{name}</text>" in page for name in names)


def test_the_same_release_has_the_same_report(good: Good, report: ReleaseReport, tmp_path: Path) -> None:
    again = collected(good, tmp_path, good.questions)
    assert again == report
    assert render(again) == render(report)


def test_the_whole_ranker_answers_as_the_release_does(report: ReleaseReport, inside: Inspection) -> None:
    measured = report.manifest.evaluation.relations
    assert len(inside.ablations) == 5
    for each in inside.ablations:
        assert each.figures == measured[each.relation].served, each.relation
        assert each.parts[-1].without == THRESHOLD
        assert all(part.difference for part in each.parts), each.relation
    changes = [part.difference.mean for each in inside.ablations for part in each.parts if part.difference]
    assert min(changes) < 0, "nothing is worse without a part"


def test_every_feature_belongs_to_a_part() -> None:
    for names in (SimilarProducts.feature_names, ProductRecipes.feature_names):
        assert {group_of(name) for name in names} >= {"letters", "words", "encoder", "ingredients", "popularity"}


def test_slices_divide_the_queries(report: ReleaseReport, inside: Inspection) -> None:
    queries: Counter[tuple[str, str]] = Counter()
    for each in inside.slices:
        queries[each.relation, each.by] += each.served.queries
    measured = report.manifest.evaluation.relations
    assert {("product_recipes", "source"), ("mall_mall", "kind"), ("substitutes", "department")} <= queries.keys()
    for (relation, _), count in queries.items():
        assert count == measured[relation].served.queries


def test_the_command_says_where_the_report_is_and_writes_it(
    good: Good,
    market_store: FolderStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("UKOK_ARTIFACTS_URL", str(market_store.root))
    ended = run_ukok(monkeypatch, capsys, "release", "report")
    assert (ended.code, ended.out) == (
        0,
        f"report: {market_store.root}/releases/{LIVE}/report.html\n{LIVE}: passed the gate\n",
    )
    file = tmp_path / "page.html"
    assert run_ukok(monkeypatch, capsys, "release", "report", LIVE, "--output", str(file)).code == 0
    assert file.read_text(encoding="utf-8") == page_of(good.store, LIVE)
    unknown = run_ukok(monkeypatch, capsys, "release", "report", "20200101T000000Z-none")
    assert (unknown.code, unknown.err) == (
        1,
        "ukok: there is no release '20200101T000000Z-none': see `ukok release list`\n",
    )


def test_a_release_without_a_report_says_so(market_store: FolderStore) -> None:
    market_store.delete(report_key(LIVE))
    with pytest.raises(StoreError, match="has no report: it was built before reports were written"):
        read_report(market_store, LIVE)


def test_reports_are_read_without_a_plotting_library() -> None:
    code = "import sys, pipelines.release.report.storage; print({'matplotlib', 'jinja2'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
