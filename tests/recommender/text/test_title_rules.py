"""What the rules alone read in titles."""

import pytest

from recommender.text.resolver import TitleResolver
from recommender.text.title_reading import RuleReading
from recommender.text.title_rules import UNKNOWN_DISH
from recommender.text.title_words import Kind


def read(resolver: TitleResolver, title: str) -> RuleReading:
    return resolver.read_many([title])[0]


def head(resolver: TitleResolver, title: str) -> str:
    found = read(resolver, title).head
    return found.word.type if found else ""


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("감자전분 1kg", "전분"),
        ("전분 감자", "감자"),
        ("국산콩 두부조림", "두부조림"),
        ("뼈없는 왕갈비탕 700g 10팩", "갈비탕"),
        ("사과 배 갈치", "갈치"),
        ("갈비탕 10팩 + 김치 1kg", "갈비탕"),
        ("단호박/쑥 인절미", "단호박"),
        ("무라벨 생수 2L", "생수"),
        ("무선 청소기", "청소기"),
        ("나눔세트 4호", ""),
    ],
)
def test_the_last_word_of_the_first_part_is_the_head(resolver: TitleResolver, title: str, expected: str) -> None:
    assert head(resolver, title) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("[햇감자] 두부 300g", "두부"),
        ("두부 (감자) 300g", "두부"),
        ("두부 {햇양파} <당근> ★고등어★", "두부"),
        ("원목 식탁 4인 (무)", "소파"),
        ("설화 기초 풀세트 (2X크림 50ml)", ""),
    ],
)
def test_words_in_brackets_decide_nothing(resolver: TitleResolver, title: str, expected: str) -> None:
    found = read(resolver, title)
    assert head(resolver, title) == expected
    assert {hit.word.type for hit in found.hits} <= {expected}


def test_a_title_of_brackets_alone_keeps_their_words(resolver: TitleResolver) -> None:
    assert head(resolver, "[햇감자 3kg]") == "감자"


def test_a_word_before_an_unknown_one_only_describes_it(resolver: TitleResolver) -> None:
    found = read(resolver, "김치플러스 584L")
    assert [(hit.word.type, hit.is_open) for hit in found.hits] == [("김치", True)]
    assert head(resolver, "김치플러스 두부") == "두부"
    assert head(resolver, "고등어 김치플러스") == "고등어", "a closed word is the head wherever it stands"


def test_a_known_product_word_is_taken_whole(resolver: TitleResolver) -> None:
    found = read(resolver, "촉촉한 레몬꿀팩 20매")
    assert found.head
    assert (found.head.word.sort, found.head.word.ingredient) == (Kind.NONFOOD, "")
    assert "꿀" not in {hit.word.type for hit in found.hits}


@pytest.mark.parametrize(
    ("title", "absent"),
    [
        ("딸기맛 캐러멜", "딸기"),
        ("딸기향 초콜릿", "딸기"),
        ("마늘로 만든 소금", "마늘"),
        ("설탕 없는 초콜릿", "설탕"),
        ("설탕 무첨가 사과주스", "설탕"),
        ("김치찌개용 두부", "김치찌개"),
    ],
)
def test_a_word_that_is_made_a_modifier_is_not_read(resolver: TitleResolver, title: str, absent: str) -> None:
    found = read(resolver, title)
    assert found.hits
    assert absent not in {hit.word.type for hit in found.hits}


@pytest.mark.parametrize(
    ("title", "expected"),
    [("다이어트 현미 2kg", "현미"), ("감자 간식", "감자"), ("간식 감자", "감자"), ("다이어트 보조제", "다이어트")],
)
def test_a_qualifier_is_the_head_of_nothing_else(resolver: TitleResolver, title: str, expected: str) -> None:
    assert head(resolver, title) == expected


