import json
from pathlib import Path

import pytest
from sklearn.metrics import accuracy_score, f1_score

from recommender.relations.facts import SHOW_RECIPES
from recommender.text import lexicon
from recommender.text.resolver import NEVER, SPIRITS, TitleResolver, resolver_version
from recommender.text.title_model import BIAS, Answers, TitleModel
from recommender.text.title_words import Kind


@pytest.mark.parametrize(
    ("title", "ingredients"),
    [
        ("[바다家] 국내산 손질 고등어 500g x 4팩", ("고등어",)),
        ("무안 햇양파 3kg", ("양파",)),
        ("1++ 한우 국거리 300g", ("소고기",)),
        ("사과 배 샤인머스켓 과일 선물세트 5kg", ("사과", "배", "샤인머스캣")),
        ("수산물 3종 (갈치 10토막+고등어 4마리)", ("갈치", "고등어")),
        ("나주배로 숙성한 훈제오리 180g 8팩", ("오리고기",)),
        ("보성 녹돈 삼겹살 1kg", ("삼겹살",)),
        ("[부세] 찐 보리굴비 10마리", ("조기",)),
        ("여주쌀 10kg", ("쌀",)),
        ("밤 1kg", ("밤",)),
        ("꿀맛 아오리 3kg", ("사과",)),
        ("무염 버터 5개", ("버터",)),
    ],
)
def test_an_ingredient_is_resolved(resolver: TitleResolver, title: str, ingredients: tuple[str, ...]) -> None:
    found = resolver.resolve(title, known_food=True)
    assert (found.ingredients, found.is_ingredient, found.is_food) == (ingredients, True, True)


@pytest.mark.parametrize(
    ("title", "ingredients"),
    [
        ("뼈없는 갈비탕 700g 10팩", ("소갈비",)),
        ("얼큰한 감자탕 1kg 5팩", ("돼지등뼈",)),
        ("매콤 골뱅이무침 반찬 300g", ("소라",)),
        ("딸기 아이스크림 10개", ("아이스크림",)),
        ("감자칩 60g 20봉", ()),
        ("유기농 당근주스 14포", ("주스",)),
        ("단백질 커피 120포 + 전동컵", ("커피",)),
        ("금산 인삼주 수삼 23도 375ml", ()),
        ("설탕 없는 다크 초콜릿 90g", ("초콜릿",)),
        ("흑임자 인절미 1kg", ("인절미",)),
        ("무설탕 아침 시리얼 300g", ("시리얼",)),
        ("싱글 오리진 원두 1kg", ("커피",)),
        ("얼큰 모르는탕 600g", ()),
    ],
)
def test_a_finished_dish_is_no_ingredient(resolver: TitleResolver, title: str, ingredients: tuple[str, ...]) -> None:
    found = resolver.resolve(title, known_food=True)
    assert not found.is_ingredient
    assert found.ingredients == ingredients


@pytest.mark.parametrize(
    "title",
    [
        "블랙빈(서리태) 탈모샴푸 4종 패키지",
        "진공쌀통 12L",
        "계란찜기 2단",
        "냉동 밀폐용기 20종",
        "24K 순금 골드바 10g",
        "관절엔 콘드로이친 12박스 (12개월분)",
        "쿠킹 프라이팬 3종 + 삼계탕 4팩",
        "여름 인견 이불 세트",
        "베리 쿨링 손풍기 2개",
        "스탠드 김치톡톡 300L",
        "알로에 안티에이징크림 세트",
        "김치플러스 스탠드형 584L",
        "촉촉한 레몬꿀팩 20매",
        "리바트 원목 식탁 4인 (무)",
        "설화 기초 풀세트 (2X크림 50ml+토너 150ml)",
        "홍삼 스틱 30포",
    ],
)
def test_what_is_not_food_has_no_ingredient(resolver: TitleResolver, title: str) -> None:
    found = resolver.resolve(title)
    assert (found.ingredients, found.is_food, found.is_ingredient) == ((), False, False)


@pytest.mark.parametrize(
    "title", ["뼈없는 갈비탕 700g 10팩", "단백질 커피 120포 + 전동컵", "국내산 꽃게 2kg", "금산 인삼주 23도 375ml"]
)
def test_food_is_recognised_without_the_shop(resolver: TitleResolver, title: str) -> None:
    assert resolver.resolve(title).is_food


