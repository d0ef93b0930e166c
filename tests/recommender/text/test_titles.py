import pytest

from recommender.text.titles import normalise_title, plain, tokens


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("[산들푸드] 국내산 손질 고등어 500g x 4팩 (총 2kg)", "국내산 손질 고등어"),
        ("(방송에서만 2팩 더) 뼈없는 갈비탕 700gX10팩", "뼈없는 갈비탕"),
        ("１＋１ 참기름 320㎖", "참기름"),
        ("★단독특가★ 제주 감귤 5kg 선물세트", "제주 감귤"),
        ("햇양파 1.5kg~3kg 택1", "햇양파"),
        ("[[겹친]괄호] 두부 300g", "두부"),
    ],
)
def test_a_title_keeps_what_it_names(title: str, expected: str) -> None:
    assert normalise_title(title) == expected


def test_a_title_of_brackets_alone_keeps_their_content() -> None:
    assert normalise_title("[국산 콩나물 300g]") == "국산 콩나물"


def test_list_separators_survive_between_items_only() -> None:
    assert normalise_title("갈치 10토막 + 고등어 5팩 +") == "갈치 + 고등어"
    assert normalise_title("커피1,초콜릿1 기획팩") == "커피 ,초콜릿 기획팩"


def test_numbers_and_units_leave_no_trace() -> None:
    for amount in ("1,000그램", "1.5kg", "200g", "1,2kg", "500ml", "10~12cm", "2킬로그램"):
        assert normalise_title(f"두부 {amount} 국산") == "두부 국산", amount
    assert normalise_title("두부 200g국산") == "두부 국산"
    assert normalise_title("에어컨 11grt") == "에어컨 rt", "no unit ends inside a word but those of one letter"


@pytest.mark.parametrize("title", ["", "   ", "[]", "100g", "★★", "🍣🍺"])
def test_a_title_that_names_nothing_is_empty(title: str) -> None:
    assert normalise_title(title) == ""


def test_plain_folds_width_case_and_space() -> None:
    assert plain(" ＡＢＣ  두부\t1모 ") == "abc 두부 1모"


def test_tokens_are_content_words_in_order() -> None:
    found = tokens("매콤한 돼지고기를 넣은 김치찌개")
    assert "김치찌개" in found or {"김치", "찌개"} <= set(found)
    assert "를" not in found
    assert tokens("") == []


def test_tokens_of_a_query_occur_in_the_title_it_should_find() -> None:
    assert set(tokens("감자조림")) <= set(tokens("간장 감자조림 만들기"))