@pytest.mark.parametrize(
    ("title", "is_spirit"), [("인삼주 23도 375ml", True), ("소주 16.9도 360ml", True), ("체온계 37도", False)]
)
def test_alcohol_is_recognised_by_its_proof(resolver: TitleResolver, title: str, is_spirit: bool) -> None:
    assert read(resolver, title).is_spirit is is_spirit


def test_parentheses_list_the_contents_of_an_ingredient(resolver: TitleResolver) -> None:
    found = read(resolver, "수산물 선물세트 (갈치, 고등어, 플라스틱)")
    assert found.ingredients_of(Kind.INGREDIENT) == ("갈치", "고등어")
    assert found.ingredients_of(Kind.READY) == found.ingredients_of(Kind.SNACK) == ()


def test_parentheses_add_nothing_to_a_named_ingredient(resolver: TitleResolver) -> None:
    assert read(resolver, "두부 (갈치, 고등어)").ingredients_of(Kind.INGREDIENT) == ("두부",)


@pytest.mark.parametrize(
    ("title", "kind", "expected"),
    [
        ("갈비탕 700g (소갈비, 무)", Kind.READY, ("소갈비",)),
        ("감자 갈비탕 700g", Kind.READY, ("소갈비",)),
        ("딸기맛 우유 24팩", Kind.DRINK, ("우유",)),
        ("홍삼 감자떡", Kind.SNACK, ()),
        ("감자 캐러멜", Kind.SNACK, ()),
        ("감자 홍삼정", Kind.NONFOOD, ()),
    ],
)
def test_finished_products_have_what_they_are_made_of(
    resolver: TitleResolver, title: str, kind: Kind, expected: tuple[str, ...]
) -> None:
    assert read(resolver, title).ingredients_of(kind) == expected


def test_ingredients_of_one_shelf_are_named_together(resolver: TitleResolver) -> None:
    assert read(resolver, "사과 5kg + 배 3kg").ingredients_of(Kind.INGREDIENT) == ("사과", "배")
    assert read(resolver, "사과 5kg + 고등어 3마리").ingredients_of(Kind.INGREDIENT) == ("사과",)
    assert read(resolver, "나주배로 숙성한 훈제오리").ingredients_of(Kind.INGREDIENT) == ("오리고기",)


@pytest.mark.parametrize(
    ("title", "kind", "expected"),
    [
        ("천일염 간장", Kind.INGREDIENT, ("간장", "소금")),
        ("감자 오이 당근", Kind.INGREDIENT, ("감자", "오이", "당근")),
        ("소고기 앞다리살", Kind.INGREDIENT, ("소고기",)),
        ("한돈 등심", Kind.INGREDIENT, ("돼지고기",)),
        ("연어 스테이크", Kind.READY, ("연어",)),
        ("전복 호박죽", Kind.READY, ("전복",)),
        ("낙지 갈비탕", Kind.READY, ("소갈비",)),
        ("훈제오리 숙주볶음", Kind.READY, ("오리고기",)),
        ("쿠키 40개", Kind.SNACK, ()),
        ("초콜릿 40개", Kind.SNACK, ("초콜릿",)),
    ],
)
def test_the_own_ingredient_is_what_the_product_is(
    resolver: TitleResolver, title: str, kind: Kind, expected: tuple[str, ...]
) -> None:
    found = read(resolver, title).ingredients_of(kind)
    assert found[:1] == expected[:1]
    assert set(expected) <= set(found)


@pytest.mark.parametrize(
    ("title", "described"),
    [
        ("감자두부 300g", "감자"),
        ("그릭요거트 딸기", "딸기"),
        ("콤부차 파인애플 20포", "파인애플"),
    ],
)
def test_what_describes_another_word_is_nothing_by_itself(resolver: TitleResolver, title: str, described: str) -> None:
    found = read(resolver, title)
    assert [hit.word.type for hit in found.hits if hit.describes] == [described]
    assert described not in {hit.word.type for hit in found.main}