@pytest.mark.parametrize(
    ("title", "kind", "types"),
    [
        ("무안 햇양파 3kg", Kind.INGREDIENT, ("양파",)),
        ("뼈없는 갈비탕 700g 10팩", Kind.READY, ("갈비탕",)),
        ("딸기 아이스크림 10개", Kind.SNACK, ("아이스크림",)),
        ("약콩두유 190ml 24팩", Kind.INGREDIENT, ("두유",)),
        ("배도라지 주스 100ml 30포", Kind.DRINK, ("주스",)),
        ("복분자주 15도 375ml", Kind.DRINK, ("전통주", "복분자주")),
        ("홍삼 스틱 30포", Kind.SUPPLEMENT, ("홍삼스틱",)),
        ("무선 청소기", Kind.NONFOOD, ("청소기",)),
    ],
)
def test_a_title_has_a_kind_and_types(resolver: TitleResolver, title: str, kind: Kind, types: tuple[str, ...]) -> None:
    found = resolver.resolve(title)
    assert (found.kind, found.types) == (kind, types)
    assert found.is_food is (kind not in {Kind.SUPPLEMENT, Kind.NONFOOD})


def test_one_cooks_with_ingredients_and_not_with_the_rest(resolver: TitleResolver) -> None:
    titles = ["무안 햇양파 3kg", "딸기 아이스크림 10개", "약콩두유 190ml 24팩", "홍삼 스틱 30포", "무선 청소기"]
    assert [found.recipes >= SHOW_RECIPES for found in resolver.resolve_many(titles)] == [True, *[False] * 4]


def test_spirits_are_drinks_that_nobody_cooks_with(resolver: TitleResolver) -> None:
    found = resolver.resolve("금산 인삼주 수삼 23도 375ml", known_food=True)
    assert (found.kind, found.types[0], found.ingredients, found.recipes) == (Kind.DRINK, SPIRITS, (), 0.0)


def test_a_food_shop_sells_only_food(resolver: TitleResolver) -> None:
    assert resolver.resolve("나눔세트 4호").is_food is False
    assert resolver.resolve("나눔세트 4호", known_food=True).is_food is True


@pytest.mark.parametrize("title", ["", "   ", "()", "🍣", "x" * 2000, "+/,&·"])
def test_odd_titles_resolve_to_nothing(resolver: TitleResolver, title: str) -> None:
    assert resolver.resolve(title).ingredients == ()


def test_only_names_of_the_vocabulary_come_back() -> None:
    small = TitleResolver({"대파": "대파", "파": "대파", "흙당근": "당근"})
    assert small.resolve("흙당근 3kg").ingredients == ("당근",)
    unknown = small.resolve("국산 고등어 5팩")
    assert unknown.ingredients == ()
    assert unknown.is_food


def test_many_titles_resolve_as_each_alone(resolver: TitleResolver) -> None:
    titles = ["햇감자 5kg", "탈모샴푸", "된장찌개 밀키트"]
    assert resolver.resolve_many(titles) == [resolver.resolve(title) for title in titles]


def test_the_version_follows_the_vocabulary() -> None:
    first = TitleResolver({"감자": "감자"})
    assert first.version == TitleResolver({"감자": "감자"}).version == resolver_version({"감자": "감자"})
    assert first.version != TitleResolver({"감자": "감자", "알감자": "감자"}).version


def test_the_version_follows_the_model() -> None:
    model = TitleModel({BIAS: Answers(0.0, 0.0, 0.0)})
    assert resolver_version({"감자": "감자"}, model) != resolver_version({"감자": "감자"})
    assert resolver_version({"감자": "감자"}, model) == TitleResolver({"감자": "감자"}, model).version


def test_the_model_decides_and_the_rules_name() -> None:
    never = TitleResolver({"감자": "감자"}, TitleModel({BIAS: Answers(-9.0, -9.0, -9.0)}))
    assert never.resolve("햇감자 3kg").kind is Kind.NONFOOD
    taken = never.resolve("햇감자 3kg", known_food=True)
    assert (taken.kind, taken.ingredients) == (Kind.SUPPLEMENT, ())
    finished = TitleResolver({"감자": "감자"}, TitleModel({BIAS: Answers(9.0, -9.0, -9.0)})).resolve("햇감자 3kg")
    assert (finished.kind, finished.types, finished.ingredients) == (Kind.READY, ("감자",), ("감자",))


