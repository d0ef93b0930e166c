from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crawlers import parsing
from crawlers.parsing import MAX_ID, Price

DAY = date(2025, 8, 6)


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("59,900", Price(59_900, "amount")),
        ("59,900원", Price(59_900, "amount")),
        (" 9900 ", Price(9_900, "amount")),
        (1_442_650, Price(1_442_650, "amount")),
        ("상담 예약 상품", Price(None, "consult")),
        ("0", Price(None, "unknown")),
        (0, Price(None, "unknown")),
        ("", Price(None, "unknown")),
        (None, Price(None, "unknown")),
        ("1만 9,900원", Price(19_900, "amount")),
        ("1만9천9백원", Price(19_900, "amount")),
        ("1.9만원", Price(19_000, "amount")),
        ("₩19,900", Price(19_900, "amount")),
        ("￦ 19,900", Price(19_900, "amount")),
        ("１９，９００원", Price(19_900, "amount")),
        ("19,900\u200b\u00a0원", Price(19_900, "amount")),
    ],
)
def test_price_text_becomes_won_and_kind(text: str | int | None, price: Price) -> None:
    assert parsing.parse_price(text) == price


@pytest.mark.parametrize("text", ["19,900원~", "19,900 〜", "１９，９００원～", "1만 9,900원부터"])
def test_the_lowest_of_several_prices_is_read_with_a_remark(text: str) -> None:
    price = parsing.parse_price(text)
    assert (price.amount, price.kind) == (19_900, "amount")
    assert "lowest of several prices" in str(price.remark)


@pytest.mark.parametrize("text", ["품절", "59,90", "59,900~69,900", "1천만원", "9,900만 1억", "1.95", -5])
def test_an_unreadable_price_is_unknown_with_its_text(text: str | int) -> None:
    price = parsing.parse_price(text)
    assert (price.amount, price.kind) == (None, "unknown")
    assert str(text) in str(price.remark)


@given(st.integers(min_value=1, max_value=10**12))
def test_price_written_with_commas_reads_back(won: int) -> None:
    assert parsing.parse_price(f"{won:,}") == Price(won, "amount")


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("32%", 32),
        ("9%", 9),
        ("100%", 100),
        (" 5 ", 5),
        ("", 0),
        (None, 0),
        ("32 %", 32),
        ("３２％", 32),
        ("최대 32%", 32),
        ("32.4% 할인", 32),
    ],
)
def test_rate(text: str | None, rate: int) -> None:
    assert parsing.parse_rate(text) == rate


@pytest.mark.parametrize("text", ["반값", "-5%", "320%"])
def test_unreadable_rate_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="discount rate"):
        parsing.parse_rate(text)


@pytest.mark.parametrize(("text", "number"), [("10047624", 10047624), (" 7 ", 7), (2_234_340_850, 2_234_340_850)])
def test_id(text: str | int, number: int) -> None:
    assert parsing.parse_id(text) == number
    assert parsing.parse_id(str(MAX_ID)) == MAX_ID


@pytest.mark.parametrize("text", ["", None, "0", "-1", "12a", "１２", str(MAX_ID + 1), "1e5"])
def test_a_text_that_is_not_an_id_is_an_error(text: str | None) -> None:
    with pytest.raises(ValueError, match="product id"):
        parsing.parse_id(text)


@pytest.mark.parametrize(
    ("times", "start", "end"),
    [
        ("09:00 ~ 10:30", "08-06 00:00", "08-06 01:30"),
        ("01:00~02:00", "08-05 16:00", "08-05 17:00"),
        ("23:50 ~ 01:00", "08-06 14:50", "08-06 16:00"),
        ("16:40 ~ 00:00", "08-06 07:40", "08-06 15:00"),
        ("23:40 ~ 24:00", "08-06 14:40", "08-06 15:00"),
        ("24:30 ~ 25:10", "08-06 15:30", "08-06 16:10"),
        ("23:50 ~ 25:10", "08-06 14:50", "08-06 16:10"),
        ("25:10 ~ 02:00", "08-06 16:10", "08-06 17:00"),
    ],
)
def test_times_of_a_page_become_instants(times: str, start: str, end: str) -> None:
    instants = parsing.show_instants(DAY, *parsing.split_times(times))
    assert [f"{instant:%m-%d %H:%M %Z}" for instant in instants] == [f"{start} UTC", f"{end} UTC"]


clocks = st.builds("{:02}:{:02}".format, st.integers(0, 47), st.integers(0, 59))


