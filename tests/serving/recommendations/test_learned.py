"""How what the personal model suggests is mixed with what it does not know, and what of it can be had."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

import pytest

from recommender.product_ref import KOK, ProductRef
from recommender.rankers.personal import DAY
from recommender.rankers.taken import Taken
from serving.catalog.mall import KokCatalog
from serving.recommendations.learned import learned_offers, mixed, seen_items, unseen
from serving.recommendations.stages import Stage
from serving.runtime.snapshot import Snapshot
from tests.bench.served_model import kok_items
from tests.builders.personal import model

NOW = datetime(2025, 8, 6, 3, tzinfo=UTC)
MODEL = model([(KOK, number) for number in range(6)], {(0, 1): 0.9, (0, 2): 0.8, (0, 3): 0.7}, popular=(4,))
HISTORY = [Taken(ProductRef(KOK, 0), NOW.timestamp() - DAY)]


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.0, "a b c d e f"),
        (0.25, "a b c 1 d e f 2"),
        (0.5, "a 1 b 2 c 3 d e f"),
        (1.0, "1 2 3 a b c d e f"),
    ],
)
def test_others_have_their_share_of_the_places(share: float, expected: str) -> None:
    found = list(mixed("abcdef", "123", share))
    assert found[: len(expected.split())] == expected.split()
    assert sorted(found) == sorted("abcdef123") or share < 0.5


def test_an_endless_list_is_read_no_further_than_asked() -> None:
    def endless() -> Iterator[str]:
        while True:
            yield "x"

    assert list(islice(mixed(endless(), "1", 0.5), 4)) == ["x", "1", "x", "x"]


def test_vanished_and_seen_products_are_left_out() -> None:
    items = kok_items(range(6))
    items[1] = items[1]._replace(listed=False)
    items[0], items[2] = (items[number]._replace(item_id="same") for number in (0, 2))
    items[5] = items[5]._replace(is_food=False)
    snapshot = Snapshot(kok=KokCatalog(items=items))
    offers = unseen(learned_offers(snapshot, MODEL, HISTORY, NOW), seen_items(snapshot, HISTORY))
    found = [(entry.item.ref.product_id, entry.stage, entry.reason) for entry in offers]  # type: ignore[union-attr]
    assert found == [(4, Stage.POPULAR, "popular"), (3, Stage.RELEASE, "viewed:0")]


def test_a_view_of_what_is_no_longer_in_the_catalog_has_no_name() -> None:
    snapshot = Snapshot(kok=KokCatalog(items=kok_items(range(1, 4))))
    reasons = {entry.reason for entry in learned_offers(snapshot, MODEL, HISTORY, NOW)}
    assert reasons == {"viewed"}
