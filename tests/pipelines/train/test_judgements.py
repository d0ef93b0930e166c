from pathlib import Path

import pytest
from pipelines.train.judgements import read_judgements


def test_grades_are_read_by_query(tmp_path: Path) -> None:
    path = tmp_path / "mall_mall.tsv"
    path.write_text("kok:1\tkok:2\t2\nkok:1\tkok:3\t0\nkok:4\tkok:2\t1\n", encoding="utf-8")
    assert read_judgements(path) == {"kok:1": {"kok:2": 2, "kok:3": 0}, "kok:4": {"kok:2": 1}}
    assert read_judgements(tmp_path / "other.tsv") == {}


@pytest.mark.parametrize("line", ["kok:1\tkok:2", "kok:1\tkok:2\t3", "kok:1 kok:2 1", ""])
def test_a_line_without_a_grade_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "mall_mall.tsv"
    path.write_text(f"kok:1\tkok:2\t2\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"mall_mall.tsv, line 2"):
        read_judgements(path)
