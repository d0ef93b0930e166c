"""The grammar of amounts: what people write, and what is formatted."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from recommender.text.amounts import (
    LARGEST,
    LONGEST_NUMBER,
    find_amounts,
    format_number,
    plain_amounts,
    read_measure,
    read_number,
)
from recommender.text.quantities import quantity
from recommender.text.units import UNITS

SPELLINGS = [
    ("2", 2, None),
    ("1/2", 0.5, None),
    ("1 1/2", 1.5, None),
    ("½", 0.5, None),
    ("1½", 1.5, None),
    ("1⅓", 4 / 3, None),
    ("⅙컵", 1 / 6, "컵"),
    ("⅞컵", 7 / 8, "컵"),
    ("2와 1/2", 2.5, None),
    ("1과1/2큰술", 1.5, "큰술"),
    ("1+1/2공기", 1.5, "공기"),
    ("1-1/2컵", 1.5, "컵"),
    ("1.1/2컵", 1.5, "컵"),
    ("1 / 2", 0.5, None),
    ("1~2", 2, None),
    ("1-2", 2, None),
    ("1/2 ~ 1", 1, None),
    ("3〜4개", 4, "개"),
    ("2–3개", 3, "개"),
    ("2컵~3컵", 3, "컵"),
    ("800ml~1L", 800, "ml"),
    ("2,3개", 3, "개"),
    ("1.5", 1.5, None),
    (".5", 0.5, None),
    ("1,000", 1000, None),
    ("반", 0.5, None),
    ("반 정도", 0.5, None),
    ("1/2씩", 0.5, None),
    ("하나", 1, None),
    ("한", 1, None),
    ("다섯", 5, None),
    ("한두", 2, None),
    ("반 개", 0.5, "개"),
    ("반모", 0.5, "모"),
    ("반의 반 개", 0.25, "개"),
    ("한 개", 1, "개"),
    ("한줌", 1, "줌"),
    ("두 줄기", 2, "줄기"),
    ("서너 개", 4, "개"),
    ("대여섯 쪽", 6, "쪽"),
    ("1개 반", 1.5, "개"),
    ("3컵 반", 3.5, "컵"),
    ("두 공기 반", 2.5, "공기"),
    ("200g", 200, "g"),
    ("75g(3/4모)", 75, "g"),
    ("(등심, 120g)", 120, "g"),
    ("100g한입", 100, "g"),
    ("1포기썰은것", 1, "포기"),
    ("2큰술씩", 2, "큰술"),
    ("2 큰 술", 2, "큰술"),
    ("10여장", 10, "장"),
    ("1T", 1, "T"),
    ("1t", 1, "t"),
    ("1.5ℓ", 1.5, "l"),
    ("２００ｇ", 200, "g"),
    ("１／２", 0.5, None),
    ("1⁄2", 0.5, None),
    ("500㎖", 500, "ml"),
    ("200㎎", 200, "mg"),
    ("3개월", 3, "개월"),
    ("....2컵", 2, "컵"),
    ("하나 반", 1.5, None),
    ("1 반컵", 1.5, "컵"),
    ("2 반 개", 2.5, "개"),
    ("두 세장", 3, "장"),
    ("한 두개", 2, "개"),
    ("세네 개", 4, "개"),
    ("열두 개", 12, "개"),
    ("열 두 개", 12, "개"),
    ("열장", 10, "장"),
    ("반~한팩", 1, "팩"),
    ("반 ~ 1팩", 1, "팩"),
    ("두 ~ 1 1/2컵", 2, "컵"),
    ("2소쿠리", 2, "소쿠리"),
    ("한 바가지", 1, "바가지"),
]
NO_AMOUNTS = [
    "약간",
    "",
    None,
    "1/0",
    "0",
    "0.0",
    "적당량",
    "-",
    "두부",
    "한우",
    "세발나물",
    "반찬",
    "반미",
    "한과",
    "열매",
    "네모",
    "두반장",
    "자두알",
    "완두 캔",
    "비타민B1",
    "오메가3",
    "HOT6",
    "2011-03-04",
    "5*5",
    "38%",
    "2,5개",
    "7분도미",
    "/4",
    "8801234567890",
    "9" * 400,
    "1/" + "9" * 400,
]


@pytest.mark.parametrize(("written", "number", "unit"), SPELLINGS)
def test_amounts_are_read_as_people_write_them(written: str, number: float, unit: str | None) -> None:
    measure = read_measure(written, None)
    assert measure.number == pytest.approx(number)
    assert measure.unit == unit


@pytest.mark.parametrize("written", NO_AMOUNTS)
def test_what_says_no_amount_has_none(written: str | None) -> None:
    assert read_measure(written, "개") == (None, "개")


def test_a_unit_apart_counts_unless_the_amount_has_its_own() -> None:
    assert read_measure("1/2", "개") == (0.5, "개")
    assert read_measure("200g", "개") == (200, "g")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("⅙", "1/6"),
        ("1½", "1 1/2"),
        ("1과1/2", "1 1/2"),
        ("0 1/2", "1/2"),
        ("1,000", "1000"),
        (".5", "0.5"),
        ("1.50", "1.5"),
        ("0.16666666666666666", "1/6"),
        ("2.6666667", "2 2/3"),
        ("반 개", "1/2"),
        ("3컵 반", "3 1/2"),
        ("2–3", "2~3"),
        ("서너 개", "3~4"),
        ("1~1/2", "1/2~1"),
        ("3~3", "3"),
        ("하나 반", "1 1/2"),
        ("두 세장", "2~3"),
        ("반~한팩", "1/2~1"),
        ("두~1 1/2컵", "1 1/2~2"),
    ],
)
def test_the_text_of_an_amount_is_plain(written: str, text: str) -> None:
    (found,) = find_amounts(plain_amounts(written).strip())
    assert found.amount.text == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1 / 6, "1/6"), (1.5, "1 1/2"), (2, "2"), (0.37, "0.37"), (10.001, "10.001"), (2 / 3, "2/3"), (0.0001, "0.0001")],
)
def test_numbers_are_formatted_as_people_write_them(value: float, text: str) -> None:
    assert format_number(value) == text


NUMBERS = st.one_of(
    st.integers(1, 9999).map(str),
    st.integers(1, 999_999).map(lambda number: f"{number:,}"),
    st.decimals("0.001", 9999, places=3).map(str),
    st.builds("{}/{}".format, st.integers(1, 20), st.integers(1, 20)),
    st.builds("{}{}{}/3".format, st.integers(1, 99), st.sampled_from([" ", "과", "와 ", "+"]), st.integers(1, 9)),
    st.builds("{}{}".format, st.sampled_from(["", 1, 12]), st.sampled_from("½⅓⅔¼¾⅕⅙⅛⅞")),
    st.floats(0.001, 1000).map(repr).filter(lambda text: "e" not in text),
)
AMOUNTS = st.one_of(
    NUMBERS,
    st.builds("{}{}{}".format, NUMBERS, st.sampled_from(["~", " ~ ", "–", "〜"]), NUMBERS),
    st.sampled_from(["반 ", "한 ", "두 ", "서너 ", "대여섯 ", "두 세", "열 두 ", "반~한 ", "반~2", "1 반"]),
)


@given(AMOUNTS, st.sampled_from(sorted(UNITS)), st.sampled_from(["", " 반"]))
def test_what_is_formatted_reads_back_with_the_same_value(written: str, unit: str, half: str) -> None:
    found = next(find_amounts(plain_amounts(f"{written}{unit}{half}").strip()), None)
    assume(found is not None and found.amount.unit == unit)
    assert found is not None
    (again,) = find_amounts(f"{found.amount.text}{unit}")
    assert again.amount[2:] == found.amount[2:]
    assert again.amount[:2] == pytest.approx(found.amount[:2], abs=1e-3)


@given(st.floats(0.001, LARGEST))
def test_a_formatted_number_is_the_same_to_three_digits(value: float) -> None:
    assert read_number(format_number(value)) == pytest.approx(value, abs=1e-3)


PIECES = st.sampled_from(
    ["1", "2/3", "½", "반", "한", "~", "-", " ", "g", "개", "큰술", "와", ",", ".", "９", "(", "0", "/", "밥", "B"]
)


@given(st.one_of(st.none(), st.text(max_size=60), st.lists(PIECES, max_size=20).map("".join)))
@example("9" * 5000)
@example("1" + " " * 5000)
@example("0." + "0" * 400 + "1")
@example("9" * 400 + "개 반")
def test_any_text_gives_an_amount_in_bounds_or_none(written: str | None) -> None:
    number = read_measure(written, None).number
    assert number is None or 0 < number <= LARGEST
    if number is not None:
        for unit in (None, "g", "개", "컵", "?"):
            assert all(part is None or part > 0 for part in quantity("감자", number, unit))


@given(st.integers(1, 999), st.integers(1, 9), st.integers(1, 9))
def test_a_mixed_number_is_its_whole_and_its_fraction(whole: int, numerator: int, denominator: int) -> None:
    expected = whole + numerator / denominator
    for joined in (" ", "와 ", "과", "+"):
        assert read_measure(f"{whole}{joined}{numerator}/{denominator}", None).number == pytest.approx(expected)


def test_a_bare_number_differs_from_a_text_that_holds_one() -> None:
    assert (read_number("1 1/2"), read_number("½"), read_number("1,000")) == (1.5, 0.5, 1000)
    assert (read_number("반"), read_number("한"), read_number(" 다섯 ")) == (0.5, 1, 5)
    assert read_number("0." + "5" * 30) is not None
    assert [read_number(text) for text in ("2g", "x2", "2x", "-1", "nan", "0", "", "1~2", "한두")] == [None] * 9


@pytest.mark.parametrize(
    "written",
    ["0." + "5" * (LONGEST_NUMBER - 1), "1" + " " * LONGEST_NUMBER + "1/2", " " * LONGEST_NUMBER + "1"],
)
def test_a_longer_text_than_a_number_is_refused(written: str) -> None:
    assert read_number(written) is None


@pytest.mark.parametrize(
    ("written", "number"),
    [("1" + " " * 99 + "1/2", 1.5), ("1/" + " " * 99 + "2", 0.5), ("0" * 9 + "1", None), ("1." + "0" * 31, None)],
)
def test_blanks_are_joined_and_digits_are_bounded(written: str, number: float | None) -> None:
    assert read_measure(f"{written}개", None).number == number


@pytest.mark.parametrize("blanks", [3, 4])
def test_blanks_between_a_number_and_its_unit_are_bounded(blanks: int) -> None:
    (found,) = find_amounts("1" + " " * blanks + "개")
    assert found.amount.unit == ("개" if blanks == 3 else None)
