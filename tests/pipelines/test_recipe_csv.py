"""The official recipe file: encodings, widths, damaged rows, authors."""

import csv
import io
from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from pipelines.load.recipe_csv import NotARecipeFile, Recipe, RecipeFile, Rejected
from pipelines.load.recipe_records import MAX_RECORD, split_records
from recommender.text.ingredient_lines import ingredient_lines
from recommender.text.ingredients import canonical_name

COLUMNS = [
    "RCP_SNO",
    "RCP_TTL",
    "CKG_NM",
    "RGTR_ID",
    "RGTR_NM",
    "INQ_CNT",
    "RCMM_CNT",
    "SRAP_CNT",
    "CKG_MTH_ACTO_NM",
    "CKG_STA_ACTO_NM",
    "CKG_MTRL_ACTO_NM",
    "CKG_KND_ACTO_NM",
    "CKG_IPDC",
    "CKG_MTRL_CN",
    "CKG_INBUN_NM",
    "CKG_DODF_NM",
    "CKG_TIME_NM",
    "FIRST_REG_DT",
    "RCP_IMG_URL",
]
AUTHOR_ID, AUTHOR = "cook_secret", "비밀작성자"


def row(number: object, title: str = "감자볶음", ingredients: str = "[재료] 감자 2개") -> list[str]:
    values = dict.fromkeys(COLUMNS, "") | {"RCP_SNO": str(number), "RCP_TTL": title, "CKG_MTRL_CN": ingredients}
    values |= {"RGTR_ID": AUTHOR_ID, "RGTR_NM": AUTHOR, "INQ_CNT": "1204", "CKG_NM": "볶음", "CKG_TIME_NM": "30분이내"}
    values |= {"FIRST_REG_DT": "20160211191040", "RCP_IMG_URL": "https://image/1.jpg"}
    return list(values.values())


def write(path: Path, rows: list[list[str]], header: list[str] = COLUMNS, encoding: str = "utf-8") -> RecipeFile:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    path.write_bytes(text.getvalue().encode(encoding))
    return RecipeFile(path)


def recipes(file: RecipeFile) -> list[Recipe]:
    return [found for found in file if isinstance(found, Recipe)]


def rejected(file: RecipeFile) -> list[Rejected]:
    return [found for found in file if isinstance(found, Rejected)]


