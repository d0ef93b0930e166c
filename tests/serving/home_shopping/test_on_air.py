"""What every channel shows now, and next."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update
from starlette.testclient import TestClient

from serving.gateway.main import create_app
from serving.home_shopping.schemas import OnAir
from sql.service.catalog import Broadcast
from tests.builders.small_catalog import BIG_ID, at, bump, cancel
from tests.serving.conftest import Now

PATH = "/api/homeshopping/on-air"
Lives = tuple[list[int] | None, list[int] | None]


def lives(client: TestClient) -> dict[int, Lives]:
    """By channel the live ids of the show now, and of the next."""

    def ids(show: dict[str, Any] | None) -> list[int] | None:
        return None if show is None else [product["live_id"] for product in show["products"]]

    answer = client.get(PATH)
    assert answer.status_code == 200, answer.text
    return {c["homeshopping_id"]: (ids(c["now"]), ids(c["next"])) for c in answer.json()["channels"]}


def add_show(service: Engine, live_id: int, channel: int, start: str, end: str, **changes: object) -> None:
    show = {"broadcast_id": live_id, "channel_id": channel, "starts_at": at(6, start), "ends_at": at(6, end)}
    show |= {"source": "hmall", "source_product_id": BIG_ID, "slot": "main", "price_kind": "unknown"}
    with service.begin() as conn:
        conn.execute(insert(Broadcast), show | changes)
        bump(conn, "schedule")


def test_each_channel_shows_what_is_on_air_and_what_comes_next(client: TestClient) -> None:
    assert lives(client) == {
        1: ([2], None),
        2: (None, [6]),
        3: (None, [7]),  # show 8 of this afternoon is cancelled
        4: (None, [4]),
        5: (None, None),
    }


def test_a_show_has_its_products_with_slot_price_and_times_in_korea(
    filled: Engine, start: Callable[[], TestClient]
) -> None:
    broadcast = {"title": "오늘의 감자", "list_price": 9000, "price": 6000, "price_kind": "amount"}
    add_show(filled, 40, 1, "11:30", "12:30", slot="sub", **broadcast)
    add_show(filled, 39, 1, "11:30", "12:30", slot="sub", source_product_id=21_000_006)
    channel = start().get(PATH).json()["channels"][0]
    assert (channel["homeshopping_name"], channel["homeshopping_channel"]) == ("홈앤쇼핑", 4)
    show = channel["now"]
    assert [show["live_date"], show["live_start_time"], show["live_end_time"], show["live_title"]] == [
        "2025-08-06",
        "11:30:00",
        "12:30:00",
        "오늘의 감자",
    ]
    slots = [(product["live_id"], product["promotion_type"]) for product in show["products"]]
    assert slots == [(2, "main"), (39, "sub"), (40, "sub")]
    potatoes = show["products"][2]
    assert (potatoes["sale_price"], potatoes["dc_price"], potatoes["dc_rate"]) == (9000, 6000, 33)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (59.99, (None, [4])),
        (60, ([4], [3])),  # 13:00, the start is part of the show
        (119.99, ([4], [3])),
        (120, (None, [3])),  # 14:00, the end is not
        (709.99, (None, [3])),
        (710, ([3], None)),  # 23:50
        (720, ([3], None)),  # midnight
        (779.99, ([3], None)),
        (780, (None, None)),  # 01:00
    ],
)
def test_a_show_ends_before_its_end_time_also_over_midnight(
    client: TestClient, now: Now, minutes: float, expected: Lives
) -> None:
    now.forward(minutes=minutes)
    assert lives(client)[4] == expected


def test_an_answer_is_cached_only_until_a_show_starts_or_ends(client: TestClient, now: Now) -> None:
    seen = [lives(client)]
    for _ in range(4):
        now.forward(minutes=30)
        seen.append(lives(client))
    assert [each[1] for each in seen] == [([2], None), (None, None), (None, None), (None, None), (None, None)]
    assert [each[4] for each in seen] == [(None, [4]), (None, [4]), ([4], [3]), ([4], [3]), (None, [3])]
    night = client.get(PATH).json()["channels"][3]["next"]
    assert (night["live_start_time"], night["live_end_time"]) == ("23:50:00", "01:00:00")


def test_shows_may_follow_without_a_gap_and_overlap(filled: Engine, start: Callable[[], TestClient], now: Now) -> None:
    add_show(filled, 41, 1, "12:30", "14:00")
    add_show(filled, 42, 1, "12:40", "13:00")
    client = start()
    now.forward(minutes=30)
    assert lives(client)[1] == ([41], [42])
    now.forward(minutes=10)
    assert lives(client)[1] == ([42], None), "the one that started last"
    now.forward(minutes=20)
    assert lives(client)[1] == ([41], None), "is over before the longer one"


def test_only_a_wholly_cancelled_show_is_off_the_air(filled: Engine, start: Callable[[], TestClient]) -> None:
    add_show(filled, 43, 1, "11:30", "12:30", slot="sub")
    cancel(filled, 2)
    assert lives(start())[1] == ([43], None)
    cancel(filled, 43)
    assert lives(start())[1] == (None, None)


def test_a_show_on_a_channel_that_nobody_knows_is_left_out(filled: Engine, start: Callable[[], TestClient]) -> None:
    with filled.begin() as conn:
        conn.execute(update(Broadcast).where(Broadcast.broadcast_id == 2).values(channel_id=99))
    assert lives(start())[1] == (None, None)


def test_openapi_describes_it_with_an_example_that_fits(client: TestClient) -> None:
    spec = create_app().openapi()
    operation = spec["paths"][PATH]["get"]
    assert "`now` is null" in operation["description"]
    body = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    example = spec["components"]["schemas"][body]["example"]
    assert OnAir.model_validate(example).model_dump(mode="json") == example
