from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from crawlers.items import KokPrice, Show

SEEN = datetime(2025, 8, 6, 3, tzinfo=UTC)
SHOW: dict[str, Any] = {
    "channel_id": 2,
    "requested_day": "2025-08-06",
    "slot": "main",
    "on_air": False,
    "starts_at": datetime(2025, 8, 6, 1, tzinfo=UTC),
    "ends_at": datetime(2025, 8, 6, 2, tzinfo=UTC),
    "title": None,
    "source_product_id": 2_234_340_850,
    "product_name": "🍣 Café 세트",
    "list_price": None,
    "price": 39_900,
    "price_kind": "amount",
    "thumbnail_url": None,
    "observed_at": SEEN,
    "page_url": "https://www.example/",
}


def test_a_show_survives_json_with_its_instants_and_its_64_bit_id() -> None:
    show = Show.model_validate(SHOW)
    assert Show.model_validate_json(show.model_dump_json()) == show


def test_instants_are_stored_in_utc() -> None:
    seoul = timezone(timedelta(hours=9))
    show = Show.model_validate(SHOW | {"starts_at": datetime(2025, 8, 6, 10, tzinfo=seoul)})
    assert show.model_dump(mode="json")["starts_at"] == "2025-08-06T01:00:00Z"


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": 0},
        {"price": None},
        {"price_kind": "consult"},
        {"starts_at": None},
        {"starts_at": datetime(2025, 8, 6, 2, tzinfo=UTC)},
        {"starts_at": "2025-08-06T01:00:00"},
        {"source_product_id": 0},
        {"source_product_id": 2**63},
        {"product_name": ""},
        {"surprise": 1},
    ],
)
def test_an_inconsistent_show_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Show.model_validate(SHOW | wrong)


def test_a_rate_is_a_percentage() -> None:
    price = {"kok_product_id": 1, "category": "1611", "price": 1, "price_kind": "amount", "observed_at": SEEN}
    with pytest.raises(ValidationError, match="discount_rate"):
        KokPrice.model_validate(price | {"page_url": "", "discount_rate": 101})