def test_a_way_to_cook_makes_a_dish_of_the_ingredient_before_it(resolver: TitleResolver) -> None:
    (hit,) = read(resolver, "방어구이 5팩").hits
    assert (hit.word.sort, hit.word.ingredient) == (Kind.READY, "방어")
    assert read(resolver, "방어 구이용").hits[0].word.sort == Kind.INGREDIENT


def test_a_part_of_a_name_is_no_product(resolver: TitleResolver) -> None:
    assert [hit.word.type for hit in read(resolver, "영양산 고춧가루").hits] == ["고춧가루"]
    assert read(resolver, "양산 2종").hits[0].word.sort == Kind.NONFOOD


def test_packaging_after_a_word_leaves_it_closed(resolver: TitleResolver) -> None:
    assert [hit.is_open for hit in read(resolver, "추어탕팩봉").hits] == [False]


def test_types_of_a_kind_come_head_first(resolver: TitleResolver) -> None:
    found = read(resolver, "육개장 갈비탕 감자")
    assert found.types_of(Kind.READY) == ("갈비탕", "육개장")
    assert found.types_of(Kind.INGREDIENT) == ("감자",)
    assert found.types_of(Kind.DRINK) == ("감자", "갈비탕", "육개장"), "all types where none is of the kind"
    assert read(resolver, "나눔세트 4호").types_of(None) == ()


def test_the_last_finished_product_gives_the_kind(resolver: TitleResolver) -> None:
    assert read(resolver, "육개장 사과주스 감자").finished_kind is Kind.DRINK
    assert read(resolver, "감자 3kg + 갈비탕").finished_kind is None


def test_the_end_of_an_unknown_word_marks_a_dish(resolver: TitleResolver) -> None:
    assert [hit.word for hit in read(resolver, "카사바칩 100g").hits] == [UNKNOWN_DISH]


@pytest.mark.parametrize(
    ("title", "expected"),
    [("밤 1kg", {"밤"}), ("여주쌀 10kg", {"쌀"}), ("밤색 1kg", set()), ("무한 1개", set()), ("갈 배 시간", {"배"})],
)
def test_a_single_letter_must_be_a_word(resolver: TitleResolver, title: str, expected: set[str]) -> None:
    single = {hit.word.type for hit in read(resolver, title).hits if len(hit.word.type) == 1}
    assert single == expected


def test_unknown_nouns_are_given_once_for_each_title(resolver: TitleResolver) -> None:
    titles = ["뭉게구름 감자", "감자 5kg", "뭉게구름 뭉게구름 3개"]
    assert list(resolver.unknown_words(titles)) == ["뭉게구름", "뭉게구름"]


def test_titles_are_read_in_order(resolver: TitleResolver) -> None:
    titles = ["햇감자 5kg", "", "된장찌개 밀키트", "수산물 (갈치)"]
    assert resolver.read_many(titles) == [read(resolver, title) for title in titles]


@pytest.mark.parametrize(
    ("title", "head"),
    [
        ("국산콩 두부 듬뿍", "두부"),
        ("소시지 가득 1kg", "소시지"),
        ("쌀 채움 10kg", "쌀"),
        ("설탕제로 딸기잼 300g", "잼"),
    ],
)
def test_what_ends_a_title_leaves_nothing_out(resolver: TitleResolver, title: str, head: str) -> None:
    (reading,) = resolver.read_many([title])
    assert reading.head
    assert reading.head.word.type == head


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("숲 속의 버터 아보카도 5과", "아보카도"),
        ("바다의 우유 굴 1kg", "굴"),
        ("명인의 된장", "된장"),
        ("편한 밤 하루의 끝", ""),
        ("맛있는 밤 1kg", "밤"),
        ("한돈 돈치맛살(항정살) 300g", "항정살"),
    ],
)
def test_a_word_that_something_else_is_likened_to_is_no_head(
    resolver: TitleResolver, title: str, expected: str
) -> None:
    assert head(resolver, title) == expected
