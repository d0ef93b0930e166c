"""Expected items of a crawl of a catalog, and so the expected rows of the databases.

Computed from the catalog and the details of its products by the sources' description, without any code of the spiders.
Compare by natural key: ``by_key(read(Show, crawled.shows)) == by_key(truth.shows(...))``.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from crawlers.items import Aspect, Detail, HomeShoppingProduct, Item, KokPrice, KokProduct, Review, Seller, Show
from crawlers.standin import details
from crawlers.standin.catalog import Catalog, KokRow, ShowRow
from ukok.korea import KST

CHANNELS = {"hnsmall": (1,), "hmall": (2, 3), "nsmall": (4, 5)}
ORIGIN = {"observed_at", "page_url"}
SELLER_FIELDS = {
    "판매자": "seller_name",
    "상호": "seller_name",
    "대표자": "ceo_name",
    "사업자등록번호": "registration_number",
    "통신판매업신고": "ecommerce_registration",
    "통신판매업신고번호": "ecommerce_registration",
    "연락처": "phone",
    "인증항목": "verified_item",
    "인증일": "verified_on",
    "사업장소재지": "address",
    "반품주소": "return_address",
    "교환주소": "exchange_address",
}

AnyItem = TypeVar("AnyItem", bound=Item)


def read(model: type[AnyItem], rows: Iterable[Mapping[str, Any]]) -> list[AnyItem]:
    """Validate items from their raw lines."""
    return [model.model_validate(row) for row in rows]


def by_key(items: Iterable[Item]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the fields of each item without its origin, by natural key; a duplicate key is an error."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for item in items:
        assert _key(item) not in found, f"twice: {item}"
        found[_key(item)] = item.model_dump(exclude=ORIGIN)
    return found


def kok_prices(catalog: Catalog, now: datetime) -> list[KokPrice]:
    """The card of each product of the mall."""
    return [
        KokPrice(
            observed_at=now,
            page_url="",
            kok_product_id=row.product_id,
            category=row.category,
            discount_rate=row.discount_rate,
            **_price(row.price),
        )
        for row in catalog.kok
    ]


def kok_products(catalog: Catalog, now: datetime) -> list[KokProduct]:
    """The page of each product of the mall."""
    return [_kok_product(row, now) for row in catalog.kok]


def shows(
    catalog: Catalog, source: str, day: date, days: int, now: datetime, *, on_air_hidden: bool = True
) -> list[Show]:
    """Return the shows that start on the KST days from ``day`` on, each once.

    홈앤쇼핑 hides the start of the show on air at ``now``; with ``on_air_hidden=False`` it is included, as in the
    databases.
    """
    requested = [day + timedelta(days=ahead) for ahead in range(days)]
    prices = _nsmall_prices(catalog)
    found: dict[tuple[Any, ...], Show] = {}
    for row in _in_page_order(catalog, source):
        show = _show(row, now, prices, hides=on_air_hidden and source == "hnsmall")
        if show.requested_day in requested:
            found.setdefault((show.channel_id, show.starts_at or show.ends_at, show.source_product_id), show)
    return list(found.values())


def home_shopping_products(
    catalog: Catalog, source: str, day: date, days: int, now: datetime
) -> list[HomeShoppingProduct]:
    """The page of each product in the shows of those days; its price is that of its first row in the catalog."""
    first = {row.product_id: row for row in reversed(catalog.shows) if row.channel_id in CHANNELS[source]}
    listed = dict.fromkeys(show.source_product_id for show in shows(catalog, source, day, days, now))
    page = {"hnsmall": _hnsmall_page, "hmall": _hmall_page, "nsmall": _nsmall_page}[source]
    return [
        HomeShoppingProduct(source_product_id=number, observed_at=now, page_url="", **page(first[number]))
        for number in listed
    ]


def instants(row: ShowRow) -> tuple[datetime, datetime]:
    """Return start and end of a row's show, in UTC."""
    midnight = datetime.combine(_page_day(row), time(), KST).astimezone(UTC)
    start, end = (midnight + timedelta(minutes=_minutes(text)) for text in (row.start, row.end))
    return start, end if end > start else end + timedelta(days=1)


