"""Content of product pages beyond the catalog's rows, derived from the product id.

Like the derived values of the catalog, everything depends on ``digest(id, key)`` alone, so that every run serves the
same and a test can compute what a page says. "1 in n" is ``digest % n = 0``. All names are invented.

KOK (only products with a review count have the last three)

===============  =====================================================================================================
seller           ten labelled cells, by the store's name; ``seller_order``: 1 in 5 are printed backwards, 1 in 7 lack
                 ``인증항목`` and ``인증일``, 1 in 3 use the other wording of two labels
details          four to six rows; 1 in 40 has an ingredient list of more than 4,000 characters
images           1 + digest % 8 of the two image hosts, in the three forms of an address; 1 in 4 has a ``.gif`` as well
lazy_thumbnail   1 in 5 of the ids: the main image is ``about:blank``, the real one only in the page's head
rating_shares    five percentages whose sum is 100
aspects          the most frequent opinion on price, delivery and taste, and its percentage
reviews          ``digest % 11`` of them; 1 in 3 products has two different reviews of one nickname on one day; some
                 lack the opinion on one aspect, or the text
===============  =====================================================================================================

홈앤쇼핑

===============  =====================================================================================================
price_shape      0: the price alone; 1: list price and rate; 2: list price without rate. A product with a rate in the
                 schedule has shape 1 and that rate
framed           1 in 5 has no iframe: the description is in the page itself
images           three to eight, each in another attribute, beginning at ``image_attribute``; half have one more as a
                 CSS background; every page also holds a ``data:`` image and a ``format/avif`` copy of the first image
plain_host       1 in 5 has its first image on a host that is not known to serve https
table            the class of the detail table, ``digest % 3`` of ``HNSMALL_TABLES``; 1 in 2 uses ``td`` for both cells
===============  =====================================================================================================

현대홈쇼핑

===============  =====================================================================================================
shape            0 of 8: no ``__NEXT_DATA__``; 1 of 8: one without ``itemPtc``
no_store         1 in 9
===============  =====================================================================================================

NS홈쇼핑

===============  =====================================================================================================
shape            0 of 6: no recobell metas
name_place       where the name is, besides the metas, ``digest % 6`` of ``NSMALL_NAMES``
no_store         1 in 9
===============  =====================================================================================================
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple, TypeVar

from crawlers.standin.catalog import KokRow, ShowRow, digest

KOK_HOSTS = ("d-img.picnique.co.kr/product/detail", "d1nwcwsdvx7ar2.cloudfront.net/ncms/mallpie/detail")
PLAIN_HOST = "http://img.maker.example"
SCHEMES = ("//", "https://", "http://")
HNSMALL_TABLES = ("itemTableRow v2", "itemTableRow", "itemInfoRow")
HNSMALL_ATTRIBUTES = ("src", "data-src", "data-original", "data-lazy", "data-echo", "data-image", "data-img", "srcset")
NSMALL_NAMES = ("h1", "goods-title", "goods-name", "prd-name", "product-title", "og:title")
SELLER_LABELS = (
    ("판매자", "상호"),
    ("대표자", "대표자"),
    ("사업자등록번호", "사업자등록번호"),
    ("통신판매업신고", "통신판매업신고번호"),
    ("연락처", "연락처"),
    ("인증항목", "인증항목"),
    ("인증일", "인증일"),
    ("사업장소재지", "사업장소재지"),
    ("반품주소", "반품주소"),
    ("교환주소", "교환주소"),
)
"""Labels of the seller table in two wordings, in the usual order."""

_PEOPLE = ("가나다", "나라마", "다온별", "라온솔", "마루한", "바다새", "사랑비", "아라미")
_PLACES = ("가람도 나래시 다온로", "물결도 산들군 햇살길", "노을시 별빛구 달맞이로", "푸른도 새솔시 은하수길")
_STORES = ("가람식품", "노을농원", "다온살림", "물결수산", "산들공방", "새솔상회", "은하건강", "푸른들")
_ORIGINS = ("국내산", "국내산(전남 해남)", "원양산", "칠레산", "국내산 & 수입산 <상세 참조>")
_STORAGE = ("냉장 보관 (0~10℃)", "냉동 보관 (-18℃ 이하)", "직사광선을 피해 서늘한 곳에 보관")
_TERMS = ("제조일로부터 12개월", "수령 후 7일 이내", "별도 표기", "2026.12.31까지")
_ASPECTS = (
    ("가격이 저렴해요", "가격이 적당해요", "가격이 비싸요"),
    ("배송이 빨라요", "배송이 보통이에요", "배송이 느려요"),
    ("맛있어요", "맛이 보통이에요", "맛이 아쉬워요"),
)
_NICKNAMES = ("콩이네밥상", "바다소년", "0104567", "초록 나무", "맛찾아삼만리", "J&M", "별", "돌담집")
_REVIEWS = (
    "포장이 꼼꼼하고 신선해요.",
    "양이 생각보다 많아요.\n   다음에도 또 살게요 😊",
    "아이들이 <정말> 잘 먹네요 & 저도요",
    "보통이에요.",
    "배송이 하루 늦었지만 맛은 좋아요.",
    "",
)
_SENTENCES = (
    "방송에서 보신 바로 그 구성입니다.",
    "산지에서 바로 보내 드립니다.",
    "온 가족이 함께 즐기기 좋습니다.",
    "넉넉한 양 & 착한 값으로 준비했습니다.",
    "받으신 뒤에는 바로 냉장 보관해 주세요.",
)
_RETURNS = ("수령 후 7일 이내, 왕복 배송비 6,000원", "반품 불가")
_COURIERS = ("가람택배", "나래통운", "다온물류")

Option = TypeVar("Option")


class Line(NamedTuple):
    """A label and its value in a table row."""

    name: str
    value: str


class Aspect(NamedTuple):
    """The most frequent opinion on one aspect of a product, and its percentage."""

    opinion: str
    share: int


@dataclass(frozen=True, slots=True)
class Review:
    """A review; ``opinions`` are labelled 가격, 배송 or 맛, and one may be missing."""

    nickname: str
    written_on: date
    score: int
    opinions: tuple[Line, ...]
    text: str


@dataclass(frozen=True, slots=True)
class KokDetails:
    """Parts of a product page of the mall, in the order of the page."""

    seller: tuple[Line, ...]
    details: tuple[Line, ...]
    images: tuple[str, ...]
    lazy_thumbnail: bool
    rating_shares: tuple[int, int, int, int, int] | None
    aspects: tuple[Aspect, ...]
    reviews: tuple[Review, ...]


class Image(NamedTuple):
    """An image of a description: its URL as written, and the attribute that holds it (or ``background``)."""

    url: str
    attribute: str


@dataclass(frozen=True, slots=True)
class HnsmallDetails:
    """Parts of a product page of 홈앤쇼핑. ``rate`` is shown only with ``list_price``, and not always then."""

    price: str
    list_price: int | None
    rate: int | None
    framed: bool
    images: tuple[Image, ...]
    table: str
    label_cell: str
    details: tuple[Line, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HmallDetails:
    """Parts of a product page of 현대홈쇼핑; ``data``: content of its script.

    Each comma-separated part of the value of ``반품/교환`` is in a span of its own.
    """

    store: str | None
    data: str
    basic: tuple[Line, ...]
    essential: tuple[Line, ...]
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NsmallDetails:
    """Parts of a product page of NS홈쇼핑. ``name_place``: where the page has the product name, besides its metas."""

    store: str | None
    metas: bool
    name_place: str
    details: tuple[Line, ...]
    images: tuple[str, ...]


def kok_details(product: KokRow) -> KokDetails:
    """Return the content of a product page of the mall."""
    number = product.product_id
    reviewed = product.review_count is not None
    return KokDetails(
        seller=_seller(product.store_name, number),
        details=_kok_facts(product),
        images=_kok_images(number),
        lazy_thumbnail=number % 5 == 0,
        rating_shares=_rating_shares(number) if reviewed else None,
        aspects=_aspects(number) if reviewed else (),
        reviews=_reviews(number, min(product.review_count or 0, digest(number, "reviews") % 11)),
    )


def hnsmall_details(show: ShowRow) -> HnsmallDetails:
    """Return the content of a product page of 홈앤쇼핑; its price is that of ``show``."""
    number = show.product_id
    list_price, rate = _list_price_and_rate(show)
    return HnsmallDetails(
        price=show.price_text or "",
        list_price=list_price,
        rate=rate,
        framed=digest(number, "framed") % 5 != 0,
        images=_hnsmall_images(number),
        table=_pick(HNSMALL_TABLES, number, "table"),
        label_cell=_pick(("th", "td"), number, "label_cell"),
        details=_facts(show.product_name, number),
        sentences=_sentences(number),
    )


def hmall_details(show: ShowRow) -> HmallDetails:
    """Return the content of a product page of 현대홈쇼핑."""
    number = show.product_id
    shape = digest(number, "shape") % 8
    folder = f"https://image.hmall.com/static/detail/{str(number)[-4:]}"
    return HmallDetails(
        store=_store(number),
        data={0: "none", 1: "without itemPtc"}.get(shape, "itemPtc"),
        basic=(
            Line("배송비", _pick(("무료", "3,000원", "50,000원 이상 무료"), number, "delivery_fee")),
            Line("택배사", _pick(_COURIERS, number, "delivery_company")),
            Line("반품/교환", _pick(_RETURNS, number, "returns")),
            Line("소비기한", _pick(_TERMS, number, "term")),
        ),
        essential=_facts(show.product_name, number),
        images=tuple(f"{folder}/{number}_{n}.jpg?SF=webp" for n in range(1, 2 + digest(number, "images") % 6)),
    )


def nsmall_details(show: ShowRow) -> NsmallDetails:
    """Return the content of a product page of NS홈쇼핑."""
    number = show.product_id
    metas = digest(number, "shape") % 6 != 0
    folder = "product-image.prod-nsmall.com/detail"
    return NsmallDetails(
        store=_store(number) if metas else None,
        metas=metas,
        name_place=_pick(NSMALL_NAMES, number, "name_place"),
        details=_facts(show.product_name, number),
        images=tuple(
            f"{SCHEMES[(number + n) % 3]}{folder}/{number}_{n}.jpg" for n in range(1, 2 + digest(number, "images") % 5)
        ),
    )


def _pick(options: tuple[Option, ...], of: int | str, key: str) -> Option:
    return options[digest(of, key) % len(options)]


def _store(number: int) -> str | None:
    return _pick(_STORES, number, "store") if digest(number, "no_store") % 9 else None


def _seller(store: str, number: int) -> tuple[Line, ...]:
    place = f"{_pick(_PLACES, store, 'place')} {1 + digest(store, 'house') % 300}"
    registered = digest(store, "registration")
    values = (
        store,
        _pick(_PEOPLE, store, "ceo"),
        f"{100 + registered % 900}-{10 + registered // 900 % 90}-{10000 + registered // 81000 % 90000}",
        f"제{2015 + digest(store, 'year') % 10}-나래다온-{digest(store, 'report') % 10000:04}호",
        f"1588-{digest(store, 'phone') % 10000:04}",
        _pick(("HACCP", "유기농산물", "해당 없음"), number, "verified_item"),
        f"{date(2020, 1, 1) + timedelta(days=digest(number, 'verified_on') % 1900):%Y-%m-%d}",
        place,
        f"{place} 반품 담당 & 창고",
        f"{place} 1층",
    )
    wording = digest(number, "seller_labels") % 3 == 0
    lines = [Line(labels[wording], value) for labels, value in zip(SELLER_LABELS, values, strict=True)]
    if digest(number, "seller_lacks") % 7 == 0:
        lines = [line for line in lines if line.name not in ("인증항목", "인증일")]
    if digest(number, "seller_order") % 5 == 0:
        lines.reverse()
    return tuple(lines)


def _facts(name: str, number: int) -> tuple[Line, ...]:
    lines = (
        Line("품목 또는 명칭", name),
        Line("원산지", _pick(_ORIGINS, number, "origin")),
        Line("보관방법", _pick(_STORAGE, number, "storage")),
        Line("소비기한 또는 품질유지기한", _pick(_TERMS, number, "term")),
        Line("소비자상담 관련 전화번호", f"1577-{digest(number, 'consumer_phone') % 10000:04}"),
    )
    return lines[: 4 + digest(number, "facts") % 2]


def _kok_facts(product: KokRow) -> tuple[Line, ...]:
    number = product.product_id
    facts = _facts(product.product_name, number)
    if digest(number, "long_detail") % 40:
        return facts
    return (*facts, Line("원재료명 및 함량", ", ".join(f"재료 {n} 0.1%" for n in range(1, 401))))


def _kok_images(number: int) -> tuple[str, ...]:
    host = _pick(KOK_HOSTS, number, "image_host")
    images = [f"{SCHEMES[(number + n) % 3]}{host}/{number}_{n}.jpg" for n in range(1, 2 + digest(number, "images") % 8)]
    if digest(number, "gif") % 4 == 0:
        images.insert(digest(number, "gif_place") % (len(images) + 1), f"https://{host}/{number}_move.gif")
    return tuple(images)


def _rating_shares(number: int) -> tuple[int, int, int, int, int]:
    five = 40 + digest(number, "share_5") % 61
    four = digest(number, "share_4") % (101 - five)
    three = digest(number, "share_3") % (101 - five - four)
    two = digest(number, "share_2") % (101 - five - four - three)
    return five, four, three, two, 100 - five - four - three - two


def _aspects(number: int) -> tuple[Aspect, ...]:
    return tuple(
        Aspect(_pick(opinions, number, f"aspect_{place}"), 34 + digest(number, f"aspect_share_{place}") % 67)
        for place, opinions in enumerate(_ASPECTS)
    )


def _reviews(number: int, count: int) -> tuple[Review, ...]:
    reviews = [_review(number, place) for place in range(count)]
    if count > 1 and digest(number, "same_day") % 3 == 0:
        first, second = reviews[:2]
        reviews[1] = Review(first.nickname, first.written_on, 6 - first.score, second.opinions, f"{second.text} (추가)")
    return tuple(reviews)


def _review(number: int, place: int) -> Review:
    opinions = [
        Line(label, _pick(_ASPECTS[n], number, f"{label}_{place}")) for n, label in enumerate(("가격", "배송", "맛"))
    ]
    if digest(number, f"opinion_lacks_{place}") % 4 == 0:
        del opinions[digest(number, f"opinion_lacking_{place}") % 3]
    return Review(
        nickname=_pick(_NICKNAMES, number, f"nickname_{place}"),
        written_on=date(2025, 7, 31) - timedelta(days=digest(number, f"written_on_{place}") % 400),
        score=1 + digest(number, f"score_{place}") % 5,
        opinions=tuple(opinions),
        text=_pick(_REVIEWS, number, f"text_{place}"),
    )


def _list_price_and_rate(show: ShowRow) -> tuple[int | None, int | None]:
    """Return the list price and the rate that 홈앤쇼핑 shows for a product."""
    shape = 1 if show.dc_rate_text else digest(show.product_id, "price_shape") % 3
    if not show.sale_price or shape == 0:
        return None, None
    digits = "".join(filter(str.isdigit, show.dc_rate_text or ""))
    rate = int(digits) if digits else 5 + digest(show.product_id, "rate") % 26
    list_price = round(show.sale_price * 100 / (100 - rate) / 10) * 10
    return list_price, rate if shape == 1 else None


def _hnsmall_images(number: int) -> tuple[Image, ...]:
    host = "image.hnsmall.com/images/describe"
    begin = digest(number, "image_attribute")
    images = [
        Image(
            f"{SCHEMES[(number + n) % 3]}{host}/{number}_{n}.jpg",
            HNSMALL_ATTRIBUTES[(begin + n) % len(HNSMALL_ATTRIBUTES)],
        )
        for n in range(1, 4 + digest(number, "images") % 6)
    ]
    if digest(number, "plain_host") % 5 == 0:
        images[0] = Image(f"{PLAIN_HOST}/{number}.jpg", images[0].attribute)
    if digest(number, "background") % 2:
        images.append(Image(f"https://{host}/{number}_background.png", "background"))
    return tuple(images)


def _sentences(number: int) -> tuple[str, ...]:
    first = digest(number, "sentences") % len(_SENTENCES)
    return tuple(_SENTENCES[(first + n) % len(_SENTENCES)] for n in range(1 + digest(number, "sentence_count") % 3))