@pytest.mark.parametrize(("encoding", "found"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp949", "cp949")])
def test_encodings(tmp_path: Path, encoding: str, found: str) -> None:
    file = write(tmp_path / "r.csv", [row(1, "뚝배기 된장찌개, 두 그릇")], encoding=encoding)
    (recipe,) = recipes(file)
    assert file.encodings == {found: 1}
    assert recipe.title == "뚝배기 된장찌개, 두 그릇"
    assert (recipe.dish, recipe.view_count, recipe.cooking_time) == ("볶음", 1204, "30분이내")
    assert recipe.registered_at is not None
    assert recipe.registered_at.isoformat() == "2016-02-11T10:10:40+00:00"


YEARS = {2006: "김치찌개", 2007: "치즈", 2008: "감자조림, 두 그릇"}


@pytest.mark.parametrize("encodings", list(product(["utf-8", "utf-8-sig", "cp949"], repeat=3)))
@pytest.mark.parametrize("has_headers", [False, True])
def test_each_row_has_an_encoding_of_its_own(tmp_path: Path, encodings: tuple[str, ...], has_headers: bool) -> None:
    content = b""
    for (year, title), encoding in zip(YEARS.items(), encodings, strict=True):
        values = row(year, title, f"[재료] {title}\x072\x07개\x07| 소금\x07약간")
        values[12] = f"{title}\n좋은 반찬,\n맛있다"
        text = io.StringIO()
        csv.writer(text).writerows([COLUMNS, values] if has_headers or not content else [values])
        content += text.getvalue().encode(encoding)
    (tmp_path / "r.csv").write_bytes(content)
    file = RecipeFile(tmp_path / "r.csv")
    found = recipes(file)
    assert [(recipe.recipe_id, recipe.title) for recipe in found] == list(YEARS.items())
    assert [recipe.introduction for recipe in found] == [f"{title} 좋은 반찬, 맛있다" for title in YEARS.values()]
    assert [next(ingredient_lines(recipe.ingredients)).amount for recipe in found] == ["2"] * 3
    assert rejected(file) == []
    assert file.encodings == Counter(encoding.removesuffix("-sig") for encoding in encodings)


def test_a_header_of_another_year_may_name_other_columns(tmp_path: Path) -> None:
    text = io.StringIO()
    shorter = [COLUMNS[0], COLUMNS[1], COLUMNS[13]]
    csv.writer(text).writerows([COLUMNS, row(1), shorter, ["2", "감자전", "[재료] 감자 1개"]])
    (tmp_path / "r.csv").write_text(text.getvalue(), encoding="cp949")
    assert [(recipe.title, recipe.dish, recipe.ingredients) for recipe in recipes(RecipeFile(tmp_path / "r.csv"))] == [
        ("감자볶음", "볶음", "[재료] 감자 2개"),
        ("감자전", None, "[재료] 감자 1개"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
@pytest.mark.parametrize("damage", [b"\xff", b"\xed\xa0\x80"])
def test_a_title_that_cannot_be_decoded_is_rejected(tmp_path: Path, encoding: str, damage: bytes) -> None:
    path = tmp_path / "r.csv"
    write(path, [row(1, "된장찌개"), row(2, "김치찌개")], encoding=encoding)
    path.write_bytes(path.read_bytes().replace("된".encode(encoding), damage, 1))
    file = RecipeFile(path)
    assert [recipe.title for recipe in recipes(file)] == ["김치찌개"]
    assert [(found.line, found.reason, found.recipe_id) for found in rejected(file)] == [
        (2, "title is neither UTF-8 nor CP949", "1")
    ]
    assert AUTHOR not in str(rejected(file))


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_a_damaged_byte_elsewhere_is_only_counted(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "r.csv"
    write(path, [row(1, "된장찌개"), row(2, "김치찌개")], encoding=encoding)
    path.write_bytes(path.read_bytes().replace("볶음".encode(encoding), "볶음".encode(encoding)[:-1], 1))
    file = RecipeFile(path)
    first, second = recipes(file)
    assert (first.title, second.title) == ("된장찌개", "김치찌개")
    assert first.dish is not None
    assert first.dish.startswith("볶")
    assert file.notes["rows with characters that could not be decoded"] == 1
    assert file.encodings == {encoding: 2}


def test_a_replacement_character_of_the_file_is_text(tmp_path: Path) -> None:
    file = write(tmp_path / "r.csv", [row(1, "된\ufffd찌개")])
    assert [recipe.title for recipe in recipes(file)] == ["된\ufffd찌개"]


def test_a_row_of_18_columns_is_kept(tmp_path: Path) -> None:
    file = write(tmp_path / "r.csv", [row(1)[:-1], row(2)])
    first, second = recipes(file)
    assert (first.recipe_id, first.dish, first.image_url) == (1, "볶음", None)
    assert second.image_url == "https://image/1.jpg"
    assert rejected(file) == []


def test_a_file_of_18_columns_and_one_with_unknown_columns(tmp_path: Path) -> None:
    old = write(tmp_path / "old.csv", [row(1)[:-1]], header=COLUMNS[:-1])
    assert [recipe.image_url for recipe in recipes(old)] == [None]
    new = write(tmp_path / "new.csv", [["x", *row(1)]], header=["NEW_COLUMN", *COLUMNS])
    assert [recipe.title for recipe in recipes(new)] == ["감자볶음"]
    assert new.notes["unknown columns"] == 1


@pytest.mark.parametrize("lost", range(2, 18))
def test_a_row_that_lacks_a_column_is_kept_without_its_author(tmp_path: Path, lost: int) -> None:
    values = row(1)
    del values[lost]
    (recipe,) = recipes(write(tmp_path / "r.csv", [values]))
    assert (recipe.recipe_id, recipe.title) == (1, "감자볶음")
    kept = recipe.model_dump_json()
    assert AUTHOR not in kept
    assert AUTHOR_ID not in kept
    if COLUMNS[lost] != "CKG_MTRL_CN":
        assert recipe.ingredients == "[재료] 감자 2개"


def test_commas_without_quotes_do_not_let_the_author_through(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    for commas in range(1, 8):
        values = row(1, "된장찌개" + ",보글" * commas)
        path.write_text(",".join(COLUMNS) + "\n" + ",".join(values) + "\n", encoding="utf-8")
        (recipe,) = recipes(RecipeFile(path))
        assert recipe.title == "된장찌개"
        assert AUTHOR not in recipe.model_dump_json()


def test_rows_without_id_or_title_are_rejected_with_their_line(tmp_path: Path) -> None:
    rows = [row(1), row(""), row("abc"), row(4, " \u200b "), row(-5), row(6), row(2**63), row("7.0")]
    file = write(tmp_path / "r.csv", rows)
    assert [recipe.recipe_id for recipe in recipes(file)] == [1, 6, 7]
    assert [(found.line, found.reason) for found in rejected(file)] == [
        (3, "no id"),
        (4, "no id"),
        (5, "no title"),
        (6, "no id"),
        (8, "no id"),
    ]
    assert AUTHOR not in str(rejected(file))


def test_the_last_row_of_an_id_wins(tmp_path: Path) -> None:
    file = write(tmp_path / "r.csv", [row(1, "처음"), row(2), row(1, "다시"), row(1, ""), row(1, "마지막")])
    assert {recipe.recipe_id: recipe.title for recipe in recipes(file)} == {2: "감자볶음", 1: "마지막"}
    assert [(found.line, found.reason) for found in rejected(file)] == [
        (2, "repeats an id"),
        (4, "repeats an id"),
        (5, "no title"),
    ]


def test_line_breaks_in_quotes_and_a_quote_that_never_closes(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    quoted = row(1000001, "첫째")
    quoted[12] = "여러\n줄, \n1234567, 줄"
    write(path, [quoted, row(1000002, "둘째"), row(1000003, "셋째")])
    assert [recipe.title for recipe in recipes(RecipeFile(path))] == ["첫째", "둘째", "셋째"]
    path.write_text(path.read_text(encoding="utf-8").replace("둘째", '"둘째'), encoding="utf-8")
    file = RecipeFile(path)
    assert {recipe.recipe_id for recipe in recipes(file)} == {1000001, 1000002, 1000003}


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    write(path, [row(1000001, "첫째"), row(1000002, "둘째"), row(1000003, "셋째")])
    prose = "설명입니다. 그리고 더 많은 글\n"
    text = path.read_text(encoding="utf-8").replace("둘째", '"둘째')
    cut = text.index("1000003")
    prose *= MAX_RECORD // len(prose.encode()) + 2
    path.write_text(text[:cut] + prose + text[cut:], encoding="utf-8", newline="")
    file = RecipeFile(path)
    assert [recipe.title for recipe in recipes(file)] == ["첫째", "셋째"]
    (found,) = rejected(file)
    assert (found.line, found.recipe_id, found.reason) == (
        3,
        "1000002",
        "longer than 1 MiB: a quote may not be closed",
    )


def test_lines_beyond_the_longest_record_are_left_out() -> None:
    lines = [b'1,"a\n', *[b"12345678\n"] * 100, b'",\n', b"2,b\n"]
    assert [(first, len(record)) for first, record in split_records(lines, longest=50)] == [(1, 59), (103, 4)]


@pytest.mark.parametrize("registered", ["00010101000000", "00000000000000", "99991332000000", "9" * 5000])
def test_a_date_that_is_none_leaves_the_field_empty(tmp_path: Path, registered: str) -> None:
    values = row(1)
    values[17] = registered
    found = recipes(write(tmp_path / "r.csv", [values, row(2)]))
    assert [recipe.registered_at is None for recipe in found] == [True, False]


def test_numbers_of_thousands_of_digits_are_no_numbers(tmp_path: Path) -> None:
    values = row(1)
    values[5] = "9" * 5000
    file = write(tmp_path / "r.csv", [values, row("9" * 5000), row(2)])
    assert [(recipe.recipe_id, recipe.view_count) for recipe in recipes(file)] == [(1, None), (2, 1204)]
    assert [(found.line, found.reason) for found in rejected(file)] == [(3, "no id")]


def test_odd_values(tmp_path: Path) -> None:
    values = row(1, "  다진\u00a0마늘\u200b 볶음\ufeff ")
    values[5], values[6], values[7], values[17] = "1,204", "없음", "99999999999", "2016"
    (recipe,) = recipes(write(tmp_path / "r.csv", [values, ["", "", ""], []]))
    assert recipe.title == "다진 마늘 볶음"
    assert (recipe.view_count, recipe.recommend_count, recipe.scrap_count) == (1204, None, None)
    assert recipe.registered_at is None


def full_row(**values: str) -> list[str]:
    """A row with every column filled as the real ones are."""
    texts = {
        "CKG_MTH_ACTO_NM": "조림",
        "CKG_STA_ACTO_NM": "일상",
        "CKG_MTRL_ACTO_NM": "채소류",
        "CKG_KND_ACTO_NM": "밑반찬",
    }
    texts |= {"CKG_IPDC": "좋은 반찬", "CKG_INBUN_NM": "2인분", "CKG_DODF_NM": "초급", "RCMM_CNT": "3", "SRAP_CNT": "4"}
    return list((dict(zip(COLUMNS, row(6_900_001), strict=True)) | texts | values).values())


def write_unquoted(path: Path, values: list[str]) -> RecipeFile:
    path.write_text(f"{','.join(COLUMNS)}\n{','.join(values)}\n", encoding="utf-8")
    return RecipeFile(path)


@pytest.mark.parametrize("width", [18, 19])
@pytest.mark.parametrize("commas", [1, 3])
@pytest.mark.parametrize("column", ["CKG_IPDC", "CKG_MTRL_CN"])
def test_a_comma_without_quotes_is_mended(tmp_path: Path, column: str, commas: int, width: int) -> None:
    torn = full_row(**{column: full_row()[COLUMNS.index(column)] + ", 그리고" * commas})[:width]
    file = write_unquoted(tmp_path / "r.csv", torn)
    assert recipes(file) == recipes(write(tmp_path / "quoted.csv", [torn]))
    assert +file.notes == Counter()


def test_a_comma_in_a_title_costs_only_what_it_moves(tmp_path: Path) -> None:
    file = write_unquoted(tmp_path / "r.csv", full_row(RCP_TTL="된장찌개,보글"))
    (expected,) = recipes(write(tmp_path / "whole.csv", [full_row(RCP_TTL="된장찌개")]))
    assert recipes(file) == [expected.model_copy(update={"dish": None})]
    assert file.notes["rows that do not fit the columns, kept in part"] == 1


@pytest.mark.parametrize("text", ['그는 "맛" 있다', '"첫째", 둘째', '3" 피자', '두\n줄 "따옴표", 끝'])
def test_quotes_after_backslashes_are_quotes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.csv"
    (expected,) = recipes(write(path, [full_row(CKG_IPDC=text)]))
    doubled, backslashes = (text.replace('"', quote) for quote in ('""', '\\"'))
    escaped = path.read_text(encoding="utf-8").replace(f'"{doubled}"', f'"{backslashes}"')
    assert backslashes in escaped
    path.write_text(escaped + ",".join(["6900002", *full_row()[1:]]) + "\n", encoding="utf-8")
    first, second = recipes(RecipeFile(path))
    assert first == expected
    assert second.recipe_id == 6_900_002


def test_a_backslash_at_the_end_of_a_text_stays(tmp_path: Path) -> None:
    (recipe,) = recipes(write(tmp_path / "r.csv", [full_row(RCP_TTL="a, b\\", CKG_NM="c, d\\")]))
    assert (recipe.title, recipe.dish) == ("a, b\\", "c, d\\")


def test_a_row_that_could_be_decoded_wins_over_others(tmp_path: Path) -> None:
    file = write(tmp_path / "r.csv", [row(1, "된장"), row(1, "된\ufffd"), row(2, "\ufffd장"), row(2, "\ufffd국")])
    assert [recipe.title for recipe in recipes(file)] == ["된장", "\ufffd국"]


def test_a_file_of_many_damaged_rows_is_refused(tmp_path: Path) -> None:
    damaged = [row(number, "된\ufffd") for number in range(1, 21)]
    intact = [row(number) for number in range(100, 2_080)]
    assert len(recipes(write(tmp_path / "r.csv", [*damaged, *intact]))) == 2_000
    with pytest.raises(NotARecipeFile, match=r"20 of 1,999 rows hold characters .* more than 1%"):
        list(write(tmp_path / "r.csv", [*damaged, *intact[1:]]))


def test_entities_are_replaced_once(tmp_path: Path) -> None:
    values = row(1, "치즈 &amp; 감자 &amp;lt;R&D&gt; &#39;", "[재료] M&amp;M 2개")
    (recipe,) = recipes(write(tmp_path / "r.csv", [values, row(2, "&nbsp;")]))
    assert (recipe.title, recipe.ingredients) == ("치즈 & 감자 &lt;R&D> '", "[재료] M&M 2개")


@pytest.mark.parametrize(
    ("written", "servings"), [("2", "2인분"), ("4.0", "4인분"), ("3인분", "3인분"), ("2~3", "2~3"), ("", None)]
)
def test_a_lone_number_of_servings_is_of_people(tmp_path: Path, written: str, servings: str | None) -> None:
    values = row(1)
    values[14] = written
    assert [recipe.servings for recipe in recipes(write(tmp_path / "r.csv", [values]))] == [servings]


@pytest.mark.parametrize(("written", "count"), [("", None), ("0", 0), ("12", 12), ("-", None)])
def test_a_count_that_the_file_lacks_is_unknown(tmp_path: Path, written: str, count: int | None) -> None:
    values = row(1)
    values[7] = written
    assert [recipe.scrap_count for recipe in recipes(write(tmp_path / "r.csv", [values]))] == [count]


def test_what_is_no_recipe_file(tmp_path: Path) -> None:
    with pytest.raises(NotARecipeFile, match="cannot be read"):
        RecipeFile(tmp_path / "absent.csv")
    for name, content in (("other.csv", "a,b\n1,2\n"), ("empty.csv", "")):
        (tmp_path / name).write_text(content)
        with pytest.raises(NotARecipeFile, match="names no columns RCP_SNO and RCP_TTL"):
            list(RecipeFile(tmp_path / name))


def test_real_recipes(shared_data: Path) -> None:
    file = RecipeFile(shared_data / "TB_RECIPE_SEARCH_sample.csv")
    found = recipes(file)
    assert (len(found), rejected(file)) == (11_458, [])
    names = [line.name for recipe in found for line in ingredient_lines(recipe.ingredients)]
    assert len(names) > 95_000
    assert sum(canonical_name(name) is not None for name in names) > 0.99 * len(names)