@pytest.mark.parametrize(
    "title",
    [
        "눈편한 빌베리 추출물 500mg 60정",
        "석류 농축 이너뷰티 15g 14포",
        "보리지 오일 캡슐 3개월분",
        "마늘 흑마늘 진액 스틱 30포",
        "시금치 추출 철분 츄어블 90정",
    ],
)
def test_what_is_taken_for_health_is_no_ingredient(resolver: TitleResolver, title: str) -> None:
    found = resolver.resolve(title, known_food=True)
    assert found.kind is not Kind.INGREDIENT
    assert found.recipes < SHOW_RECIPES


@pytest.mark.parametrize(
    ("title", "ingredients"),
    [
        ("비타민 가득 영양란 30구", ("계란",)),
        ("비정제 사탕수수 원당 1kg", ("설탕",)),
        ("NO설탕 딸기잼 300g", ("잼",)),
        ("다섯가지 잡곡 혼합 2kg", ("잡곡",)),
        ("2배 진한 사과식초 900ml", ("식초",)),
    ],
)
def test_what_is_inside_left_out_or_counted_is_no_head(
    resolver: TitleResolver, title: str, ingredients: tuple[str, ...]
) -> None:
    assert resolver.resolve(title, known_food=True).ingredients == ingredients


def test_every_variant_of_our_list_belongs_to_one_ingredient() -> None:
    listed = lexicon.ingredients()
    assert set(listed.canonical.values()) == set(listed.kind)
    assert all(listed.canonical[name] == name for name in listed.kind)


def test_food_is_recognised_on_real_broadcasts(resolver: TitleResolver, shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "broadcasts.jsonl").read_text().splitlines()]
    wanted = [row["is_food"] for row in rows]
    found = [title.is_food for title in resolver.resolve_many(row["product_name"] for row in rows)]
    assert accuracy_score(wanted, found) > 0.96
    assert f1_score(wanted, found, average="macro") > 0.945


def test_ingredients_are_distinguished_on_real_titles(resolver: TitleResolver, shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "product_labels.jsonl").read_text().splitlines()]
    wanted = [row["label"] == "ingredient" for row in rows]
    titles = resolver.resolve_many((row["product_name"] for row in rows), known_food=True)
    found = [title.is_ingredient for title in titles]
    assert accuracy_score(wanted, found) > 0.89
    assert f1_score(wanted, found, average="macro") > 0.88


@pytest.mark.parametrize(
    ("title", "kind", "ingredients"),
    [
        ("숙면을 부르는 우엉 100티백", Kind.DRINK, ()),
        ("멸치육수 10티백", Kind.INGREDIENT, ("육수",)),
        ("체지방감소 가르시니아 다이어트 커피 14포", Kind.SUPPLEMENT, ()),
        ("쓰촨 마라탕 600g 3팩", Kind.READY, ()),
        ("해물찜 1kg", Kind.READY, ()),
        ("맥주안주 모음", Kind.READY, ()),
    ],
)
def test_what_a_product_goes_with_is_no_ingredient(
    resolver: TitleResolver, title: str, kind: Kind, ingredients: tuple[str, ...]
) -> None:
    found = resolver.resolve(title, known_food=True)
    assert (found.kind, found.ingredients) == (kind, ingredients)


def test_nobody_cooks_with_what_is_eaten_as_it_is(resolver: TitleResolver) -> None:
    for title in (
        "다크초콜릿 초코볼 모음",
        "찹쌀 약과 20개",
        "레몬맛 사탕 500g",
        "보리차 100티백",
        "나주 배술 16도 375ml",
    ):
        assert resolver.resolve(title, known_food=True).recipes == NEVER, title
    for title in ("국산콩 두부 300g", "쇠고기 육포 100g", "식빵 500g"):
        assert resolver.resolve(title, known_food=True).recipes > NEVER, title
