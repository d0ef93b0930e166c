"""Reading judgements, and figures of lists against them."""

from pathlib import Path

import pytest

from recommender.evaluation.judgements import Judgements, MalformedJudgements, read_judgements
from recommender.evaluation.relevance import evaluate_lists, ndcg_difference, paired_difference, relevance_figures

GRADES = {
    "kok:1": {"kok:2": 2, "kok:3": 1, "kok:4": 0},
    "kok:5": {"kok:6": 0, "kok:7": 0},
    "감자": {"kok:8": 2},
}


def write(folder: Path, content: str, name: str = "mall_mall.tsv") -> Path:
    (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_every_kind_of_id_is_read(tmp_path: Path) -> None:
    write(tmp_path, "kok:1\tkok:2\t2\nhmall:9\tkok:2\t0\n\n", "broadcast_mall.tsv")
    write(tmp_path, "고추(홍고추)\tingredient:방울 토마토\t1\nkok:3\trecipe:6800000\t2\n", "substitutes.tsv")
    found = read_judgements(tmp_path)
    assert found.keys() == {"broadcast_mall", "substitutes"}
    assert found["broadcast_mall"].grades == {"kok:1": {"kok:2": 2}, "hmall:9": {"kok:2": 0}}
    assert found["substitutes"].grade("고추(홍고추)", "ingredient:방울 토마토") == 1
    assert found["substitutes"].grade("고추(홍고추)", "ingredient:두부") is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("kok:1\tkok:2", "line 2: 2 fields, expected query, candidate and grade"),
        ("kok:1\tkok:2\t1\tmore", "line 2: 4 fields"),
        ("kok:1\tkok:2\t3", "line 2: grade '3', expected 2"),
        ("kok:1\tkok:2\tgood", "line 2: grade 'good'"),
        ("kok:1\tproduct two\t1", "line 2: 'product two' is no id such as kok:101"),
        ("kok:1\tkok:x\t1", "line 2: 'kok:x' is no id"),
        ("\tkok:2\t1", "line 2: the query is empty"),
        ("kok:1\tkok:9\t0", "line 2: kok:9 for 'kok:1' has two grades, 2 and 0"),
    ],
)
def test_a_malformed_row_is_named_by_file_and_line(tmp_path: Path, line: str, message: str) -> None:
    write(tmp_path, f"kok:1\tkok:9\t2\n{line}\n")
    with pytest.raises(MalformedJudgements, match=message) as error:
        read_judgements(tmp_path)
    assert "mall_mall.tsv" in str(error.value)


def test_a_folder_without_judgements_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedJudgements, match=r"holds no NAME\.tsv: set UKOK_JUDGEMENTS_DIR"):
        read_judgements(tmp_path)
    with pytest.raises(MalformedJudgements, match="is no folder"):
        read_judgements(tmp_path / "missing")
    (tmp_path / "mall_mall.tsv").write_bytes("감자".encode("cp949"))
    with pytest.raises(MalformedJudgements, match="not in UTF-8"):
        read_judgements(tmp_path)


def test_only_queries_and_candidates_that_exist_count() -> None:
    kept = Judgements(GRADES).among(frozenset({"kok:1", "kok:2", "kok:8"}))
    assert kept.grades == {"kok:1": {"kok:2": 2}, "감자": {"kok:8": 2}}


def test_figures_are_those_of_a_list_judged_by_hand() -> None:
    lists = {"kok:1": ["kok:4", "kok:2", "kok:99"], "kok:5": [], "감자": []}
    found = evaluate_lists(Judgements(GRADES), lists)
    best = 3 + 1 / 1.584962500721156
    assert found["kok:1"].ndcg == pytest.approx((3 / 1.584962500721156) / best)
    assert (found["kok:1"].shown, found["kok:1"].judged, found["kok:1"].wrong, found["kok:1"].first) == (3, 2, 1, 0.0)
    figures = relevance_figures(found.values())
    assert (figures.queries, figures.answerable) == (3, 2)
    assert figures.ndcg_at_5 == pytest.approx((3 / 1.584962500721156) / best / 2)
    assert figures.wrong_at_5 == 0.5
    assert figures.first == 0.0
    assert figures.abstain == 1.0
    assert figures.empty == 0.5
    assert figures.unjudged == pytest.approx(1 / 3)


def test_what_nobody_graded_moves_later_items_up() -> None:
    unknown_first = evaluate_lists(Judgements(GRADES), {"kok:1": ["kok:99", "kok:2", "kok:3"]})["kok:1"]
    assert unknown_first.ndcg == 1.0
    wrong_first = evaluate_lists(Judgements(GRADES, complete=True), {"kok:1": ["kok:99", "kok:2", "kok:3"]})["kok:1"]
    assert wrong_first.wrong == 1
    assert wrong_first.ndcg is not None
    assert wrong_first.ndcg < 1.0


def test_repeated_items_count_once() -> None:
    found = evaluate_lists(Judgements(GRADES), {"kok:1": ["kok:2"] * 5})["kok:1"]
    assert (found.shown, found.judged) == (1, 1)


def test_without_queries_there_are_no_figures() -> None:
    figures = relevance_figures([])
    assert (figures.queries, figures.ndcg_at_5, figures.wrong_at_5, figures.unjudged) == (0, None, None, None)
    assert paired_difference([], []) is None


def test_a_paired_difference_is_sure_where_every_case_agrees() -> None:
    worse = paired_difference([0.4] * 50, [0.5] * 50)
    assert worse is not None
    assert worse.low == pytest.approx(-0.1)
    assert worse.high == pytest.approx(-0.1)
    mixed = paired_difference([0.0, 1.0] * 25, [1.0, 0.0] * 25)
    assert mixed is not None
    assert mixed.low < 0 < mixed.high
    assert paired_difference([0.0, 1.0] * 25, [1.0, 0.0] * 25) == mixed


def test_rankings_are_compared_on_queries_that_both_can_answer() -> None:
    judgements = Judgements(GRADES)
    ours = evaluate_lists(judgements, {"kok:1": ["kok:2", "kok:3"], "감자": ["kok:8"]})
    theirs = evaluate_lists(judgements, {"kok:1": ["kok:4"]})
    difference = ndcg_difference(ours, theirs)
    assert difference is not None
    assert (difference.cases, difference.mean) == (2, 1.0)
