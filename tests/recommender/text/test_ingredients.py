import pytest

from recommender.text.ingredients import MIN_RECIPES, canonical_name, known_name, split_names, title_vocabulary


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("다진 마늘", "마늘"),
        ("다진마늘 1큰술", "마늘"),
        ("깐마늘(3쪽)", "마늘"),
        ("파(대파)", "대파"),
        ("고추(풋고추(청고추))", "풋고추"),
        ("돼지고기(목살)", "목살"),
        ("꿀(설탕)", "꿀"),
        ("김치(생략가능)", "김치"),
        ("[양념] 진간장", "간장"),
        ("반죽재료)강력분", "밀가루"),
        ("소스 > 올리브오일", "올리브유"),
        ("버터 또는 마가린", "버터"),
        ("식용유/소금", "식용유"),
        ("부추 약간", "부추"),
        ("앵커 치즈", "치즈"),
        ("모짜렐라 치즈~", "모짜렐라치즈"),
        ("달걀 2개", "계란"),
        ("Ａ１소스", "우스터소스"),
        ("방아잎", "방아잎"),
    ],
)
def test_one_name_for_all_spellings(raw: str, name: str) -> None:
    assert canonical_name(raw) == name


@pytest.mark.parametrize(
    "raw", ["", "[", "20g)", "키친타월", "재료", "야채", "\ufffd\ufffd", "1인분기준<br>", "🍣", "ㅋ"]
)
def test_a_text_without_an_ingredient_is_none(raw: str) -> None:
    assert canonical_name(raw) is None


def test_a_canonical_name_is_its_own() -> None:
    for raw in ("다진 마늘", "육우(양지)", "방아잎", "스윗 크림"):
        name = canonical_name(raw)
        assert name is not None
        assert canonical_name(name) == name


def test_the_title_vocabulary_leaves_out_rare_notes() -> None:
    vocabulary = title_vocabulary({"마늘": 1, "방아잎": MIN_RECIPES, "집에있는것": MIN_RECIPES - 1})
    assert vocabulary["깐마늘"] == "마늘"
    assert vocabulary["방아잎"] == "방아잎"
    assert "집에있는것" not in vocabulary
    assert "당근" not in vocabulary


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("감자", ["감자"]),
        ("감자, 양파·당근", ["감자", "양파", "당근"]),
        ("돼지고기/소고기\n우유 1/2컵", ["돼지고기", "소고기", "우유 1/2컵"]),
        ("고추(청양,꽈리), 마늘", ["고추(청양,꽈리)", "마늘"]),
        (" , ", []),
    ],
)
def test_a_list_is_split_into_names(text: str, names: list[str]) -> None:
    assert split_names(text) == names


def test_a_name_is_known_in_any_spelling_and_spacing() -> None:
    spellings = {"돈육": "돼지고기", "돼지고기": "돼지고기"}
    for written in ("돈 육", "돼지\u200b고기", "국산 돼지고기 600g", "돼지고기(국내산)"):
        assert known_name(written, spellings) == "돼지고기"
    assert known_name(" 없는  재료 ", spellings) == "없는 재료"
