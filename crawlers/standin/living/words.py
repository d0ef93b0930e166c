"""Names of products, stores and shows, composed of common Korean words. None is the name of a real product."""

from crawlers.standin.living.chance import Chance

_STORES = (
    "가람식품", "노을농원", "다온살림", "물결수산", "산들공방", "새솔상회", "은하건강", "푸른들",
    "한되방앗간", "들판목장", "초록두레", "달토끼떡집", "바람골농장", "온새미로", "솔내음",
)  # fmt: skip
_QUALITIES = ("햇", "국내산", "무농약", "산지직송", "저온숙성", "전통방식", "손질", "냉동", "프리미엄", "알뜰")
_FOODS = (
    "감자", "고구마", "양파", "대파", "마늘", "배추", "포기김치", "총각김치", "두부", "콩나물", "사과",
    "배", "감귤",
    "포도", "딸기", "한우 국거리", "돼지 앞다리살", "삼겹살", "닭가슴살", "훈제오리", "고등어", "갈치",
    "오징어", "전복",
    "새우", "미역", "다시마", "멸치", "쌀", "찹쌀", "현미", "검은콩", "떡국떡", "인절미", "칼국수", "냉면", "된장",
    "고추장", "간장", "참기름", "들기름", "고춧가루", "소금", "설탕", "꿀", "우유", "치즈", "달걀", "버섯", "시금치",
)  # fmt: skip
_AMOUNTS = ("500g", "1kg", "2kg", "3kg", "5kg", "10kg", "300g x 3", "200g x 5", "1L", "2L", "10팩", "20팩")
_THINGS = (
    "무선 청소기", "전기 그릴", "스팀 다리미", "압력솥", "프라이팬 세트", "냄비 세트", "밀폐용기", "여름 이불",
    "구스 이불", "기능성 베개", "요가 매트", "등산화", "운동화", "니트 가디건", "린넨 셔츠", "경량 패딩", "두피 샴푸",
    "수분 크림", "쿠션 파운데이션", "비타민 젤리", "홍삼 스틱", "유산균", "오메가3", "여행가방", "안마 쿠션",
)  # fmt: skip
_MAKERS = ("봄결", "여린빛", "밤숲", "가뿐", "늘해랑", "하늬", "도담", "라온", "마루", "미르", "보람", "소담")
_SETS = ("1+1", "2종", "3종 세트", "5종 세트", "본품 2 + 리필 4", "12개월분", "특별구성", "블랙/화이트")


def store_name(chance: Chance, *key: object) -> str:
    """Return the name of a store."""
    return chance.pick(_STORES, "store", *key)


def food_name(chance: Chance, number: int) -> str:
    """Return the name of a food; the last digits of its number tell equal ones apart."""
    quality, food = chance.pick(_QUALITIES, "quality", number), chance.pick(_FOODS, "food", number)
    return f"{quality} {food} {chance.pick(_AMOUNTS, 'amount', number)} ({number % 10_000})"


def thing_name(chance: Chance, number: int) -> str:
    """Return the name of a product that is no food."""
    thing = chance.pick(_THINGS, "thing", number)
    return f"{chance.pick(_MAKERS, 'maker', number)} {thing} {chance.pick(_SETS, 'set', number)} ({number % 10_000})"


def show_title(product_name: str) -> str:
    """Return the title of a show about a product."""
    return "".join(product_name.split()[:2])