def _key(item: Item) -> tuple[Any, ...]:
    match item:
        case KokPrice():
            return item.category, item.kok_product_id
        case KokProduct():
            return (item.kok_product_id,)
        case Show():
            return item.channel_id, item.starts_at, item.ends_at, item.source_product_id
        case HomeShoppingProduct():
            return (item.source_product_id,)
    raise TypeError(f"no natural key is known of {type(item).__name__}")


def _kok_product(row: KokRow, now: datetime) -> KokProduct:
    page = details.kok_details(row)
    aspects = [Aspect(opinion=aspect.opinion, share=aspect.share) for aspect in page.aspects]
    price, delivery, taste = aspects or (None, None, None)
    return KokProduct(
        observed_at=now,
        page_url="",
        kok_product_id=row.product_id,
        store_name=_clean(row.store_name),
        product_name=_clean(row.product_name),
        list_price=row.list_price if row.list_price and row.list_price > row.price else None,
        thumbnail_url=_image(row.thumbnail_url),
        review_score=row.review_score,
        review_count=row.review_count,
        rating_shares=page.rating_shares,
        price_aspect=price,
        delivery_aspect=delivery,
        taste_aspect=taste,
        seller=_seller(page.seller),
        details=_details(page.details),
        images=_images(url for url in page.images if not url.endswith(".gif")),
        reviews=tuple(map(_review, page.reviews)),
    )


def _seller(lines: Iterable[details.Line]) -> Seller:
    values = {SELLER_FIELDS[line.name]: line.value for line in lines}
    return Seller.model_validate({field: values.get(field) for field in SELLER_FIELDS.values()})


def _review(review: details.Review) -> Review:
    opinions = dict(review.opinions)
    return Review(
        nickname=f"{review.nickname[0]}**",
        written_on=review.written_on,
        score=review.score,
        price_opinion=opinions.get("가격"),
        delivery_opinion=opinions.get("배송"),
        taste_opinion=opinions.get("맛"),
        text=_clean(review.text) or None,
    )


def _hnsmall_page(row: ShowRow) -> dict[str, Any]:
    page = details.hnsmall_details(row)
    return {
        "product_name": None,
        "store_name": None,
        "list_price": page.list_price,
        "details": _details(page.details),
        "images": _images(image.url for image in page.images),
        "description": " ".join(page.sentences),
        "discount_rate": page.rate,
    } | _hnsmall_price(row)


def _hmall_page(row: ShowRow) -> dict[str, Any]:
    page = details.hmall_details(row)
    priced = _two_prices(row)
    lacking = set() if page.store else {"store_name"}
    lacking |= set() if priced["price"] else {"price", "price_kind", "discount_rate"}
    lacking |= set() if priced["price"] or priced["list_price"] else {"list_price"}
    return priced | {
        "discount_rate": _shown_rate(row, row.dc_price),
        "product_name": _clean(row.product_name),
        "store_name": page.store,
        "details": _details((*page.basic, *page.essential)),
        "images": _images(page.images),
        "description": None,
        "unread": () if page.data == "itemPtc" else tuple(sorted(lacking)),
    }


def _nsmall_page(row: ShowRow) -> dict[str, Any]:
    page = details.nsmall_details(row)
    return _two_prices(row) | {
        "discount_rate": _shown_rate(row, row.sale_price),
        "product_name": _clean(row.product_name),
        "store_name": page.store,
        "details": _details(page.details),
        "images": _images(page.images),
        "description": None,
    }


def _show(row: ShowRow, now: datetime, nsmall: Mapping[tuple[Any, ...], ShowRow], *, hides: bool) -> Show:
    start, end = instants(row)
    hidden = hides and start <= now < end
    priced = nsmall.get((row.channel_id, _page_day(row), row.product_id)) if row.channel_id > 3 else row
    prices = _hnsmall_price(row) | {"list_price": None} if row.channel_id == 1 else _listed_prices(priced)
    return Show(
        observed_at=now,
        page_url="",
        channel_id=row.channel_id,
        requested_day=_page_day(row) if hidden else start.astimezone(KST).date(),
        slot=row.slot,
        on_air=hidden,
        starts_at=None if hidden else start,
        ends_at=end,
        title=_clean(row.title or "") or None,
        source_product_id=row.product_id,
        product_name=_clean(row.product_name),
        thumbnail_url=_thumbnail(row),
        discount_rate=_listed_rate(priced),
        **prices,
    )


