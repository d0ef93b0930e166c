"""A good release by people's judgements, by the allowed checks, and beside another one."""

import html
import json
from pathlib import Path

import pytest

from artifacts.folder import FolderStore
from pipelines.release.compare import diff_releases
from pipelines.release.evaluate import GateOptions, ask_about
from pipelines.release.gate import failed_checks
from pipelines.release.report.storage import read_report
from recommender.evaluation.judgements import Judgements, MalformedJudgements
from recommender.manifest import CheckStatus, Manifest
from tests.builders import spoiled
from tests.builders.command_line import run_ukok
from tests.builders.market_release import LIVE, Good, copied, upload
from tests.builders.market_release import write as written


@pytest.fixture
def judged(good: Good, tmp_path: Path) -> GateOptions:
    """Judgements of a reader who agrees with the rules, and says of some queries that nothing goes with them."""
    folder = tmp_path / "judgements"
    folder.mkdir()
    for name in ("mall_mall", "product_recipes"):
        write(folder / f"{name}.tsv", good.questions.of_release[name].judgements)
    with (folder / "product_recipes.tsv").open("a", encoding="utf-8") as file:
        file.write("kok:99999\trecipe:1\t2\n")
    (folder / "search_mall.tsv").write_text("감자\tkok:1\t2\n감자\tkok:9\t0\n", encoding="utf-8")
    return GateOptions(folder)


def write(file: Path, judgements: Judgements) -> None:
    """All good candidates of some queries, and a few wrong ones."""
    wrong = [item for known in list(judgements.grades.values())[:40] for item in known][:400:9]
    lines = [
        f"{query}\t{item}\t{known.get(item, 0)}"
        for query, known in list(judgements.grades.items())[:60]
        for item in dict.fromkeys([*known, *wrong])
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_relations_are_judged_by_people_where_they_have(
    good: Good, market_store: FolderStore, judged: GateOptions, tmp_path: Path
) -> None:
    questions = ask_about(good.inputs.catalog(), judged)
    manifest = upload(market_store, copied(good.files, tmp_path / "files"), questions, "judged", judged)
    relations = manifest.evaluation.relations
    assert {name for name, each in relations.items() if each.basis == "judgements"} == {
        "mall_mall",
        "product_recipes",
        "search_mall",
    }
    assert relations["product_recipes"].served.queries == 60  # one more query is of a product that is not there
    assert relations["mall_mall"].ahead_of["live"].mean == 0.0
    assert relations["search_mall_misspelt"].served.answerable > 100
    assert "People's judgements decide in 3 of" in html.unescape(read_report(market_store, "judged").decode())
    # One judged search is too little to go by.
    assert failed_checks(manifest.gate).startswith("search_mall.relevance: nDCG@5 by judgements on 1 queries: 1 cases")


def test_a_bad_release_is_refused_by_judgements(
    good: Good, market_store: FolderStore, judged: GateOptions, tmp_path: Path
) -> None:
    questions = ask_about(good.inputs.catalog(), judged)
    files = copied(good.files, tmp_path / "files")
    spoiled.popular_items_for_everybody(files.folder)
    message = failed_checks(upload(market_store, files, questions, "bad", judged).gate)
    assert "product_recipes.relevance: nDCG@5 by judgements" in message
    assert "product_recipes.wrong: " in message or "product_recipes.unjudged: " in message


def test_a_malformed_judgement_ends_the_build(good: Good, judged: GateOptions) -> None:
    assert judged.judgements
    (judged.judgements / "mall_mall.tsv").write_text("kok:1 kok:2 2\n", encoding="utf-8")
    with pytest.raises(MalformedJudgements, match=r"mall_mall\.tsv, line 1: 1 fields"):
        ask_about(good.inputs.catalog(), judged)
    (judged.judgements / "mall_mall.tsv").rename(judged.judgements / "mall_mal.tsv")
    (judged.judgements / "mall_mal.tsv").write_text("kok:1\tkok:2\t2\n", encoding="utf-8")
    with pytest.raises(MalformedJudgements, match="there is no relation mall_mal; there are broadcast_mall, "):
        ask_about(good.inputs.catalog(), judged)


def test_a_shop_without_broadcasts_allows_what_it_lacks(good: Good, tmp_path: Path) -> None:
    mall = spoiled.mall_only(good.inputs)
    store, names = FolderStore(tmp_path / "empty"), frozenset({"broadcast_mall.relevance", "mall_broadcast.relevance"})
    for version, allowed in (("refused", frozenset[str]()), ("allowed", names)):
        options = GateOptions(allow_unjudged=allowed)
        questions = ask_about(mall.catalog(), options)
        manifest = upload(store, written(mall, tmp_path / version / "files"), questions, version, options)
        statuses = {check.name: check.status for check in manifest.gate.checks if check.name in names}
        expected = CheckStatus.ALLOWED if allowed else CheckStatus.NOT_JUDGED
        assert statuses == dict.fromkeys(names, expected)
        assert manifest.gate.passed is bool(allowed), failed_checks(manifest.gate)


@pytest.fixture
def changed(good: Good, market_store: FolderStore, tmp_path: Path) -> Manifest:
    """Another release in the store, whose lists are the wrong way round."""
    files = copied(good.files, tmp_path / "files")
    spoiled.lists_reversed(files.folder)
    return upload(market_store, files, good.questions, "changed", inputs=good.inputs)


def test_two_releases_are_compared(good: Good, market_store: FolderStore, changed: Manifest) -> None:
    found = diff_releases(market_store, LIVE, "changed")
    assert (found.before, found.after) == (LIVE, "changed")
    assert {change.name: change.before for change in found.counts}["recipes"] == len(good.inputs.corpus)
    assert found.parameters == ()
    figures = {change.name: (change.before, change.after) for change in found.figures}
    before, after = figures["relations.mall_mall.served.ndcg@5"]
    assert isinstance(before, float)
    assert isinstance(after, float)
    assert before > after
    assert ("mall_mall.relevance", "passed", "failed") in {(c.name, c.before, c.after) for c in found.checks}
    lists = {relation.relation: relation for relation in found.relations}
    assert lists["substitutes"].jaccard == 1.0
    assert lists["substitutes"].lists == ()
    shown = lists["product_recipes"].lists[0]
    titles = set(good.inputs.corpus.titles)
    assert shown.before != shown.after
    assert all(name.split(" (recipe:")[0] in titles for name in shown.before)
    same = diff_releases(market_store, LIVE, LIVE)
    assert (same.figures, same.checks) == ((), ())
    assert all(relation.lists == () for relation in same.relations)


def test_the_difference_is_printed_as_tables_and_as_json(
    market_store: FolderStore, changed: Manifest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UKOK_ARTIFACTS_URL", str(market_store.root))
    ended = run_ukok(monkeypatch, capsys, "release", "diff", LIVE, "changed")
    assert ended.code == 0
    assert "parameters: the same" in ended.out
    assert "mall_mall.relevance" in ended.out
    assert "(kok:" in ended.out  # names with their ids
    written = json.loads(run_ukok(monkeypatch, capsys, "release", "diff", LIVE, "changed", "--json").out)
    assert {"counts", "parameters", "figures", "checks", "relations"} <= written.keys()
