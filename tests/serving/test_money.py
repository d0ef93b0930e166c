import pytest

from serving.web.money import shown_price


@pytest.mark.parametrize(
    ("list_price", "price", "rate", "shown"),
    [
        (65_900, 59_900, 9, (65_900, 59_900, 9)),
        (10_000, 5_000, 40, (10_000, 5_000, 40)),
        (None, 59_900, 9, (59_900, 59_900, 9)),
        (10_000, 7_500, None, (10_000, 7_500, 25)),
        (None, 59_900, None, (59_900, 59_900, 0)),
        (None, None, None, (0, 0, 0)),
    ],
)
def test_the_rate_of_the_source_is_shown_else_the_computed_one(
    list_price: int | None, price: int | None, rate: int | None, shown: tuple[int, int, int]
) -> None:
    assert shown_price(list_price, price, "amount", rate)[:3] == shown
