"""The ingredient list of a recipe, in both grammars."""

import pytest

from recommender.text.ingredient_lines import Line, ingredient_lines

BEL = "\x07"


def test_sections_and_items() -> None:
    text = "[재료] 어묵 2개| 김밥용김3장 [양념] 설탕 1/2큰술| 소금 약간"
    assert list(ingredient_lines(text)) == [
        Line("재료", "어묵", "2", "개", None),
        Line("재료", "김밥용김", "3", "장", None),
        Line("양념", "설탕", "1/2", "큰술", None),
        Line("양념", "소금", "약간", None, None),
    ]


def test_fields_split_by_bel() -> None:
    text = f"[재료] 어묵{BEL}2{BEL}개{BEL}사각| 김{BEL}{BEL}{BEL}구운 것| 연두부{BEL}75g(3/4모)| 소금{BEL}(3g)|"
    assert list(ingredient_lines(text)) == [
        Line("재료", "어묵", "2", "개", "사각"),
        Line("재료", "김", None, None, "구운 것"),
        Line("재료", "연두부", "75", "g", "(3/4모)"),
        Line("재료", "소금", "3", "g", None),
    ]


@pytest.mark.parametrize(
    ("item", "name", "amount", "unit", "note"),
    [
        ("쌀뜨물2 1/2컵", "쌀뜨물", "2 1/2", "컵", None),
        ("물 1~2컵", "물", "1~2", "컵", None),
        ("돼지고기 앞다리살200g한입 크기", "돼지고기 앞다리살", "200", "g", "한입 크기"),
        ("두부반모", "두부", "반", "모", None),
        ("양파 반 개", "양파", "반", "개", None),
        ("다진 마늘 1큰술", "다진 마늘", "1", "큰술", None),
        ("간장 2와1/2컵", "간장", "2와1/2", "컵", None),
        ("건미역10g", "건미역", "10", "g", None),
        ("삼겹살(200g)", "삼겹살", "200", "g", None),
        ("2배식초 0.5g", "2배식초", "0.5", "g", None),
        ("깨 ½스푼", "깨", "½", "스푼", None),
        ("후추 아주 조금", "후추", "아주 조금", None, None),
        ("대추 약간(선택)", "대추", "약간", None, "(선택)"),
        ("두반장", "두반장", None, None, None),
        ("반건조오징어", "반건조오징어", None, None, None),
        ("통깨", "통깨", None, None, None),
        ("2가지색 파프리카", "2가지색 파프리카", None, None, None),
    ],
)
def test_run_together(item: str, name: str, amount: str | None, unit: str | None, note: str | None) -> None:
    assert list(ingredient_lines(f"[재료] {item}")) == [Line("재료", name, amount, unit, note)]


def test_invisible_characters_are_stripped() -> None:
    text = f"\ufeff[재료\u200b] \u3000대파{BEL}\u00a01{BEL}대\u2060| 다진\u00a0마늘\u30001큰술"
    assert list(ingredient_lines(text)) == [
        Line("재료", "대파", "1", "대", None),
        Line("재료", "다진 마늘", "1", "큰술", None),
    ]


def test_a_heading_torn_by_bel_and_a_line_break_tag() -> None:
    text = f"[재료] [{BEL}1인분 ]조선부추 50g| 파<br>| [양념]간장{BEL}1큰술"
    assert list(ingredient_lines(text)) == [
        Line("1인분", "조선부추", "50", "g", None),
        Line("1인분", "파", None, None, None),
        Line("양념", "간장", "1", "큰술", None),
    ]


@pytest.mark.parametrize("text", ["", "   ", "|||", "[재료]", f"[재료] {BEL}{BEL}| "])
def test_nothing_to_list(text: str) -> None:
    assert list(ingredient_lines(text)) == []


def test_no_heading() -> None:
    assert list(ingredient_lines("감자 2개|양파")) == [
        Line(None, "감자", "2", "개", None),
        Line(None, "양파", None, None, None),
    ]