def _in_page_order(catalog: Catalog, source: str) -> list[ShowRow]:
    """The rows of a source by the start of their show, the main product of each show first."""
    rows = (row for row in catalog.shows if row.channel_id in CHANNELS[source])
    return sorted(rows, key=lambda row: (instants(row), row.channel_id, row.slot))


def _nsmall_prices(catalog: Catalog) -> dict[tuple[int, date, int], ShowRow]:
    """Return the row that prices a product on a day of a channel: the first that has a price."""
    found: dict[tuple[int, date, int], ShowRow] = {}
    for row in _in_page_order(catalog, "nsmall"):
        if row.sale_price is not None:
            found.setdefault((row.channel_id, _page_day(row), row.product_id), row)
    return found


def _hnsmall_price(row: ShowRow) -> dict[str, Any]:
    if "상담" in (row.price_text or ""):
        return {"price": None, "price_kind": "consult"}
    return _price(int((row.price_text or "0").replace(",", "")))


def _listed_prices(row: ShowRow | None) -> dict[str, Any]:
    """Return both prices of a schedule, equal ones included."""
    if row is None:
        return _price(None) | {"list_price": None}
    return _price(row.dc_price) | {"list_price": row.sale_price or None}


def _two_prices(row: ShowRow) -> dict[str, Any]:
    """Return the prices of a product page; a list price equal to the price counts as none."""
    prices = _listed_prices(row)
    return prices | {"list_price": None if prices["list_price"] == prices["price"] else prices["list_price"]}


def _listed_rate(row: ShowRow | None) -> int | None:
    """Return the percentage in a schedule; 0 stands for none."""
    return int(((row and row.dc_rate_text) or "0").removesuffix("%")) or None


def _shown_rate(row: ShowRow, of: int | None) -> int | None:
    """Return the percentage on the product pages of two sources, which relate the discount to different prices."""
    if not (of and row.sale_price and row.dc_price and row.dc_price < row.sale_price):
        return None
    return max(1, round(100 * (row.sale_price - row.dc_price) / of))


def _price(amount: int | None) -> dict[str, Any]:
    return {"price": amount or None, "price_kind": "amount" if amount else "unknown"}


def _thumbnail(row: ShowRow) -> str | None:
    """Return the image URL: that of the row for 홈앤쇼핑 and the subs of NS홈쇼핑, else built from the product id."""
    number = str(row.product_id)
    if row.channel_id == 1 or (row.channel_id > 3 and row.slot == "sub"):
        return _image(row.thumbnail_url)
    if row.channel_id > 3:
        return f"https://product-image.prod-nsmall.com/new/{number}_X6.jpg"
    if not row.thumbnail_url:
        return None
    ending = row.thumbnail_url.partition("?")[0].rpartition(".")[2]
    folder = f"https://image.hmall.com/static/{number[7]}/{number[6]}/{number[4:6]}/{number[2:4]}"
    if row.slot == "main":
        return f"{folder}/onair{number}.{ending}?AR=0&SF=webp"
    return f"{folder}/{number}_0.{ending}?RS=125x125&AR=0&SF=webp"


def _details(lines: Iterable[details.Line]) -> tuple[Detail, ...]:
    return tuple(Detail(name=line.name, value=_clean(line.value)) for line in lines)


def _images(urls: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(_image, urls))))


def _image(url: str | None) -> str | None:
    """Return the URL with https, unless its host is the one without https."""
    if not url:
        return None
    return url if url.startswith(details.PLAIN_HOST) else re.sub(r"^(https?:)?//", "https://", url)


def _page_day(row: ShowRow) -> date:
    """Return the day whose page lists a row; for hmall the broadcast day turns at 05:20."""
    turned = row.channel_id in CHANNELS["hmall"] and _minutes(row.start) < 5 * 60 + 20
    return row.broadcast_date + timedelta(days=turned)


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _clean(text: str) -> str:
    return re.sub(r"\s+", " ", text.strip())
