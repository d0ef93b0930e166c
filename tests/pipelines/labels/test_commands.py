"""`ukok titles`, from the label of a product to its removal."""

from pathlib import Path

import pytest

from tests.builders.command_line import run_ukok
from tests.conftest import embedded_only


@embedded_only
@pytest.mark.usefixtures("catalog")
def test_titles_are_labelled_and_looked_at_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stack_env: dict[str, str], tmp_path: Path
) -> None:
    for name, value in stack_env.items():
        monkeypatch.setenv(name, value)

    def ukok(*arguments: str, code: int = 0) -> str:
        ended = run_ukok(monkeypatch, capsys, "titles", *arguments)
        assert ended.code == code, ended.err
        return ended.out + ended.err

    ukok("label", "kok:1", "--kind", "ready", "--ingredient", "양파", "--by", "김", "--note", "조림")
    shown = ukok("show", "KOK:1")
    assert "no product kok:9" in ukok("show", "Kok:9", code=1)
    assert "'kok:1a' is no product" in ukok("show", "kok:1a", code=1)
    assert "read as: ingredient of 감자" in shown
    assert "label, applies: ready of 양파, without recipes; by 김" in shown
    assert "note: 조림" in shown
    ukok("export", str(tmp_path / "labels.csv"))
    ukok("remove", "Kok:1")
    assert "1 written" in ukok("import", str(tmp_path / "labels.csv"), "--by", "박")
    assert "국내산 감자 1kg,ready,양파,False,김" in ukok("export")
    assert "head: 양파 (ingredient)" in ukok("show", "햇양파 3kg")
    assert "뭉게구름" in ukok("unknown")
    assert "kok:2" in ukok("uncertain")
    assert "no product kok:9" in ukok("label", "kok:9", "--kind", "ready", code=1)
    assert "kind: Input should be 'ingredient', 'ready'" in ukok("label", "kok:1", "--kind", "dish", code=1)
    assert "'1' is no product" in ukok("remove", "1", code=2)
