"""The demo catalog: complete, consistent, and with every quirk that its README lists."""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from crawlers.items import CATEGORIES
from crawlers.parsing import parse_clock
from crawlers.standin.catalog import DEMO, ShowRow, load_catalog
from crawlers.standin.details import (
    HNSMALL_ATTRIBUTES,
    HNSMALL_TABLES,
    NSMALL_NAMES,
    PLAIN_HOST,
    HmallDetails,
    HnsmallDetails,
    KokDetails,
    NsmallDetails,
    hmall_details,
    hnsmall_details,
    kok_details,
    nsmall_details,
)
from recommender.text.ingredient_lines import BEL, ingredient_lines

Row = dict[str, Any]

CHANNELS = {1: "hnsmall", 2: "hmall_etv", 3: "hmall_dtv", 4: "nsmall_tv", 5: "nsmall_shopplus"}
HMALL = (2, 3)
DAYS = ("20250806", "20250807", "20250808")
PRODUCE = {"1611", "1613", "1614", "1615", "1616", "1618", "1619", "1623"}
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
INVISIBLE = "\u200b\u00a0\u3000\u2060\ufeff"


def rows(name: str) -> list[Row]:
    with (DEMO / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


KOK, SHOWS = rows("kok_products.jsonl"), rows("broadcasts.jsonl")
MAINS = [show for show in SHOWS if show["slot"] == "main"]
with (DEMO / "TB_RECIPE_SEARCH_demo.csv").open(encoding="utf-8", newline="") as file:
    RECIPES = list(csv.DictReader(file, strict=True))


def texts(key: str, table: list[Row]) -> str:
    return "\n".join(row[key] or "" for row in table)


def on_air(show: Row) -> tuple[datetime, datetime]:
    """Start and end in KST."""
    day = datetime.strptime(show["broadcast_date"], "%Y%m%d")  # noqa: DTZ007 -- all of it is KST
    start, end = parse_clock(show["start"]), parse_clock(show["end"])
    if show["channel_id"] in HMALL and show["start"] < "05:20":
        day += timedelta(days=1)
    return day + start, day + end + timedelta(days=end <= start)


def test_the_stand_in_reads_every_row() -> None:
    catalog = load_catalog()
    assert len(catalog.kok) == len(KOK) == 300
    assert len(catalog.shows) == len(SHOWS)


def test_files_stay_small() -> None:
    assert [path.name for path in DEMO.iterdir() if path.stat().st_size > 400 * 1024] == []


# --- Mobile mall


def test_kok_products_are_unique_and_in_every_category() -> None:
    assert (
        len({row["product_id"] for row in KOK}) == len({(row["store_name"], row["product_name"]) for row in KOK}) == 300
    )
    assert all(1_471_015 <= row["product_id"] <= 10_047_624 for row in KOK)
    assert not [row for row in KOK if row["product_name"].startswith(row["store_name"])]
    counts = Counter(row["category"] for row in KOK)
    assert set(counts) == set(CATEGORIES)
    assert max(counts.values()) > 40  # a third page
    assert 20 in counts.values()  # a last page that is full


def test_kok_prices_agree_with_the_rate() -> None:
    for row in KOK:
        off = (row["list_price"] - row["price"]) * 100 / row["list_price"]
        assert abs(row["discount_rate"] - off) <= 0.5, row
        assert (row["discount_rate"] == 0) == (row["price"] == row["list_price"]), row
        assert row["price"] > 0, row
    assert sum(row["discount_rate"] == 0 for row in KOK) > 90


def test_kok_reviews_come_in_pairs_or_not_at_all() -> None:
    assert all((row["review_score"] is None) == (row["review_count"] is None) for row in KOK)
    assert all(1 <= row["review_score"] <= 5 for row in KOK if row["review_score"])
    assert sum(row["review_score"] is None for row in KOK) > 90


def test_kok_thumbnails_are_on_the_hosts_of_the_mall() -> None:
    hosts = Counter(row["thumbnail_url"].split("/")[2] for row in KOK if row["thumbnail_url"].startswith("https://"))
    assert set(hosts) == {"d-img.picnique.co.kr", "d1nwcwsdvx7ar2.cloudfront.net"}
    assert hosts.total() == 300


@pytest.mark.parametrize("noise", ["[", "(", "1+1", "산지직송", "kg", "&", "<", '"', "'", "  ", "🍉", "↑", " x "])
def test_kok_titles_are_as_noisy_as_real_ones(noise: str) -> None:
    assert noise in texts("product_name", KOK)


def test_kok_produce_is_what_the_recipes_cook_with() -> None:
    names = {line.name.replace(" ", "") for row in RECIPES for line in ingredient_lines(row["CKG_MTRL_CN"])}
    titles = [row["product_name"].replace(" ", "") for row in KOK if row["category"] in PRODUCE]
    assert sum(any(name in title for name in names if len(name) > 1) for title in titles) >= 150


# --- Home shopping


def test_shows_are_unique_on_five_channels_and_three_days() -> None:
    assert {(row["channel_id"], row["source"]) for row in SHOWS} == set(CHANNELS.items())
    assert len({(row["channel_id"], on_air(row)[0], row["product_id"]) for row in SHOWS}) == len(SHOWS)
    mains = Counter((row["channel_id"], row["broadcast_date"]) for row in MAINS)
    assert set(mains) == {(channel, day) for channel in CHANNELS for day in DAYS}
    assert min(mains.values()) >= 10
    assert {row["channel_id"] for row in SHOWS if row["slot"] == "sub"} == set(CHANNELS)
    assert sum(row["channel_id"] == 5 for row in SHOWS) < sum(row["channel_id"] == 4 for row in SHOWS)


def test_subs_follow_their_main() -> None:
    main: Row = {}
    for row in SHOWS:
        main = row if row["slot"] == "main" else main
        assert [row[key] for key in ("channel_id", "broadcast_date", "start", "end")] == [
            main[key] for key in ("channel_id", "broadcast_date", "start", "end")
        ]


def test_channels_leave_no_gap_and_food_is_always_on_air() -> None:
    for channel in CHANNELS:
        slots = sorted({on_air(row) for row in MAINS if row["channel_id"] == channel})
        assert all(after - end <= timedelta(minutes=3) for (_, end), (after, _) in pairwise(slots)), channel
    food = [on_air(row) for row in SHOWS if row["is_food"]]
    first = datetime(2025, 8, 6)  # noqa: DTZ001 -- KST, as above
    minutes = (first + timedelta(minutes=step) for step in range(3 * 24 * 60))
    assert [minute for minute in minutes if not any(start <= minute < end for start, end in food)] == []
    assert 0.4 <= sum(row["is_food"] for row in MAINS) / len(MAINS) <= 0.6


def test_a_product_has_one_name_and_returns_on_another_channel() -> None:
    names = {(row["product_id"], row["product_name"]) for row in SHOWS}
    assert len(names) == len({row["product_id"] for row in SHOWS})
    channels = {(row["product_id"], row["channel_id"]) for row in MAINS}
    twice = [product for product, count in Counter(product for product, _ in channels).items() if count == 2]
    assert len(twice) >= 10
    assert (
        Counter((row["product_id"], row["channel_id"], row["broadcast_date"]) for row in MAINS).most_common(1)[0][1] > 1
    )


def test_shows_that_end_after_midnight() -> None:
    times = {(row["channel_id"], row["start"], row["end"]) for row in SHOWS}
    assert {(2, "23:50", "01:00"), (4, "23:50", "01:00"), (1, "16:40", "00:00")} <= times
    hours_past = [
        (row["channel_id"], row["start"], row["end"]) for row in SHOWS if max(row["start"], row["end"]) >= "24"
    ]
    assert {channel for channel, _, _ in hours_past} == {1}
    assert {(1, "24:30", "25:10"), (1, "23:00", "24:30")} <= set(hours_past)


def test_hmall_rows_before_the_turn_belong_to_the_day_before() -> None:
    early = [row for row in SHOWS if row["channel_id"] in HMALL and row["start"] < "05:20"]
    assert {(row["channel_id"], row["broadcast_date"]) for row in early} == {(c, day) for c in HMALL for day in DAYS}
    assert {row["slot"] for row in early} == {"main", "sub"}
    assert {row["end"][-2:] for row in SHOWS if row["channel_id"] == 3} >= {"19", "39", "59"}


def test_ids_are_those_of_the_sources() -> None:
    for row in SHOWS:
        if row["channel_id"] in HMALL:
            assert 2**31 < row["product_id"] < 10**10, row
        else:
            assert len(str(row["product_id"])) == 8, row


def test_prices_are_what_each_source_says() -> None:
    for row in SHOWS:
        text, sale, dc = row["price_text"], row["sale_price"], row["dc_price"]
        if row["channel_id"] == 1:
            assert (text, dc) == (f"{sale:,}" if sale else "상담 예약 상품", None), row
        else:
            assert (text is None) == (sale is None) == (dc is None), row
            assert text is None or (text == str(sale) and dc <= sale), row


def test_prices_that_are_none() -> None:
    assert len({row["product_id"] for row in SHOWS if row["price_text"] == "상담 예약 상품"}) >= 3
    for channel in (4, 5):
        assert {0, None} <= {row["sale_price"] for row in SHOWS if row["channel_id"] == channel}
    assert {row["channel_id"] for row in SHOWS if row["sale_price"] is None} == {1, 2, 3, 4, 5}
    assert {row["dc_rate_text"] for row in SHOWS if row["channel_id"] == 1} > {None, "9%"}
    undeclared = [row for row in SHOWS if row["channel_id"] in HMALL and row["dc_rate_text"] == "0"]
    assert any(row["dc_price"] < row["sale_price"] for row in undeclared)


def test_titles_and_thumbnails_are_as_each_source_gives_them() -> None:
    assert all(row["title"] for row in SHOWS if row["channel_id"] == 1)
    assert {bool(row["title"]) for row in MAINS if row["channel_id"] in HMALL} == {True, False}
    assert all(bool(row["title"]) == (row["slot"] == "main") for row in SHOWS if row["channel_id"] > 3)
    shapes = {
        (1, "main"): r"https://image\.hnsmall\.com/images/goods/{last}/{id}_wide\.(jpg|png)",
        (1, "sub"): r"https://image\.hnsmall\.com/images/goods/{last}/{id}_g\.(jpg|png)",
        (2, "main"): r"https://image\.hmall\.com/static/{path}/onair{id}\.(jpg|png)\?AR=0&SF=webp",
        (2, "sub"): r"https://image\.hmall\.com/static/{path}/{id}_0\.(jpg|png)\?RS=125x125&AR=0&SF=webp",
        (4, "main"): r"https://product-image\.prod-nsmall\.com/new/{id}_X6\.jpg",
        (4, "sub"): r"http://product-image\.prod-nsmall\.com/new/{id}_F\.jpg",
    }
    for row in SHOWS:
        number, channel = str(row["product_id"]), {1: 1, 2: 2, 3: 2, 4: 4, 5: 4}[row["channel_id"]]
        path = f"{number[7:8]}/{number[6]}/{number[4:6]}/{number[2:4]}"
        shape = shapes[channel, row["slot"]].format(id=number, last=number[-3:], path=path)
        assert re.fullmatch(shape, row["thumbnail_url"]), row


@pytest.mark.parametrize("mark", ["&", "<", ">", '"', "'", "  ", "🎁", "🦐", "♥"])
def test_product_names_hold_what_html_must_escape(mark: str) -> None:
    assert mark in texts("product_name", SHOWS)


# --- Recipes


def test_recipes_are_in_the_official_columns() -> None:
    assert len(RECIPES) == 300
    assert list(RECIPES[0]) == COLUMNS
    assert all(None not in row and None not in row.values() for row in RECIPES)
    assert len({row["RCP_SNO"] for row in RECIPES}) == len({row["RCP_TTL"] for row in RECIPES}) == 300
    assert len({row["CKG_NM"] for row in RECIPES}) > 285


def test_every_recipe_has_ingredients_in_one_of_the_two_forms() -> None:
    lines = [list(ingredient_lines(row["CKG_MTRL_CN"])) for row in RECIPES]
    assert min(len(recipe) for recipe in lines) >= 3
    assert sum(5 <= len(recipe) <= 16 for recipe in lines) > 290
    older = [row for row in RECIPES if BEL not in row["CKG_MTRL_CN"]]
    assert len(older) == 60
    sections = Counter(line.section for recipe in lines for line in recipe)
    assert {"재료", "양념", "양념장", "소스", "드레싱", "절임물"} <= set(sections)


@pytest.mark.parametrize("older", [True, False])
@pytest.mark.parametrize("amount", ["1/2", "1 1/2", "반", "약간", "적당량", "넉넉히"])
def test_both_forms_have_every_kind_of_amount(amount: str, older: bool) -> None:
    before, after = (" ", "") if older else (BEL, BEL)
    wanted = f"{before}{amount}{after}"
    assert [row for row in RECIPES if (BEL not in row["CKG_MTRL_CN"]) == older and wanted in row["CKG_MTRL_CN"]]


def test_some_amounts_are_ranges_or_absent() -> None:
    assert re.search(r"\d~\d", texts("CKG_MTRL_CN", RECIPES))
    lines = [line for row in RECIPES for line in ingredient_lines(row["CKG_MTRL_CN"])]
    assert any(line.amount is None for line in lines)
    assert any(line.note for line in lines)


@pytest.mark.parametrize("mark", list(INVISIBLE))
def test_invisible_characters_are_in_a_few_recipes(mark: str) -> None:
    assert 1 <= sum(mark in row["CKG_MTRL_CN"] for row in RECIPES) <= 5


@pytest.mark.parametrize("mark", [",", '"', "&", "<", "🥒"])
def test_recipe_titles_need_quoting_and_escaping(mark: str) -> None:
    assert mark in texts("RCP_TTL", RECIPES)


def test_optional_columns_are_empty_in_some_recipes() -> None:
    required = {"RCP_SNO", "RCP_TTL", "RGTR_ID", "RGTR_NM", "CKG_KND_ACTO_NM", "CKG_MTRL_CN"}
    for column in RECIPES[0]:
        empty = sum(not row[column] for row in RECIPES)
        assert (empty == 0) if column in required else (0 < empty <= 200), column
    assert any("\n" in row["CKG_IPDC"] for row in RECIPES)


def test_authors_are_invented_and_easy_to_find() -> None:
    authors = {(row["RGTR_ID"], row["RGTR_NM"]) for row in RECIPES}
    assert len(authors) > 5
    assert all(re.fullmatch(r"demo_cook\d\d", number) for number, _ in authors)
    everything_else = "\n".join(value for row in RECIPES for key, value in row.items() if not key.startswith("RGTR"))
    assert not [name for author in authors for name in author if name in everything_else]


def test_registered_dates_and_counts_are_readable() -> None:
    for row in RECIPES:
        assert re.fullmatch(r"(20\d{12})?", row["FIRST_REG_DT"]), row["RCP_SNO"]
        assert all(re.fullmatch(r"\d*", row[count]) for count in ("INQ_CNT", "RCMM_CNT", "SRAP_CNT")), row["RCP_SNO"]


def test_the_readme_names_every_file() -> None:
    readme = Path(DEMO / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in DEMO.iterdir() if path.name not in readme and path.name != "README.md"] == []


# --- Product pages

CATALOG = load_catalog()
KOK_PAGES = [kok_details(row) for row in CATALOG.kok]


def goods(*channels: int) -> list[ShowRow]:
    """Return the products of some channels, each once."""
    return list({show.product_id: show for show in reversed(CATALOG.shows) if show.channel_id in channels}.values())


KOK_QUIRKS: dict[str, Callable[[KokDetails], bool]] = {
    "main image in the head alone": lambda page: page.lazy_thumbnail,
    "no reviews": lambda page: page.rating_shares is None,
    "reviews are counted, but none is shown": lambda page: page.rating_shares is not None and not page.reviews,
    "ten reviews": lambda page: len(page.reviews) == 10,
    "two reviews of one nickname on one day": lambda page: (
        len({(review.nickname, review.written_on) for review in page.reviews})
        < len(page.reviews)
        == len(set(page.reviews))
    ),
    "a review says nothing of an aspect": lambda page: any(len(review.opinions) < 3 for review in page.reviews),
    "a review without a text": lambda page: any(not review.text for review in page.reviews),
    "a review of several lines": lambda page: any("\n" in review.text for review in page.reviews),
    "what HTML must escape": lambda page: any("<" in review.text and "&" in review.nickname for review in page.reviews),
    "a moving image": lambda page: any(url.endswith(".gif") for url in page.images),
    "an address without a scheme": lambda page: page.images[0].startswith("//"),
    "an address with http": lambda page: page.images[0].startswith("http://"),
    "seller cells backwards": lambda page: page.seller[-1].name in ("판매자", "상호"),
    "seller cells missing": lambda page: len(page.seller) == 8,
    "seller cells in other words": lambda page: any(line.name == "통신판매업신고번호" for line in page.seller),
    "a detail of more than 4,000 characters": lambda page: any(len(line.value) > 4_000 for line in page.details),
}
HNSMALL_QUIRKS: dict[str, Callable[[HnsmallDetails], bool]] = {
    "price alone": lambda page: page.list_price is None,
    "list price and rate": lambda page: page.rate is not None,
    "list price without rate": lambda page: page.list_price is not None and page.rate is None,
    "price on request": lambda page: page.price == "상담 예약 상품",
    "description in a frame": lambda page: page.framed,
    "description in the page": lambda page: not page.framed,
    "a host without https": lambda page: page.images[0].url.startswith(PLAIN_HOST),
    "labels in td": lambda page: page.label_cell == "td",
}
HMALL_QUIRKS: dict[str, Callable[[HmallDetails], bool]] = {
    "no script": lambda page: page.data == "none",
    "script without itemPtc": lambda page: page.data == "without itemPtc",
    "no store": lambda page: page.store is None,
    "spans": lambda page: any(", " in line.value for line in page.basic),
}
NSMALL_QUIRKS: dict[str, Callable[[NsmallDetails], bool]] = {
    "no metas": lambda page: not page.metas,
    "no store": lambda page: page.metas and page.store is None,
    "name in og:title alone": lambda page: not page.metas and page.name_place == "og:title",
    "name in the page alone": lambda page: not page.metas and page.name_place != "og:title",
}


@pytest.mark.parametrize("quirk", KOK_QUIRKS)
def test_kok_pages_have_every_quirk(quirk: str) -> None:
    assert any(map(KOK_QUIRKS[quirk], KOK_PAGES))


@pytest.mark.parametrize("quirk", HNSMALL_QUIRKS)
def test_hnsmall_pages_have_every_quirk(quirk: str) -> None:
    assert any(map(HNSMALL_QUIRKS[quirk], map(hnsmall_details, goods(1))))


@pytest.mark.parametrize("quirk", HMALL_QUIRKS)
def test_hmall_pages_have_every_quirk(quirk: str) -> None:
    assert any(map(HMALL_QUIRKS[quirk], map(hmall_details, goods(2, 3))))


@pytest.mark.parametrize("quirk", NSMALL_QUIRKS)
def test_nsmall_pages_have_every_quirk(quirk: str) -> None:
    assert any(map(NSMALL_QUIRKS[quirk], map(nsmall_details, goods(4, 5))))


def test_pages_use_every_place_for_images_facts_and_names() -> None:
    pages = [hnsmall_details(show) for show in goods(1)]
    assert {image.attribute for page in pages for image in page.images} == {*HNSMALL_ATTRIBUTES, "background"}
    assert {page.table for page in pages} == set(HNSMALL_TABLES)
    assert {nsmall_details(show).name_place for show in goods(4, 5)} == set(NSMALL_NAMES)


@pytest.mark.parametrize("channels", [(2, 3), (4, 5)])
def test_pages_with_two_prices_have_them_equal_different_and_unknown(channels: tuple[int, ...]) -> None:
    prices = {(show.sale_price, show.dc_price) for show in goods(*channels)}
    assert (None, None) in prices
    assert {sale == paid for sale, paid in prices if sale} == {True, False}
    assert channels == (2, 3) or (0, 0) in prices


def test_pages_without_data_have_prices_to_read_from_the_page() -> None:
    bare = [show for show in goods(2, 3) if hmall_details(show).data != "itemPtc"]
    bare += [show for show in goods(4, 5) if not nsmall_details(show).metas]
    assert {show.sale_price == show.dc_price for show in bare if show.sale_price} == {True, False}