@given(clocks, clocks)
def test_a_show_starts_on_its_day_or_the_next_and_ends_later(start: str, end: str) -> None:
    assume((int(start[:2]) % 24, start[3:]) != (int(end[:2]) % 24, end[3:]))
    instants = parsing.show_instants(DAY, start, end)
    assert instants.start < instants.end
    assert parsing.kst_day(instants.start) == DAY + timedelta(days=int(start[:2]) // 24)


@pytest.mark.parametrize(
    "times",
    ["09:00", "9시 ~ 10시", "09:60 ~ 10:00", "48:00 ~ 49:00", "10:00 ~ 10:00", "24:00 ~ 00:00", "지금방송중", ""],
)
def test_unreadable_times_are_errors(times: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        parsing.show_instants(DAY, *parsing.split_times(times))


@pytest.mark.parametrize("stamp", ["20250806 23:50:00", "2025-08-06 23:50:00", "2025-08-06 23:50"])
def test_stamps_with_and_without_hyphens(stamp: str) -> None:
    assert parsing.kst_instant(*parsing.split_stamp(stamp)) == datetime(2025, 8, 6, 14, 50, tzinfo=UTC)


@pytest.mark.parametrize("stamp", ["20250806", "2025 23:50:00", "08/06 23:50"])
def test_unreadable_stamps_are_errors(stamp: str) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        parsing.split_stamp(stamp)


@pytest.mark.parametrize(
    ("url", "absolute"),
    [
        ("//image.example/1.jpg", "https://image.example/1.jpg"),
        ("http://image.example/1.jpg", "http://image.example/1.jpg"),
        ("http://image.hnsmall.com/images/1.jpg?w=1", "https://image.hnsmall.com/images/1.jpg?w=1"),
        ("http://image.hnsmall.com:8080/1.jpg", "http://image.hnsmall.com:8080/1.jpg"),
        ("/images/1.jpg", "https://shop.example/images/1.jpg"),
        ("1.jpg", "https://shop.example/goods/1.jpg"),
        (" https://image.example/a\n b.jpg ", "https://image.example/a%20b.jpg"),
        ("about:blank", None),
        ("data:image/gif;base64,R0lGOD", None),
        ("javascript:void(0)", None),
        ("http://[image.example/1.jpg", None),
        ("https://image.example/1.jpg> <p>" + "그 뒤의 모든 것 " * 300, None),
        (" ", None),
        (None, None),
    ],
)
def test_image_urls(url: str | None, absolute: str | None) -> None:
    assert parsing.image_url(url, "https://shop.example/goods/7") == absolute


@pytest.mark.parametrize(
    ("nickname", "masked"), [("콩이네밥상", "콩**"), ("별", "별**"), (" 010-1234 ", "0**"), ("", None), (None, None)]
)
def test_a_nickname_is_masked_but_for_its_first_letter(nickname: str | None, masked: str | None) -> None:
    assert parsing.mask(nickname) == masked


@pytest.mark.parametrize("text", ["2025.08.06", "2025-08-06", " 2025.08.06. ", "20250806"])
def test_the_day_of_a_review(text: str) -> None:
    assert parsing.parse_written_on(text) == DAY


def test_a_missing_review_day_is_none_and_a_strange_one_an_error() -> None:
    assert parsing.parse_written_on(" ") is None
    with pytest.raises(ValueError, match="not a date"):
        parsing.parse_written_on("3일 전")


def test_a_product_name_loses_only_the_store_in_front() -> None:
    assert parsing.strip_store("초록상회 초록상회 햇감자", "초록상회") == "초록상회 햇감자"
    assert parsing.strip_store("초록상회", "초록상회") == "초록상회"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("(1,204)", 1_204),
        ("리뷰 7개", 7),
        ("", None),
        (None, None),
        ("없음", None),
        ("1.2천", 1_200),
        ("1.5만", 15_000),
        ("(999+)", 999),
        ("1만 2,345개", 12_345),
        ("１２", 12),
    ],
)
def test_review_count(text: str | None, count: int | None) -> None:
    assert parsing.parse_count(text) == count


@pytest.mark.parametrize("text", ["1.25", "1,20", "3/5", "1.23456만"])
def test_a_count_that_is_no_number_of_things_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="not a number of things"):
        parsing.parse_count(text)


@pytest.mark.parametrize("text", ["\u200b", "\u3164\u3164", " \u2800 ", "\u0085\x9f", "\n\t"])
def test_text_without_a_visible_character_is_none(text: str) -> None:
    assert parsing.text_or_none(text) is None


@pytest.mark.parametrize(("text", "score"), [("4.8", 4.8), ("5", 5.0), ("", None)])
def test_review_score(text: str, score: float | None) -> None:
    assert parsing.parse_score(text) == score


def test_a_score_of_more_than_five_is_an_error() -> None:
    with pytest.raises(ValueError, match="not a review score"):
        parsing.parse_score("48")


@pytest.mark.parametrize(("text", "share"), [("85%", 85), (" 0% ", 0), ("", None), (None, None)])
def test_share_of_the_reviews(text: str | None, share: int | None) -> None:
    assert parsing.parse_share(text) == share
