"""The ingredient list of a recipe, in both forms."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.load.recipe_csv import Recipe, RecipeFile
from recommender.text.cleaning import LONGEST_TEXT
from recommender.text.ingredient_lines import LONGEST_ITEM, Line, ingredient_lines
from ukok.text import clean

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
        Line("재료", "연두부", "75", "g", "3/4모"),
        Line("재료", "소금", "3", "g", None),
    ]


@pytest.mark.parametrize(
    ("fields", "name", "amount", "unit", "note"),
    [
        ("물|1|컵 반", "물", "1 1/2", "컵", None),
        ("우유|1과 1/2|컵|따뜻한 것", "우유", "1 1/2", "컵", "따뜻한 것"),
        ("마늘|5|쪽(20g)", "마늘", "5", "쪽", "20g"),
        ("닭고기|(가슴살, 120g)", "닭고기", "120", "g", "가슴살"),
        ("물녹말|(녹말가루 10g, 물 10g)", "물녹말", None, None, "녹말가루 10g, 물 10g"),
        ("소금|약간", "소금", "약간", None, None),
        ("소금||약간", "소금", "약간", None, None),
        ("스팸|반|정도", "스팸", "1/2", None, "정도"),
        ("고사리|2|바구니", "고사리", "2", "바구니", None),
        ("달걀|다섯", "달걀", "5", None, None),
        ("달걀|다섯|바구니", "달걀", "5", "바구니", None),
        ("양파|15", "양파", "15", None, None),
        ("설탕||숟가락", "설탕", None, "숟가락", None),
        ("소스|레시피 참조", "소스", None, None, "레시피 참조"),
        ("술|2011-03-04", "술", None, None, "2011-03-04"),
        ("또띠아|8인치 30g", "또띠아", "30", "g", "8인치"),
        ("어묵 2개||", "어묵", "2", "개", None),
        ("저나트륨 고추장(5인분)|7.5g", "저나트륨 고추장", "7.5", "g", "5인분"),
        ("양파|½|개", "양파", "1/2", "개", None),
        ("달걀|2-3|개", "달걀", "2~3", "개", None),
        ("달걀|2|~3개", "달걀", "2~3", "개", None),
        ("설탕|1|큰 술", "설탕", "1", "큰술", None),
        ("알룰로스①|20g", "알룰로스", "20", "g", "①"),
    ],
)
def test_fields_are_read_together(
    fields: str, name: str, amount: str | None, unit: str | None, note: str | None
) -> None:
    assert list(ingredient_lines(fields.replace("|", BEL))) == [Line(None, name, amount, unit, note)]


RUN_TOGETHER = [
    ("쌀뜨물2 1/2컵", "쌀뜨물", "2 1/2", "컵", None),
    ("우유 1과1/2컵", "우유", "1 1/2", "컵", None),
    ("밥 1+1/2공기", "밥", "1 1/2", "공기", None),
    ("물 1~2컵", "물", "1~2", "컵", None),
    ("달걀 2-3개", "달걀", "2~3", "개", None),
    ("달걀 2–3개", "달걀", "2~3", "개", None),
    ("달걀 2〜3개", "달걀", "2~3", "개", None),
    ("달걀 1~2", "달걀", "1~2", None, None),
    ("고기 100~150그램", "고기", "100~150", "그램", None),
    ("밀가루 1,000g", "밀가루", "1000", "g", None),
    ("우유 ⅙컵", "우유", "1/6", "컵", None),
    ("우유 ⅞컵", "우유", "7/8", "컵", None),
    ("물 1.5ℓ", "물", "1.5", "l", None),
    ("고기 200㎖", "고기", "200", "ml", None),
    ("고기 200㎎", "고기", "200", "mg", None),
    ("우유 １컵", "우유", "1", "컵", None),
    ("우유 한 컵", "우유", "1", "컵", None),
    ("달걀 두 개", "달걀", "2", "개", None),
    ("물 3컵 반", "물", "3 1/2", "컵", None),
    ("설탕1큰술반", "설탕", "1 1/2", "큰술", None),
    ("새우 서너 개", "새우", "3~4", "개", None),
    ("마늘 5쪽(20g)", "마늘", "5", "쪽", "20g"),
    ("두부 1/2모(150g)", "두부", "1/2", "모", "150g"),
    ("고추장 1큰술+1작은술", "고추장", "1", "큰술", "+1작은술"),
    ("돼지고기 앞다리살200g한입 크기", "돼지고기 앞다리살", "200", "g", "한입 크기"),
    ("두부반모", "두부", "1/2", "모", None),
    ("양파 반 개", "양파", "1/2", "개", None),
    ("양파 하나", "양파", "1", None, None),
    ("양파 0.5개", "양파", "0.5", "개", None),
    ("양파 1 / 2 개", "양파", "1/2", "개", None),
    ("다진 마늘 1큰술", "다진 마늘", "1", "큰술", None),
    ("간장 2와1/2컵", "간장", "2 1/2", "컵", None),
    ("간장1.5큰술", "간장", "1.5", "큰술", None),
    ("건미역10g", "건미역", "10", "g", None),
    ("삼겹살(200g)", "삼겹살", "200", "g", None),
    ("깨 ½스푼", "깨", "1/2", "스푼", None),
    ("계란2", "계란", "2", None, None),
    ("고추장 1.5 + 된장 0.5", "고추장", "1.5", None, "+ 된장 0.5"),
    ("계란두개", "계란", "2", "개", None),
    ("밥한공기", "밥", "1", "공기", None),
    ("김치1포기썰은것", "김치", "1", "포기", "썰은것"),
    ("물 2 1/2 Ts", "물", "2 1/2", "Ts", None),
    ("굴소스 2 큰 술", "굴소스", "2", "큰술", None),
    ("콜라1.25리터", "콜라", "1.25", "리터", None),
    ("참치캔 135g", "참치캔", "135", "g", None),
    ("햄 200g짜리 1캔", "햄", "1", "캔", "200g짜리"),
    ("다시마 5*5cm 2장", "다시마", "2", "장", "5*5cm"),
    ("또띠아 8인치 2장", "또띠아", "2", "장", "8인치"),
    ("생강 2cm", "생강", "2", "cm", None),
    ("꽈리고추(2줌=100g)", "꽈리고추", "2", "줌", "100g"),
    ("참외(중간 크기 1개)", "참외", "1", "개", "중간 크기"),
    ("대파 (흰부분) 1대", "대파 (흰부분)", "1", "대", None),
    ("파(대파) 1대", "파(대파)", "1", "대", None),
    ("물 종이컵 1컵", "물", "1", "컵", "종이컵"),
    ("간장 밥숟가락 2", "간장", "2", "밥숟가락", None),
    ("물 약 200ml 정도", "물", "200", "ml", "약 정도"),
    ("200g 돼지고기", "돼지고기", "200", "g", None),
    ("1인분: 밥 1공기", "밥", "1", "공기", "1인분"),
    ("1. 감자 2개", "감자", "2", "개", None),
    ("2)감자 2개", "감자", "2", "개", None),
    ("● 간장 1T", "간장", "1", "T", None),
    ("감자2개 양파1개", "감자", "2", "개", "양파1개"),
    ("소금 약간", "소금", "약간", None, None),
    ("소금/후추 약간", "소금/후추", "약간", None, None),
    ("올리브유적당량", "올리브유", "적당량", None, None),
    ("약간의 소금", "소금", "약간", None, None),
    ("후추 톡톡", "후추", "톡톡", None, None),
    ("후추 아주 조금", "후추", "아주 조금", None, None),
    ("대추 약간(선택)", "대추", "약간", None, "선택"),
    ("味噌 2큰술", "味噌", "2", "큰술", None),
    ("청양고추 2,3개", "청양고추", "2~3", "개", None),
    ("육수 800ml~1L", "육수", "800", "ml", "1L"),
    ("밀가루 (튀김옷용: 적당량)", "밀가루", "적당량", None, "튀김옷용:"),
    ("밀가루....2컵", "밀가루", "2", "컵", None),
    ("간장..2큰술", "간장", "2", "큰술", None),
    ("감자 하나 반", "감자", "1 1/2", None, None),
    ("물 1 반컵", "물", "1 1/2", "컵", None),
    ("월계수잎 두 세장", "월계수잎", "2~3", "장", None),
    ("양파 한 두개", "양파", "1~2", "개", None),
    ("메추리알 열 두 개", "메추리알", "12", "개", None),
    ("느타리 반~한팩", "느타리", "1/2~1", "팩", None),
    ("간장2:설탕1:물1", "간장", "2", None, "설탕1:물1"),
    ("저지방2% 우유 1컵", "저지방2% 우유", "1", "컵", None),
    ("0.5cm로 썬 감자 3조각", "감자", "3", "조각", "0.5cm로 썬"),
    ("2cm 두께 감자 3조각", "감자", "3", "조각", "2cm 두께"),
    ("감자 2소쿠리 정도", "감자", "2", "소쿠리", "정도"),
    ("감자 한 양푼", "감자", "1", "양푼", None),
    ("감자 {2개}", "감자", "2", "개", None),
    ("감자‹2개>", "감자", "2", "개", None),
    ("감자「2개」", "감자", "2", "개", None),
    ("감자 [2개]", "감자", "2", "개", None),
    ("두부 [부침용] 1모", "두부", "1", "모", "부침용"),
    ("고추장T1", "고추장", "1", "T", None),
    ("1개당근", "당근", "1", "개", None),
    ("2마리 닭", "닭", "2", "마리", None),
]
UNREAD = [
    ("설탕 숟가락", "설탕", "숟가락"),
    ("간장 큰 술", "간장", "큰 술"),
    ("소금/t", "소금", "t"),
    ("다진마늘. 밥숟가락", "다진마늘", "밥숟가락"),
    ("물㎖", "물", "ml"),
    ("물(소주잔)", "물", "소주잔"),
    ("아몬드 약", "아몬드", "약"),
    ("얼음 정도", "얼음", "정도"),
    ("크림(38% 유지방)", "크림", "38% 유지방"),
    ("닭 10호", "닭", "10호"),
    ("2+1 우유", "우유", "2+1"),
    ("1:1 간장물", "간장물", "1:1"),
    ("두유 2,5개", "두유", "2,5개"),
    ("감자 2보울 정도", "감자", "2보울 정도"),
]
NAMES = [
    "두반장",
    "반건조오징어",
    "통깨",
    "쪽파",
    "컵라면",
    "(컵)라면",
    "단무지",
    "모시조개",
    "장어",
    "봉",
    "열매",
    "감자 다섯",
    "다섯",
    "자두알",
    "성게 알",
    "미역 줄기",
    "네모 어묵",
    "2가지색 파프리카",
    "1등급 한우",
    "1++한우",
    "2배 식초",
    "3년 묵은지",
    "7분도미",
    "100% 카카오",
    "저지방 1% 우유",
    "비타민B1",
    "비타민 C",
    "오메가3",
    "HOT6",
    "저지방2% 우유",
    "단지무",
]


@pytest.mark.parametrize(("item", "name", "amount", "unit", "note"), RUN_TOGETHER)
def test_run_together(item: str, name: str, amount: str | None, unit: str | None, note: str | None) -> None:
    assert list(ingredient_lines(f"[재료] {item}")) == [Line("재료", name, amount, unit, note)]


@pytest.mark.parametrize(("item", "name", "note"), UNREAD)
def test_what_is_not_read_goes_to_the_note(item: str, name: str, note: str) -> None:
    assert list(ingredient_lines(item)) == [Line(None, name, None, None, note)]


@pytest.mark.parametrize("name", NAMES)
def test_names_with_numbers_and_units_stay_whole(name: str) -> None:
    assert list(ingredient_lines(f"{name}|{name} 20g")) == [
        Line(None, name, None, None, None),
        Line(None, name, "20", "g", None),
    ]


def test_an_item_without_a_name_is_a_remark_on_its_neighbour() -> None:
    assert list(ingredient_lines("2인분 기준|닭고기(가슴살|130g)|[양념] 소금")) == [
        Line(None, "닭고기(가슴살)", None, None, "2인분 기준 130g"),
        Line("양념", "소금", None, None, None),
    ]


@given(st.text(st.sampled_from("물소금파한반두개컵g12½/~.,()[]|:-% \x07"), max_size=40))
@example("물" + "(" * 3000)
@example("물" + ")" * 3000)
@example("1" * 5000 + "|" + "물 " * 2000)
def test_any_text_gives_lines_with_names(text: str) -> None:
    for line in ingredient_lines(text):
        assert re.search(r"[^\W\d_]", line.name)


@given(st.text(st.sampled_from("물소금파12½/~.,+:-% {}<「」"), max_size=20))
def test_no_letter_of_an_item_is_lost(item: str) -> None:
    lines = list(ingredient_lines(item))
    found = "".join(str(part) for line in lines for part in line if part)
    assert {letter for letter in item if letter.isalpha()} <= set(found)


@pytest.mark.parametrize(
    ("item", "section", "name"),
    [
        (f"반죽재료) 강력분{BEL}20{BEL}g", "반죽재료", "강력분"),
        ("양념) 진간장 20g", "양념", "진간장"),
        ("<주재료> 감자 20g", "주재료", "감자"),
        ("주재료 > 바나나 20g", "주재료", "바나나"),
        ("저나트륨 양념간장:간장 20g", "저나트륨 양념간장", "간장"),
        ("소스 : 와인 20g", "소스", "와인"),
        ("현미 : 흰쌀 20g", "재료", "현미 : 흰쌀"),
        ("물녹말(전분:물) 20g", "재료", "물녹말(전분:물)"),
    ],
)
def test_a_heading_in_an_item_is_no_part_of_its_name(item: str, section: str, name: str) -> None:
    assert list(ingredient_lines(f"[재료] {item}")) == [Line(section, name, "20", "g", None)]


def test_a_bracket_inside_an_item_is_no_heading() -> None:
    assert list(ingredient_lines("[재료] 두부 [부침용] 1모| 오이 [2개]|파 1대 [양념] 간장 1T [소스] 2인분")) == [
        Line("재료", "두부", "1", "모", "부침용"),
        Line("재료", "오이", "2", "개", None),
        Line("재료", "파", "1", "대", None),
        Line("양념", "간장", "1", "T", None),
    ]


def test_a_heading_names_an_amount_that_is_alone_in_its_section() -> None:
    assert list(ingredient_lines("[재료] 2인분 [양념] 1큰술 [소스] 파 1대")) == [
        Line("양념", "양념", "1", "큰술", None),
        Line("소스", "파", "1", "대", None),
    ]


def test_an_item_is_read_up_to_a_length_and_the_rest_is_its_note() -> None:
    rest = "1" * 5000
    (line,) = ingredient_lines("감자 2개 " + "." * (LONGEST_ITEM - 6) + rest)
    assert line == Line(None, "감자", "2", "개", rest)
    (line,) = ingredient_lines("감자 " + "." * LONGEST_ITEM + "2개")
    assert line == Line(None, "감자", None, None, "2개")


def test_a_note_is_no_longer_than_its_column() -> None:
    (line,) = ingredient_lines("감자|" + "1개|" * LONGEST_TEXT)
    assert line.note is not None
    assert LONGEST_TEXT - 2 <= len(line.note) <= LONGEST_TEXT


@pytest.mark.parametrize("items", ["|1개|1개", "|감자|1개", " 2개", "(1)", " [1개]", "1"])
def test_the_work_of_reading_a_list_grows_with_its_length(monkeypatch: pytest.MonkeyPatch, items: str) -> None:
    characters = 0

    def counted(text: str | None) -> str:
        nonlocal characters
        characters += len(text or "")
        return clean(text)

    monkeypatch.setattr("recommender.text.ingredient_lines.clean", counted)
    work = []
    for times in (4, 16):
        characters = 0
        list(ingredient_lines("감자" + items * 500 * times))
        work.append(characters)
    assert work[1] < 5 * work[0]


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


# Not read from units.csv: the share must not change with the table.
UNIT_WORD = re.compile(
    "[큰작]은술|큰술|[큰작]은?스푼|(티|테이블)?스푼|밥?숟(가락|갈)|수저|(종이|소주)?컵|T|t|Ts|ts|Tbsp|tsp|C|cup|k?g|mg|m[lL]|[lL]|"
    "cc|cm|ea|EA|그램|그람|킬로|키로|리터|개|마리|쪽|톨|알|줌|줄기?|단|봉지?|팩|캔|모|장|포기|뿌리|대|토막|조각|꼬집|인분|병|통|판|송이|"
    "근|되|홉|잎|덩이|덩어리|묶음|방울|국자|공기|그릇|약간|적당량|적당히|조금|소량"
)


def share_with_amount(lists: Iterable[str]) -> float:
    """Share of the lines whose name holds a digit or ends in a word of ``UNIT_WORD``."""
    names = [line.name for text in lists for line in ingredient_lines(text)]
    return sum(any(map(str.isnumeric, name)) or ends_in_unit(name) for name in names) / len(names)


def ends_in_unit(name: str) -> bool:
    return UNIT_WORD.fullmatch(re.findall(r"[^\s()\[\].,:~*/]+", name)[-1]) is not None


def test_names_hold_no_amounts() -> None:
    amounts = [
        "2개",
        " 반 개",
        " 1/2큰술",
        " 큰술",
        f"{BEL}1과 1/2{BEL}컵",
        " 한 줌",
        "(2개)",
        " 200g",
        " 약간",
        " ½컵",
        " 두 쪽",
    ]
    assert share_with_amount(f"감자{amount}" for amount in amounts) == 0
    assert share_with_amount(f"{amount} 감자" for amount in ("2개", "1/2큰술", "200g", "½컵", "1,000ml")) == 0
    assert share_with_amount(["2배 식초|미역 줄기|감자 3개|소금"]) == 0.5, "names that do count"


def test_few_names_hold_an_amount_in_real_recipes(shared_data: Path) -> None:
    file = RecipeFile(shared_data / "TB_RECIPE_SEARCH_sample.csv")
    assert share_with_amount(recipe.ingredients for recipe in file if isinstance(recipe, Recipe)) < 0.001
